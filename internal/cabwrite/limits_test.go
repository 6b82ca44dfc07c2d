package cabwrite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"waptwua"
)

func TestOptionLimits(t *testing.T) {
	for _, c := range []struct {
		name string
		opt  Options
		text string
	}{
		{"header reserve", Options{HeaderReserve: make([]byte, 60001)}, "header reserve of 60001 bytes"},
		{"folder reserve", Options{FolderReserve: make([]byte, 256)}, "folder reserve of 256 bytes"},
		{"data reserve", Options{DataReserve: 256}, "data reserve of 256 bytes"},
		{"window", Options{Compression: LZX, Window: 22}, "window of 22 bits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewWriter(io.Discard, c.opt)
			if !errors.Is(err, waptwua.ErrLimit) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want a limit error about %q", err, c.text)
			}
		})
	}
	if _, err := NewWriter(io.Discard, Options{Compression: 7}); err == nil {
		t.Error("compression 7 is accepted")
	}
}

func TestNameLimits(t *testing.T) {
	for _, name := range []string{"", "a\x00b", strings.Repeat("n", 256)} {
		t.Run(fmt.Sprintf("%.10q", name), func(t *testing.T) {
			w := newWriter(t, io.Discard, Options{})
			if _, err := w.Create(name, day, 0); err == nil {
				t.Error("no error")
			}
			if _, err := w.Create("good", day, 0); err != nil {
				t.Errorf("the next name: %v", err)
			}
		})
	}
}

func TestFileLimit(t *testing.T) {
	var b bytes.Buffer
	w := newWriter(t, &b, Options{})
	for i := range maxFiles {
		if _, err := w.Create(fmt.Sprint(i), day, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Create("one more", day, 0); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("got %v, want a limit error", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := readFolders(b.Bytes()); err != nil || len(got) != maxFiles {
		t.Errorf("%d files, %v; want %d", len(got), err, maxFiles)
	}
}

// nothing swallows records, so that large folders cost no memory.
type nothing struct{}

func (nothing) group() int                                       { return 1 }
func (nothing) frames(_ []byte, _ func([]byte, int) error) error { return nil }

func TestFolderLimit(t *testing.T) {
	w := newWriter(t, io.Discard, Options{})
	f, err := w.Create("large", day, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.folders[0].stream = nothing{}
	w.folders[0].size = maxRecords*frameSize - 5
	n, err := f.Write(make([]byte, 6))
	if n != 5 || !errors.Is(err, waptwua.ErrLimit) || !strings.Contains(err.Error(), `"large"`) {
		t.Errorf("wrote %d, %v; want 5 and a limit error that names the file", n, err)
	}
	if closeErr := w.Close(); !errors.Is(closeErr, waptwua.ErrLimit) {
		t.Errorf("Close returns %v, want the error before", closeErr)
	}
}

func TestCabinetLimit(t *testing.T) {
	t.Run("in the spool", func(t *testing.T) {
		w := newWriter(t, io.Discard, Options{})
		w.spool.size = maxSize - 5
		f, err := w.Create("last", day, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = f.Write(make([]byte, frameSize)); !errors.Is(err, waptwua.ErrLimit) {
			t.Errorf("got %v, want a limit error", err)
		}
	})
	t.Run("with the header", func(t *testing.T) {
		w := newWriter(t, io.Discard, Options{})
		add(t, w, member{name: "empty"})
		w.spool.size = maxSize - 5
		if err := w.Close(); !errors.Is(err, waptwua.ErrLimit) {
			t.Errorf("got %v, want a limit error", err)
		}
	})
}

func TestWriteAfterTheFile(t *testing.T) {
	w := newWriter(t, io.Discard, Options{})
	first, err := w.Create("first", day, 0)
	if err != nil {
		t.Fatal(err)
	}
	add(t, w, member{"second", []byte("2")})
	if _, err := first.Write([]byte("1")); err == nil {
		t.Error("the first file can be written after the second was begun")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Create("third", day, 0); err == nil {
		t.Error("a file can be added after Close")
	}
	if err := w.NextFolder(LZX, 0); err == nil {
		t.Error("a folder can be added after Close")
	}
	if err := w.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

// A spool beyond a megabyte is a file, which is gone in the end.
func TestSpoolFile(t *testing.T) {
	dir := t.TempDir()
	members := []member{{"noise", noise(rand.New(rand.NewPCG(9, 9)), 3<<20)}}
	files := func() int {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	var b bytes.Buffer
	w := newWriter(t, &b, Options{SpoolDir: dir})
	add(t, w, members[0])
	if n := files(); n != 1 {
		t.Errorf("%d spool files while writing, want 1", n)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := files(); n != 0 {
		t.Errorf("%d spool files after Close, want none", n)
	}
	checkReaders(t, b.Bytes(), members)
}

// full is a writer without room.
type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestOutputError(t *testing.T) {
	dir := t.TempDir()
	w := newWriter(t, full{}, Options{SpoolDir: dir})
	add(t, w, member{"noise", noise(rand.New(rand.NewPCG(9, 9)), 3<<20)})
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("got %v, want the writer's error", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("%d spool files left, %v", len(entries), err)
	}
}

func TestSpoolError(t *testing.T) {
	w := newWriter(t, io.Discard, Options{SpoolDir: t.TempDir() + "/missing"})
	f, err := w.Create("noise", day, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(make([]byte, 3<<20))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that the folder does not exist", err)
	}
	if closeErr := w.Close(); !errors.Is(closeErr, os.ErrNotExist) {
		t.Errorf("Close returns %v, want the error before", closeErr)
	}
}

func TestNoFiles(t *testing.T) {
	var b bytes.Buffer
	w := newWriter(t, &b, Options{})
	if err := w.Close(); err == nil || b.Len() > 0 {
		t.Errorf("got %v and %d bytes, want an error and none", err, b.Len())
	}
}
