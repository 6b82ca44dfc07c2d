package main

import (
	"context"
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
unless --full is given; --base names another catalogue to take them from.

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
	if _, err := os.Stat(b.out); err == nil && b.base == "" && !b.full {
		b.base = b.out
	}
	defer boundMemory()()
	start := time.Now()
	r, err := b.build(ctx, archive)
	if err != nil {
		return err
	}
	built := builtJSON{b.out, time.Since(start).Seconds(), r}
	if b.asJSON {
		return printJSON(out, built)
	}
	return built.print(out)
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
	if same, err := sameFile(archive, b.out); err != nil || same {
		return catalogdb.Report{}, errors.Join(err, fmt.Errorf("--out %s is the archive itself", b.out))
	}
	return catalogdb.Build(ctx, a, b.out, catalogdb.BuildOptions{Languages: b.languages, Base: b.base})
}

// sameFile tells whether two names mean one file; a missing one means none.
func sameFile(a, b string) (bool, error) {
	x, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	y, err := os.Stat(b)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(x, y), err
}

type builtJSON struct {
	Catalogue string  `json:"catalogue"`
	Seconds   float64 `json:"seconds"`
	catalogdb.Report
}

func (b builtJSON) print(out io.Writer) error {
	_, err := fmt.Fprintf(out, "%s: %d updates, %s, in %.1f s; %d of %d shards were unchanged.\n",
		b.Catalogue, b.Revisions, byteSize(b.Bytes), b.Seconds, b.Kept, b.Shards)
	if b.BaseLeft != "" && err == nil {
		_, err = fmt.Fprintf(out, "Nothing was taken from the older catalogue: %s.\n", b.BaseLeft)
	}
	return err
}
