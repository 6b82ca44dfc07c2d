// Package blobtest is the contract of blob.Store as tests: every
// implementation passes Run. Imported by tests only.
package blobtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"waptwua"
	"waptwua/blob"
)

// Run tests the stores that open returns; each call of open gives an empty one.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	for name, test := range map[string]func(*testing.T, blob.Store){
		"missing":       missing,
		"take":          take,
		"take replaces": takeReplaces,
		"take nothing":  takeNothing,
		"put":           put,
		"remove":        remove,
		"list":          list,
		"bad names":     badNames,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func missing(t *testing.T, s blob.Store) {
	ctx := context.Background()
	if _, err := s.Stat(ctx, "nothing"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("Stat: %v, want ErrNotFound", err)
	}
	if _, _, err := s.Open(ctx, "nothing"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("Open: %v, want ErrNotFound", err)
	}
}

func take(t *testing.T, s blob.Store) {
	path := local(t, "content")
	if err := s.Take(context.Background(), "a.cab", path); err != nil {
		t.Fatal(err)
	}
	if got := read(t, s, "a.cab"); got != "content" {
		t.Errorf("stored %q", got)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the source is still there: %v", err)
	}
}

func takeReplaces(t *testing.T, s blob.Store) {
	ctx := context.Background()
	if err := s.Take(ctx, "a", local(t, "old")); err != nil {
		t.Fatal(err)
	}
	f, _, err := s.Open(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := s.Take(ctx, "a", local(t, "new!")); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); err != nil || string(b) != "old" {
		t.Errorf("a reader of the replaced file read %q, %v; want old", b, err)
	}
	if got := read(t, s, "a"); got != "new!" {
		t.Errorf("stored %q, want new!", got)
	}
}

func takeNothing(t *testing.T, s blob.Store) {
	ctx := context.Background()
	if err := s.Put(ctx, "a", []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := s.Take(ctx, "a", filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("taking a file that is not there gave no error")
	}
	if got := read(t, s, "a"); got != "old" {
		t.Errorf("stored %q after a failed Take, want old", got)
	}
}

func put(t *testing.T, s blob.Store) {
	ctx := context.Background()
	for _, content := range []string{"one", "", "three"} {
		if err := s.Put(ctx, "x.json", []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, s, "x.json"); got != content {
			t.Errorf("stored %q, want %q", got, content)
		}
	}
	bi, err := s.Stat(ctx, "x.json")
	if err != nil || bi.Name != "x.json" || bi.Size != 5 || bi.Modified.IsZero() {
		t.Errorf("Stat: %+v, %v", bi, err)
	}
}

func remove(t *testing.T, s blob.Store) {
	ctx := context.Background()
	if err := s.Put(ctx, "a", nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Remove(ctx, "a"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Stat(ctx, "a"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("Stat after Remove: %v", err)
	}
}

func list(t *testing.T, s blob.Store) {
	ctx := context.Background()
	var want []string
	for i := range 5 {
		name := fmt.Sprintf("f%d", i)
		want = append(want, name)
		if err := s.Put(ctx, name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	visit := func(bi blob.Info) error { got = append(got, bi.Name); return nil }
	if err := s.List(ctx, visit); err != nil || !slices.Equal(got, want) {
		t.Errorf("List gave %v, %v; want %v", got, err, want)
	}
	stop := errors.New("stop")
	if err := s.List(ctx, func(blob.Info) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("List did not end with the visitor's error: %v", err)
	}
}

func badNames(t *testing.T, s blob.Store) {
	ctx := context.Background()
	for _, name := range []string{"", ".", "..", "../x", "a/b", `a\b`, ".hidden", "a:b", "a b", "é", "a\x00"} {
		if err := s.Put(ctx, name, nil); !errors.Is(err, waptwua.ErrNotFound) {
			t.Errorf("Put(%q): %v", name, err)
		}
		if err := s.Take(ctx, name, local(t, "x")); !errors.Is(err, waptwua.ErrNotFound) {
			t.Errorf("Take(%q): %v", name, err)
		}
		if _, _, err := s.Open(ctx, name); !errors.Is(err, waptwua.ErrNotFound) {
			t.Errorf("Open(%q): %v", name, err)
		}
		if err := s.Remove(ctx, name); !errors.Is(err, waptwua.ErrNotFound) {
			t.Errorf("Remove(%q): %v", name, err)
		}
	}
}

func local(t *testing.T, content string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "local")
	if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func read(t *testing.T, s blob.Store, name string) string {
	t.Helper()
	f, bi, err := s.Open(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(b)) != bi.Size {
		t.Fatalf("%s: %d bytes, Open said %d", name, len(b), bi.Size)
	}
	return string(b)
}
