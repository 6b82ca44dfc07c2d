//go:build !windows

package local

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waptwua"
)

func TestSocketModes(t *testing.T) {
	s := serve(t)
	for name, want := range map[string]os.FileMode{adminSocket: 0o600, userSocket: 0o666} {
		fi, err := os.Stat(filepath.Join(s.dir, name))
		if err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", name, fi.Mode().Perm(), err, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, ".s*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, _, err := Listen(s.dir); err == nil {
		t.Error("a second service took the socket away")
	}
}

func TestSocketOfAKilledService(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, adminSocket), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a, u, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	u.Close()
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSocketPathTooLong(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("x", maxSocket))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Listen(dir); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("%v", err)
	}
}
