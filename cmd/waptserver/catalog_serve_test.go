package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"waptwua"
	"waptwua/blob/file"
	"waptwua/internal/fixture"
	"waptwua/mirror"
)

// publishedArchive stands for what the mirror says is published.
type publishedArchive struct{ digest waptwua.SHA256 }

func (p *publishedArchive) Published(context.Context) (waptwua.Archive, error) {
	if p.digest.IsZero() {
		return waptwua.Archive{}, waptwua.ErrNotFound
	}
	return waptwua.Archive{SHA256: p.digest}, nil
}

func newLoader(t *testing.T, p *publishedArchive, dir string) *catalogueLoader {
	t.Helper()
	shelf, err := file.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab"))
	if err != nil {
		t.Fatal(err)
	}
	if err := shelf.Put(t.Context(), mirror.ArchiveName, content); err != nil {
		t.Fatal(err)
	}
	l := &catalogueLoader{archive: p, shelf: shelf, dir: dir, spool: diskSpool{t.TempDir()}, log: slog.New(slog.DiscardHandler)}
	t.Cleanup(func() {
		if err := errors.Join(l.Close(), shelf.Close()); err != nil {
			t.Error(err)
		}
	})
	return l
}

func loaded(t *testing.T, l *catalogueLoader) *servedCatalogue {
	t.Helper()
	c, err := l.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c.(*servedCatalogue)
}

func catalogueFiles(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestCatalogueLoader: without an archive there is no catalogue; with one it
// is built once, found again by a restarted server, and replaced by that of
// the next archive while the one before still answers.
func TestCatalogueLoader(t *testing.T) {
	p, dir := new(publishedArchive), filepath.Join(t.TempDir(), "catalogue")
	l := newLoader(t, p, dir)
	if _, err := l.Load(t.Context()); !errors.Is(err, waptwua.ErrNotFound) {
		t.Fatalf("without an archive: %v", err)
	}
	p.digest = sha256.Sum256([]byte("first"))
	first := loaded(t, l)
	id := first.View().ByKB(958830)[0]
	u, ok := first.Update(id)
	if leaves := first.Leaves(id); !ok || u.Severity != waptwua.Important || len(leaves) != 2 || leaves[0].Route != "wua" || first.Archive() != p.digest {
		t.Errorf("update %+v, leaves %+v", u, leaves)
	}
	if _, ok := first.Update(waptwua.UpdateID{GUID: id.GUID, Revision: 9}); ok {
		t.Error("a revision that is not there was found")
	}
	built := catalogueFiles(t, dir)
	before, err := os.Stat(built[0])
	if err != nil {
		t.Fatal(err)
	}
	loaded(t, newLoader(t, p, dir)) // a restarted server
	if after, err := os.Stat(built[0]); err != nil || !os.SameFile(before, after) {
		t.Errorf("the catalogue was built again: %v", err)
	}
	p.digest = sha256.Sum256([]byte("second"))
	if second := loaded(t, l); second.Archive() != p.digest {
		t.Error("the catalogue is that of the archive before")
	}
	if names := catalogueFiles(t, dir); len(names) != 1 || names[0] == built[0] {
		t.Errorf("catalogues %v", names)
	}
	if locks, err := filepath.Glob(filepath.Join(dir, "*.lock")); err != nil || len(locks) != 1 {
		t.Errorf("locks %v, %v; want that of the one catalogue", locks, err)
	}
	if _, ok := first.Update(id); !ok {
		t.Error("the catalogue before does not answer any more")
	}
}

// TestDamagedCatalogueIsBuiltAgain: what a server finds in the folder is used
// only if it is whole.
func TestDamagedCatalogueIsBuiltAgain(t *testing.T) {
	p, dir := &publishedArchive{digest: sha256.Sum256([]byte("first"))}, filepath.Join(t.TempDir(), "catalogue")
	loaded(t, newLoader(t, p, dir))
	if err := os.WriteFile(catalogueFiles(t, dir)[0], []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := loaded(t, newLoader(t, p, dir))
	if len(c.View().ByKB(958830)) != 1 {
		t.Error("the catalogue is not whole")
	}
}
