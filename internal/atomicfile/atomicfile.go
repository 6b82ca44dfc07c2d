// Package atomicfile replaces files so that a reader, a crash or a power
// cut sees either the old content or the new, never a part of either.
//
// New content goes to a temporary file in the same folder, is flushed to
// the disk, and takes the name by one rename; on systems that need it the
// folder is flushed too, so that the rename survives a power cut. A crash
// before the rename leaves the old file and a temporary one, named
// ".NAME.*.tmp", which [Sweep] removes at the next start.
//
// Permissions are set before the first byte is written: a private key is at
// no moment readable by others. On Windows permissions are those of the
// folder; only the read-only bit follows perm.
//
// Not promised: an order between two files, or a lock between two writers
// (the last rename wins, with whole content).
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const suffix = ".tmp"

// WriteFile makes content the content of path, with permissions perm.
func WriteFile(path string, content []byte, perm fs.FileMode) error {
	f, err := Create(path, perm)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return f.Commit()
}

// File is new content on its way to a name. Write to it, then Commit; Close
// without Commit discards it.
type File struct {
	*os.File
	path string
	done bool // committed or discarded
}

// Create opens new content for path. The caller calls Close in any case.
func Create(path string, perm fs.FileMode) (*File, error) {
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	t, err := os.CreateTemp(dir, "."+name+".*"+suffix)
	if err != nil {
		return nil, fmt.Errorf("creating a temporary file for %s: %w", path, err)
	}
	f := &File{File: t, path: path}
	if err := t.Chmod(perm); err != nil {
		return nil, errors.Join(fmt.Errorf("setting permissions of %s: %w", path, err), f.Close())
	}
	return f, nil
}

// Commit flushes the content and gives it its name. After an error the old
// file is unchanged.
func (f *File) Commit() error {
	if f.done {
		return fmt.Errorf("committing %s: %w", f.path, fs.ErrClosed)
	}
	if err := f.commit(); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", f.path, err), f.Close())
	}
	return nil
}

func (f *File) commit() error {
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.File.Close(); err != nil {
		return err
	}
	if err := replace(f.Name(), f.path); err != nil {
		return err
	}
	f.done = true
	return syncDir(filepath.Dir(f.path))
}

// Close discards content that was not committed. It may be called again.
func (f *File) Close() error {
	if f.done {
		return nil
	}
	f.done = true
	err := f.File.Close()
	if errors.Is(err, fs.ErrClosed) {
		err = nil
	}
	return errors.Join(err, os.Remove(f.Name()))
}

// Sweep removes what writers left in dir when they were killed. Call it
// when no other writer is at work there.
func Sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("looking for temporary files: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(e.Name(), suffix) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
