// Package logfile writes a log into files that never take more than a fixed
// room.
//
// The newest lines are in NAME; when it has reached its size it becomes
// NAME.1, NAME.1 becomes NAME.2, and so on; what would get a number above
// Options.Count is removed. A line is never divided. A file that another
// program holds open, so that it cannot be renamed (on Windows), grows until
// it can be: no line is lost for it. Files are readable by their owner only.
//
// One process at a time may write. Nothing runs in the background.
package logfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// Options say how much is kept.
type Options struct {
	Size  int64 // of one file, in bytes; at least one line is written in any case
	Count int   // older files that are kept besides the current one
}

// File is a log that is open. It is safe for concurrent use.
type File struct {
	path string
	opt  Options

	mu   sync.Mutex
	f    *os.File
	size int64
}

// Open continues the log at path; its folder is made when it is missing.
func Open(path string, o Options) (*File, error) {
	l := &File{path: path, opt: o}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	if err := l.open(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *File) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	fi, err := f.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("opening the log: %w", err), f.Close())
	}
	l.f, l.size = f, fi.Size()
	return nil
}

// Write appends one line.
func (l *File) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return 0, fs.ErrClosed
	}
	if l.size > 0 && l.size+int64(len(line)) > l.opt.Size {
		if err := l.rotate(); err != nil {
			return 0, err
		}
	}
	n, err := l.f.Write(line)
	l.size += int64(n)
	return n, err
}

// rotate begins a new file. When the names cannot be moved up, the log goes
// on in the old one.
func (l *File) rotate() error {
	err := l.f.Close()
	l.f = nil
	if err != nil {
		return fmt.Errorf("closing the log: %w", err)
	}
	if l.opt.Count <= 0 {
		_ = os.Remove(l.path) // else it grows
		return l.open()
	}
	for n := l.opt.Count; n > 0; n-- {
		if err := os.Rename(l.numbered(n-1), l.numbered(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return l.open()
}

// numbered is the name of the n-th older file; 0 is the current one.
func (l *File) numbered(n int) string {
	if n == 0 {
		return l.path
	}
	return l.path + "." + strconv.Itoa(n)
}

// Close ends the log. A second call does nothing.
func (l *File) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	err := l.f.Close()
	l.f = nil
	return err
}
