package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waptwua/internal/cmdline"
	"waptwua/internal/hugepages"
	"waptwua/store/catalogdb"
	"waptwua/wsusscn2"
)

// buildMemory is how much memory, in bytes, a build aims to stay within, by
// collecting garbage more often. It is no limit: an archive with larger shards
// or fragments takes what it needs.
const buildMemory = 384 << 20

// boundMemory has the process stay within buildMemory above what it uses
// already, until the function that it returns is called. GOMEMLIMIT in the
// environment wins.
func boundMemory() (release func()) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := debug.SetMemoryLimit(int64(m.HeapAlloc) + buildMemory)
	return func() { debug.SetMemoryLimit(before) }
}

type catalogBuild struct {
	out, base string
	languages []string
	full      bool
	asJSON    bool
	limits    *limits
}

func newCatalogBuildCommand(l *limits) *cobra.Command {
	b := catalogBuild{limits: l}
	cmd := &cobra.Command{
		Use:   "build FILE",
		Short: "Make a catalogue of a scan archive: one file that answers at once",
		Long: `Reads a scan archive once and writes its catalogue: one SQLite file with titles,
KB numbers, severities, products, CVEs, files with addresses and digests,
supersedence and applicability rules of all updates.

The new file replaces an old one only when it is complete; whoever reads the
old one goes on reading it. Parts of the archive that have not changed since
the old catalogue was built are taken from it instead of being decoded again,
unless --full is given; --base names another catalogue to take them from. What
is taken was read within the limits of that build, so that with --limit nothing
is taken unless --base asks for it. A file of the name that is no catalogue is
not replaced.

Exit status: 0 when the catalogue was built; 1 when not, and the old one stays.`,
		Example: `  waptserver catalog build wsusscn2.cab
  waptserver catalog build wsusscn2.cab --out catalogue.sqlite --languages fr,en
  waptserver catalog build wsusscn2.cab --out 2026-11.sqlite --base 2026-10.sqlite`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return b.run(cmd.Context(), args[0], cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.out, "out", "", "the catalogue `FILE`; default: that of the archive with the ending .sqlite")
	f.StringVar(&b.base, "base", "", "an older catalogue `FILE` to take unchanged parts from; default: the one that is replaced")
	f.StringSliceVar(&b.languages, "languages", []string{"en"}, "languages of titles, the best first; English is always kept")
	f.BoolVar(&b.full, "full", false, "take nothing from an older catalogue")
	f.BoolVar(&b.asJSON, "json", false, "print JSON")
	cmdline.Exclusive(f, "base", "full")
	return cmd
}

func (b *catalogBuild) run(ctx context.Context, archive string, out io.Writer) error {
	if b.out == "" {
		b.out = strings.TrimSuffix(archive, filepath.Ext(archive)) + ".sqlite"
	}
	old, err := replaceable(b.out)
	if err != nil {
		return err
	}
	left := ""
	switch {
	case !old || b.base != "" || b.full:
	case b.limits.given:
		left = "it was not read within these limits; --base takes it as it is"
	default:
		b.base = b.out
	}
	hugepages.Prepare(buildMemory)
	defer boundMemory()()
	start := time.Now()
	r, err := b.build(ctx, archive)
	if err != nil {
		return err
	}
	r.BaseLeft = cmp.Or(r.BaseLeft, left)
	built := builtJSON{b.out, time.Since(start).Seconds(), r}
	if b.asJSON {
		return printJSON(out, built)
	}
	return built.print(out, b.base != "")
}

func (b *catalogBuild) build(ctx context.Context, archive string) (catalogdb.Report, error) {
	f, size, err := openRegular(archive)
	if err != nil {
		return catalogdb.Report{}, err
	}
	defer f.Close()
	a, err := wsusscn2.Open(f, size, wsusscn2.Options{Spool: diskSpool{filepath.Dir(b.out)}, Limits: b.limits.archive})
	if err != nil {
		return catalogdb.Report{}, fmt.Errorf("%s: %w", archive, err)
	}
	return catalogdb.Build(ctx, a, b.out, catalogdb.BuildOptions{Languages: b.languages, Base: b.base})
}

// replaceable tells whether there is an older catalogue of the name, of
// whatever version. A file that is neither a catalogue nor empty is not to be
// replaced.
func replaceable(path string) (old bool, err error) {
	f, size, err := openRegular(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("--out: %w", err)
	}
	defer f.Close()
	var head [72]byte
	if _, err := f.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("--out: %w", err)
	}
	const idAt = 68 // of the application id in the header of a SQLite file
	old = bytes.HasPrefix(head[:], []byte(sqliteMagic)) && binary.BigEndian.Uint32(head[idAt:]) == catalogdb.ApplicationID
	if !old && size > 0 {
		return false, fmt.Errorf("--out %s: a file of this name is there and is no catalogue; remove it, or choose another name", path)
	}
	return old, nil
}

type builtJSON struct {
	Catalogue string  `json:"catalogue"`
	Seconds   float64 `json:"seconds"`
	catalogdb.Report
}

func (b builtJSON) print(out io.Writer, onBase bool) error {
	shards := fmt.Sprintf("%d shards", b.Shards)
	if onBase && b.BaseLeft == "" {
		shards = fmt.Sprintf("%d of %d shards were unchanged", b.Kept, b.Shards)
	}
	_, err := fmt.Fprintf(out, "%s: %d updates, %s, in %.1f s; %s.\n", b.Catalogue, b.Revisions, byteSize(b.Bytes), b.Seconds, shards)
	if b.BaseLeft != "" && err == nil {
		_, err = fmt.Fprintf(out, "Nothing was taken from the older catalogue: %s.\n", b.BaseLeft)
	}
	return err
}
