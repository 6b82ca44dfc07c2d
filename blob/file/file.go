// Package file keeps blobs in one flat folder of the local file system, as
// web servers and replicas can serve it: every stored file lies there under
// its name. Names that begin with a dot are the package's own (files on
// their way in) and are removed by Open when left behind.
package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"waptwua"
	"waptwua/blob"
	"waptwua/internal/atomicfile"
)

// Store is a blob.Store in a folder.
type Store struct {
	dir  string
	root *os.Root
}

var _ blob.Store = (*Store)(nil)

// Open opens the folder dir, making it if needed, and clears what an
// interrupted Take left.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("folder for stored files: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("folder for stored files: %w", err)
	}
	if err := atomicfile.Sweep(dir); err != nil {
		root.Close()
		return nil, fmt.Errorf("clearing interrupted copies: %w", err)
	}
	return &Store{dir: dir, root: root}, nil
}

// Close releases the folder; open files stay readable.
func (s *Store) Close() error { return s.root.Close() }

// Stat implements blob.Opener.
func (s *Store) Stat(_ context.Context, name string) (blob.Info, error) {
	if err := blob.ValidName(name); err != nil {
		return blob.Info{}, err
	}
	fi, err := s.root.Lstat(name)
	return info(name, fi, err)
}

// Open implements blob.Opener.
func (s *Store) Open(_ context.Context, name string) (blob.File, blob.Info, error) {
	if err := blob.ValidName(name); err != nil {
		return nil, blob.Info{}, err
	}
	f, err := s.root.Open(name)
	if err != nil {
		_, err := info(name, nil, err)
		return nil, blob.Info{}, err
	}
	fi, err := f.Stat()
	bi, err := info(name, fi, err)
	if err != nil {
		f.Close()
		return nil, blob.Info{}, err
	}
	return f, bi, nil
}

func info(name string, fi fs.FileInfo, err error) (blob.Info, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return blob.Info{}, fmt.Errorf("stored file %s: %w", name, waptwua.ErrNotFound)
	}
	if err != nil {
		return blob.Info{}, fmt.Errorf("stored file %s: %w", name, err)
	}
	if !fi.Mode().IsRegular() {
		return blob.Info{}, fmt.Errorf("stored file %s is not a regular file: %w", name, waptwua.ErrNotFound)
	}
	return blob.Info{Name: name, Size: fi.Size(), Modified: fi.ModTime()}, nil
}

// Take implements blob.Keeper. A path on another file system is copied.
func (s *Store) Take(ctx context.Context, name, path string) error {
	if err := blob.ValidName(name); err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("storing %s: %w", name, err)
	}
	if atomicfile.Move(path, filepath.Join(s.dir, name)) == nil {
		return nil
	}
	if err := s.copyIn(ctx, name, path); err != nil {
		return fmt.Errorf("storing %s: %w", name, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("storing %s: removing the source: %w", name, err)
	}
	return nil
}

func (s *Store) copyIn(ctx context.Context, name, path string) error {
	src, err := os.Open(path)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := atomicfile.Create(filepath.Join(s.dir, name), 0o644)
	if err != nil {
		return err
	}
	defer dst.Close()
	if _, err := io.Copy(dst, &contextReader{ctx, src}); err != nil {
		return err
	}
	return dst.Commit()
}

// Put implements blob.Keeper.
func (s *Store) Put(_ context.Context, name string, content []byte) error {
	if err := blob.ValidName(name); err != nil {
		return err
	}
	if err := atomicfile.WriteFile(filepath.Join(s.dir, name), content, 0o644); err != nil {
		return fmt.Errorf("storing %s: %w", name, err)
	}
	return nil
}

// Remove implements blob.Keeper.
func (s *Store) Remove(_ context.Context, name string) error {
	if err := blob.ValidName(name); err != nil {
		return err
	}
	if err := atomicfile.Remove(filepath.Join(s.dir, name)); err != nil {
		return fmt.Errorf("stored file %s: %w", name, err)
	}
	return nil
}

// List implements blob.Lister.
func (s *Store) List(ctx context.Context, visit func(blob.Info) error) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("listing stored files: %w", err)
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		bi, err := s.Stat(ctx, e.Name())
		if errors.Is(err, waptwua.ErrNotFound) {
			continue // removed meanwhile, or not ours
		}
		if err != nil {
			return err
		}
		if err := visit(bi); err != nil {
			return err
		}
	}
	return nil
}

// contextReader ends a long copy when the context ends.
type contextReader struct {
	ctx context.Context //nolint:containedctx // lives for one copy
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
