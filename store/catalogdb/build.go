package catalogdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"waptwua"
	"waptwua/catalog"
	"waptwua/internal/atomicfile"
	"waptwua/internal/filelock"
	"waptwua/wsusscn2"
)

// BuildOptions say how a catalogue is built. The zero value is good.
type BuildOptions struct {
	Languages []string // of titles, the best first; English is added at the end
	// Base is the path of an older catalogue, whose rows are taken over for
	// unchanged shards; "": none. One that cannot serve (missing, damaged,
	// of another version, with other languages) is left out; Report says why.
	Base     string
	Archive  waptwua.SHA256               // of the archive, for Catalogue.Archive; zero: not known
	Workers  int                          // shards decoded at the same time; 0: one for each processor
	Progress func(shardsDone, shards int) // may be nil; not called concurrently
}

// Report says what a build did.
type Report struct {
	Shards     int           `json:"shards"`
	Kept       int           `json:"kept"`                // of these, taken over from the base
	Revisions  int           `json:"revisions"`           // nodes of the graph
	Rows       int           `json:"rows"`                // revisions with fragments
	Bytes      int64         `json:"bytes"`               // of the file
	BaseLeft   string        `json:"base_left,omitempty"` // why the base was not used
	Decoding   time.Duration `json:"-"`                   // until the last shard was read
	Assembling time.Duration `json:"-"`                   // from then on
}

// Build makes a catalogue of the archive and gives it the name path. What had
// the name before stays whole until then, and for those who have it open
// beyond.
func Build(ctx context.Context, a *wsusscn2.Archive, path string, o BuildOptions) (Report, error) {
	r, err := buildFile(ctx, a, path, o)
	if err != nil {
		return r, fmt.Errorf("building the catalogue %s: %w", path, err)
	}
	return r, nil
}

func buildFile(ctx context.Context, a *wsusscn2.Archive, path string, o BuildOptions) (r Report, err error) {
	lock, err := filelock.Try(lockFile(path))
	if errors.Is(err, filelock.ErrLocked) {
		return r, fmt.Errorf("another build of this file is running: %w", waptwua.ErrConflict)
	}
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if err := sweep(path); err != nil {
		return r, err
	}
	f, err := atomicfile.Create(path, 0o644)
	if err != nil {
		return r, err
	}
	defer f.Close()
	r, err = build(ctx, a, f.File, o)
	if err != nil && o.Base != "" && r.BaseLeft == "" && ctx.Err() == nil {
		r, err = withoutBase(ctx, a, f.File, o, err)
	}
	if err != nil {
		return r, err
	}
	if info, err := os.Stat(f.Name()); err == nil {
		r.Bytes = info.Size()
	}
	return r, f.Commit()
}

// withoutBase builds anew where a build on a base failed: a base that is
// damaged inside must not keep newer archives away. What fails again was no
// fault of the base.
func withoutBase(ctx context.Context, a *wsusscn2.Archive, f *os.File, o BuildOptions, failed error) (Report, error) {
	if err := f.Truncate(0); err != nil {
		return Report{}, errors.Join(failed, err)
	}
	o.Base = ""
	r, err := build(ctx, a, f, o)
	r.BaseLeft = failed.Error()
	return r, err
}

func lockFile(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".lock")
}

// Remove removes a catalogue and the lock that its build left. Nobody may be
// building it. A file that is not there is no error.
func Remove(path string) error {
	for _, name := range []string{path, lockFile(path)} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing a catalogue: %w", err)
		}
	}
	return nil
}

// sweep removes what a killed build of the same file left.
func sweep(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+filepath.Base(path)+".") && strings.HasSuffix(e.Name(), ".tmp") {
			err = errors.Join(err, os.Remove(filepath.Join(filepath.Dir(path), e.Name())))
		}
	}
	return err
}

func (o BuildOptions) withDefaults() BuildOptions {
	o.Languages = slices.Clone(o.Languages)
	for i, l := range o.Languages {
		o.Languages[i] = strings.ToLower(l)
	}
	if !slices.Contains(o.Languages, "en") {
		o.Languages = append(o.Languages, "en")
	}
	if o.Workers <= 0 {
		o.Workers = runtime.NumCPU()
	}
	return o
}

// build fills the new file.
func build(ctx context.Context, a *wsusscn2.Archive, f *os.File, o BuildOptions) (Report, error) {
	o = o.withDefaults()
	base, why := openBase(ctx, o)
	b := &builder{archive: a, options: o, base: base, file: f, graph: catalog.NewBuilder(catalog.Options{Expect: min(base.expected(), a.Limits().Revisions)})}
	b.report.BaseLeft = why
	err := b.run(ctx)
	switch {
	case b.writer == nil:
		return b.report, err
	case err != nil:
		return b.report, errors.Join(err, b.writer.abort())
	}
	return b.report, b.writer.close(ctx)
}
