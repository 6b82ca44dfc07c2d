package file

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"waptwua"
	"waptwua/blob"
	"waptwua/blob/blobtest"
)

func TestContract(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return open(t, t.TempDir()) })
}

func TestCopyBetweenFileSystems(t *testing.T) {
	s := open(t, t.TempDir())
	src := filepath.Join(t.TempDir(), "src")
	if err := os.WriteFile(src, []byte("far"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.copyIn(context.Background(), "a", src); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(s.dir, "a")); err != nil || string(b) != "far" {
		t.Fatalf("copied %q, %v", b, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.copyIn(ctx, "b", src); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled copy: %v", err)
	}
	if _, err := s.Stat(context.Background(), "b"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Fatalf("a cancelled copy left something: %v", err)
	}
}

func TestOpenClearsInterruptedCopies(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, ".a.123.tmp")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the interrupted copy is still there: %v", err)
	}
}

func TestLinksDoNotLeadOut(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "link")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if _, _, err := open(t, dir).Open(context.Background(), "link"); err == nil {
		t.Fatal("a link out of the folder was followed")
	}
}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
