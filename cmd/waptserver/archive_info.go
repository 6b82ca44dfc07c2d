package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waptwua/authenticode"
	"waptwua/wsusscn2"
)

// archiveInfo is what `archive info --json` prints.
type archiveInfo struct {
	PackageID    string    `json:"package_id,omitempty"`
	CreationDate time.Time `json:"creation_date,omitzero"`
	Updates      int       `json:"updates"`   // <Update> elements of package.xml
	Locations    int       `json:"locations"` // <FileLocation> elements
	Layout       string    `json:"layout"`
	Shards       int       `json:"shards"`
	RuleSets     int       `json:"core_fragments"`
	Extended     int       `json:"extended_fragments"`
	Localized    int       `json:"localized_fragments"`
	Eulas        int       `json:"eula_fragments"`
	Included     int       `json:"included_files"`
	Languages    []string  `json:"languages"`
	Size         int64     `json:"size"`          // bytes of the archive
	Decoded      int64     `json:"decoded_bytes"` // of everything in it
	SHA256       string    `json:"sha256"`
	Signature    bool      `json:"signature"` // there is one; `archive verify` checks it
}

func newArchiveInfoCommand(l *limits) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info FILE",
		Short: "Tell what a scan archive holds",
		Long: `Reads a scan archive (wsusscn2.cab, or the WSUSSCAN.cab inside some updates)
and prints its identity, its date and what it holds. The signature is not
checked; "archive verify" does that.

Exit status: 0, or 1 when the file cannot be read as a scan archive.`,
		Example: `  waptserver archive info wsusscn2.cab
  waptserver archive info --json wsusscn2.cab`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, err := readInfo(cmd.Context(), args[0], l)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(info)
			}
			return info.print(cmd.OutOrStdout(), time.Now())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func readInfo(ctx context.Context, path string, l *limits) (*archiveInfo, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a, err := wsusscn2.Open(f, size, wsusscn2.Options{Spool: diskSpool{os.TempDir()}, Limits: l.archive})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	inv, err := a.Inventory(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, size)); err != nil {
		return nil, err
	}
	_, err = authenticode.OpenCabinetLimits(f, size, l.signature)
	return &archiveInfo{
		PackageID: inv.Package.ID, CreationDate: inv.Package.Created.UTC(), Updates: inv.Revisions, Locations: inv.Locations,
		Layout: string(inv.Layout), Shards: len(inv.Shards), RuleSets: inv.Total.Core, Extended: inv.Total.Extended,
		Localized: inv.Total.Localized, Eulas: inv.Total.Eula, Included: inv.Total.Files, Languages: inv.Languages,
		Size: size, Decoded: inv.Total.Bytes, SHA256: hex.EncodeToString(sum.Sum(nil)), Signature: !errors.Is(err, authenticode.ErrUnsigned),
	}, nil
}

func (i *archiveInfo) print(w io.Writer, now time.Time) error {
	signature := "none"
	if i.Signature {
		signature = `present; check it with "waptserver archive verify"`
	}
	_, err := fmt.Fprintf(w, `package id   %s
created      %s
updates      %d
locations    %d
layout       %s, %d shards
fragments    %d core, %d extended, %d localized, %d eula, %d included files
languages    %d: %s
size         %d bytes, %d decoded
sha256       %s
signature    %s
`, cmp.Or(i.PackageID, notGiven), created(i.CreationDate, now), i.Updates, i.Locations, i.Layout, i.Shards,
		i.RuleSets, i.Extended, i.Localized, i.Eulas, i.Included, len(i.Languages), strings.Join(i.Languages, " "), i.Size, i.Decoded, i.SHA256, signature)
	return err
}

// notGiven stands for what package.xml leaves out.
const notGiven = "not given"

func created(at, now time.Time) string {
	if at.IsZero() {
		return notGiven
	}
	return fmt.Sprintf("%s (%s)", at.Format("2006-01-02 15:04:05 MST"), age(now.Sub(at)))
}

// age says how long ago something was, for people.
func age(d time.Duration) string {
	switch days := int(d.Hours() / 24); {
	case d < 0:
		return "in the future"
	case days >= 730:
		return fmt.Sprintf("%d years ago", days/365)
	case days >= 2:
		return fmt.Sprintf("%d days ago", days)
	}
	return fmt.Sprintf("%d hours ago", int(d.Hours()))
}
