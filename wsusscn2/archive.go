package wsusscn2

import (
	"context"
	"io"
	"path"
	"strings"
	"sync"

	"waptwua/cab"
)

// Layout is the way an archive arranges its content.
type Layout string

// The layouts; the package comment describes them.
const (
	Sharded Layout = "sharded"
	Single  Layout = "single"
)

const (
	indexName   = "index.xml"
	packageName = "package.cab"
	graphName   = "package.xml"
	outerName   = "the archive" // in errors about the outer cabinet
)

// Options of Open. The zero value reads every archive whose inner cabinets
// fit into Limits.MemoryBytes.
type Options struct {
	Limits Limits
	Spool  Spool // nil: an inner cabinet larger than Limits.MemoryBytes is an error
}

// Spool keeps an inner cabinet that is too large for memory while it is
// read, on disk for example.
type Spool interface {
	// Create returns an empty SpoolFile that will hold size bytes of the
	// inner cabinet name.
	Create(name string, size int64) (SpoolFile, error)
}

// SpoolFile is written once from the start, then read at random, then
// closed; closing it gives its space back.
type SpoolFile interface {
	io.Writer
	io.ReaderAt
	io.Closer
}

// Archive is an offline scan archive. Its methods may be called by several
// goroutines at the same time; each call makes its own pass.
type Archive struct {
	cabinet *cab.Reader
	files   map[string]*cab.File // top-level files, by name in lower case
	layout  Layout
	opt     Options
	buffers buffers // of inner cabinets that were closed

	mu    sync.Mutex
	index *Index // once it has been read
}

// Open reads the directory of the archive of size bytes in r and tells its
// layout; it decodes nothing. r must stay readable as long as the Archive is
// used. An archive of neither layout gives an error that wraps ErrFormat.
func Open(r io.ReaderAt, size int64, opt Options) (*Archive, error) {
	opt.Limits = opt.Limits.withDefaults()
	c, err := cab.NewReaderLimits(r, size, opt.Limits.Cabinet)
	if err != nil {
		return nil, inCabinet(outerName, err)
	}
	a := &Archive{cabinet: c, opt: opt, files: make(map[string]*cab.File), layout: Single}
	for _, f := range c.Files {
		key := strings.ToLower(f.Name)
		if a.files[key] != nil {
			return nil, formatError(f.Name, "a second file of this name")
		}
		a.files[key] = f
		if f.Size <= opt.Limits.MemoryBytes {
			a.buffers.largest = max(a.buffers.largest, f.Size)
		}
	}
	if a.files[indexName] != nil {
		a.layout = Sharded
	}
	if a.layout == Single && a.files[packageName] == nil {
		return nil, formatError("", "neither %s nor %s among the %d files of the cabinet", indexName, packageName, len(c.Files))
	}
	return a, nil
}

// Limits are those that the archive is read with, none of them zero.
func (a *Archive) Limits() Limits { return a.opt.Limits }

// Layout tells how the archive is arranged.
func (a *Archive) Layout() Layout { return a.layout }

// Index returns the list of inner cabinets. The first call decodes index.xml
// and what lies before it in its folder. An archive of layout Single has one
// shard, package.cab, for all revisions.
func (a *Archive) Index(ctx context.Context) (Index, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.index != nil {
		return *a.index, nil
	}
	ix := singleIndex()
	if a.layout == Sharded {
		var err error
		if ix, err = a.readIndex(ctx); err != nil {
			return Index{}, err
		}
	}
	a.index = &ix
	return ix, nil
}

func (a *Archive) readIndex(ctx context.Context) (ix Index, err error) {
	file := a.files[indexName]
	if file.Size > a.opt.Limits.IndexBytes {
		return ix, tooLarge(file.Name, "an index", file, a.opt.Limits.IndexBytes)
	}
	err = walk(ctx, outerName, a.cabinet, only(file), func(f *cab.File, r *cab.FolderReader) error {
		ix, err = readIndex(r, a.opt.Limits)
		return at(f.Name, err)
	})
	return ix, err
}

// Head returns the head of package.xml: identity and date of the archive. It
// decodes no more than it needs for that.
func (a *Archive) Head(ctx context.Context) (Package, error) {
	return a.Package(ctx, PackageVisitor{})
}

// Package streams package.xml to v and returns its head; see PackageVisitor
// for how to end early. Errors of v come back unwrapped by errors.Is.
func (a *Archive) Package(ctx context.Context, v PackageVisitor) (head Package, err error) {
	ix, err := a.Index(ctx)
	if err != nil {
		return Package{}, err
	}
	err = a.inner(ctx, ix.Package, func(s *Shard) error {
		defer s.Close()
		head, err = s.readPackage(ctx, v)
		return err
	})
	return head, err
}

// inner calls visit with one inner cabinet, which visit must close.
func (a *Archive) inner(ctx context.Context, name string, visit func(*Shard) error) error {
	file := a.files[strings.ToLower(name)]
	if file == nil {
		return formatError(name, "%s names this cabinet, but the archive does not hold it", indexName)
	}
	return walk(ctx, outerName, a.cabinet, only(file), func(f *cab.File, r *cab.FolderReader) error {
		s, err := a.load(ctx, f, r)
		if err != nil {
			return err
		}
		return visit(s)
	})
}

// readPackage streams the package.xml of the inner cabinet s.
func (s *Shard) readPackage(ctx context.Context, v PackageVisitor) (head Package, err error) {
	where := path.Join(s.Name, graphName)
	if err := s.open(); err != nil {
		return Package{}, err
	}
	isGraph := func(f *cab.File) bool { return strings.EqualFold(f.Name, graphName) }
	found := false
	err = walk(ctx, s.Name, s.cabinet, isGraph, func(_ *cab.File, r *cab.FolderReader) error {
		if found {
			return formatError(where, "a second file of this name")
		}
		found = true
		head, err = ReadPackage(ctx, r, v, s.archive.opt.Limits)
		return at(where, err)
	})
	if err == nil && !found {
		err = formatError(where, "the inner cabinet does not hold this file")
	}
	return head, err
}

// walk calls visit for every wanted file of the cabinet c, folder by folder
// in stored order. It decodes only folders that hold a wanted file, each of
// them once and no further than its last wanted file. Errors of the cabinet
// are given the path where; those of visit come back as they are.
func walk(ctx context.Context, where string, c *cab.Reader, want func(*cab.File) bool, visit func(*cab.File, *cab.FolderReader) error) error {
	var wanted []bool // by place in the folder
	for _, folder := range c.Folders {
		end := 0 // behind the last wanted file
		wanted = wanted[:0]
		for i, f := range folder.Files {
			if wanted = append(wanted, want(f)); wanted[i] {
				end = i + 1
			}
		}
		if end == 0 {
			continue
		}
		if err := walkFolder(ctx, where, folder, wanted[:end], visit); err != nil {
			return err
		}
	}
	return nil
}

func walkFolder(ctx context.Context, where string, folder *cab.Folder, wanted []bool, visit func(*cab.File, *cab.FolderReader) error) error {
	r, err := folder.Open()
	if err != nil {
		return inCabinet(where, err)
	}
	defer r.Close()
	for _, this := range wanted {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := r.Next()
		if err != nil {
			return inCabinet(where, err)
		}
		if !this {
			continue
		}
		if err := visit(f, r); err != nil {
			return err
		}
	}
	return nil
}

func only(file *cab.File) func(*cab.File) bool {
	return func(f *cab.File) bool { return f == file }
}
