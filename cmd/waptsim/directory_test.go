package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waptwua/internal/filelock"
	"waptwua/internal/fixture"
)

func written(t *testing.T, path string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A directory is made anew unless somebody works in it, and a run that was
// refused leaves it as it was.
func TestPrepare(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	unlock, err := (&demo{dir: dir}).prepare()
	if err != nil {
		t.Fatal(err)
	}
	file := written(t, filepath.Join(dir, "server", "data"))
	refused := func(by string) {
		t.Helper()
		if _, err := (&demo{dir: dir}).prepare(); err == nil || !strings.Contains(err.Error(), "in use by another waptsim") {
			t.Errorf("beside %s: %v", by, err)
		}
		if _, err := os.Stat(file); err != nil {
			t.Errorf("beside %s: %v", by, err)
		}
	}
	refused("another waptsim")
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	orphan, err := filelock.Try(filepath.Join(dir, "server", "lock"))
	if err != nil {
		t.Fatal(err)
	}
	refused("a server that was left")
	if err := orphan.Unlock(); err != nil {
		t.Fatal(err)
	}
	if unlock, err = (&demo{dir: dir}).prepare(); err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, err := os.Stat(file); err == nil {
		t.Errorf("%s is still there", file)
	}
}

func TestPrepareForeign(t *testing.T) {
	dir := t.TempDir()
	file := written(t, filepath.Join(dir, "letter.txt"))
	if _, err := (&demo{dir: dir}).prepare(); err == nil || !strings.Contains(err.Error(), "was not made by waptsim") {
		t.Errorf("a directory of somebody else: %v", err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// An archive that cannot be used is refused before anything is touched.
func TestCheckArchive(t *testing.T) {
	dir := t.TempDir()
	text := written(t, filepath.Join(dir, "text.cab"))
	real := fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab")
	for _, tt := range []struct{ archive, dir, want string }{
		{filepath.Join(dir, "none.cab"), "run", "none.cab"},
		{dir, "run", dir},
		{text, "run", "text.cab: the server would refuse it"},
		{real, filepath.Dir(real), "lies in --dir"},
	} {
		err := (&demo{archive: tt.archive, dir: tt.dir}).checkArchive(t.Context())
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.archive, err, tt.want)
		}
	}
	if err := (&demo{archive: real, dir: dir}).checkArchive(t.Context()); err != nil {
		t.Error(err)
	}
}
