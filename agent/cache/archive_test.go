package cache

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waptwua"
	"waptwua/transport/client"
)

func (o *origin) source(want string) Source {
	return Source{Open: o.open, Expect: func(context.Context) (Expect, error) {
		return Expect{SHA256: sha256.Sum256([]byte(want))}, nil
	}}
}

const name = "wsusscn2.cab"

func TestRefreshArchive(t *testing.T) {
	dir := t.TempDir()
	c := openAt(t, dir, nil)
	o := &origin{content: []byte("July"), etag: `"7"`}
	if _, err := c.Archive(); !errors.Is(err, waptwua.ErrNotFound) {
		t.Fatalf("before the first: %v", err)
	}
	july, err := c.RefreshArchive(t.Context(), name, o.source("July"))
	if err != nil || july.SHA256 != sha256.Sum256([]byte("July")) || july.SHA1 != sha1.Sum([]byte("July")) {
		t.Fatalf("first: %+v, %v", july, err)
	}
	c = openAt(t, dir, nil)
	if again, err := c.RefreshArchive(t.Context(), name, o.source("July")); !errors.Is(err, waptwua.ErrUnchanged) || again != july {
		t.Fatalf("unchanged: %+v, %v", again, err)
	}
	o.content, o.etag = []byte("August"), `"8"`
	august, err := c.RefreshArchive(t.Context(), name, o.source("August"))
	if err != nil || content(t, c) != "August" {
		t.Fatalf("new one: %+v, %v", august, err)
	}
	cabs, err := filepath.Glob(filepath.Join(dir, dirArchive, "*.cab"))
	if err != nil || len(cabs) != 1 {
		t.Errorf("archives left: %v", cabs)
	}
}

func TestBadArchiveLeavesTheOld(t *testing.T) {
	refused := errors.New("signature")
	tests := map[string]struct {
		spoil func(*origin, *Source, *Cache)
		want  error
	}{
		"wrong digest": {func(o *origin, s *Source, _ *Cache) { o.content = []byte("evil  ") }, waptwua.ErrDigest},
		"no digest at all": {func(_ *origin, s *Source, _ *Cache) {
			s.Expect = func(context.Context) (Expect, error) { return Expect{}, nil }
		}, waptwua.ErrNotTrusted},
		"digest not to be had": {func(_ *origin, s *Source, _ *Cache) {
			s.Expect = func(context.Context) (Expect, error) { return Expect{}, waptwua.ErrNotFound }
		}, waptwua.ErrNotFound},
		"signature refused": {func(_ *origin, _ *Source, c *Cache) {
			c.Check = func(context.Context, string) error { return errors.Join(refused, waptwua.ErrNotTrusted) }
		}, refused},
		"connection broken": {func(o *origin, _ *Source, _ *Cache) { o.tear, o.etag = 1, "" }, nil},
		"disk full": {func(_ *origin, _ *Source, c *Cache) {
			c.Free = func(string) (uint64, error) { return 0, nil }
		}, ErrNoRoom},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			c := open(t, nil)
			if _, err := c.RefreshArchive(t.Context(), name, (&origin{content: []byte("old"), etag: `"1"`}).source("old")); err != nil {
				t.Fatal(err)
			}
			o := &origin{content: []byte("August"), etag: `"2"`}
			s := o.source("August")
			tt.spoil(o, &s, c)
			if _, err := c.RefreshArchive(t.Context(), name, s); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if got := content(t, c); got != "old" {
				t.Errorf("in use: %q, want the old one", got)
			}
		})
	}
}

func TestArchiveGoesOnAfterRestart(t *testing.T) {
	dir := t.TempDir()
	o := &origin{content: []byte("0123456789abcdefghij"), etag: `"1"`, tear: 5}
	if _, err := openAt(t, dir, nil).RefreshArchive(t.Context(), name, o.source("0123456789abcdefghij")); err == nil {
		t.Fatal("three torn connections of 5 bytes gave 20 bytes")
	}
	c := openAt(t, dir, nil)
	if _, err := c.RefreshArchive(t.Context(), name, o.source("0123456789abcdefghij")); err != nil {
		t.Fatal(err)
	}
	if n := len(o.requests); n != 4 || o.requests[3].Offset != 15 {
		t.Errorf("%d requests, the last %+v; want 4 with the last from byte 15", n, o.requests[n-1])
	}
}

func TestCompletePartIsTakenUp(t *testing.T) {
	dir := t.TempDir()
	o := &origin{content: []byte("July"), etag: `"1"`}
	s := o.source("July")
	s.Expect = func(context.Context) (Expect, error) { return Expect{}, context.Canceled } // killed before the check
	if _, err := openAt(t, dir, nil).RefreshArchive(t.Context(), name, s); err == nil {
		t.Fatal("no error")
	}
	c := openAt(t, dir, nil)
	if _, err := c.RefreshArchive(t.Context(), name, o.source("July")); err != nil || content(t, c) != "July" {
		t.Fatal(err)
	}
}

func TestDamagedNoteMeansNoArchive(t *testing.T) {
	c := open(t, nil)
	if _, err := c.RefreshArchive(t.Context(), name, (&origin{content: []byte("old")}).source("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(c.current(), 10); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Archive(); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func content(t *testing.T, c *Cache) string {
	t.Helper()
	a, err := c.Archive()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(c.ArchivePath(a))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestOutageCostsTheArchiveOnce: between the repository and Microsoft the
// same archive is not loaded again, and a newer one of Microsoft's says which
// one of the repository's was before it.
func TestOutageCostsTheArchiveOnce(t *testing.T) {
	c := open(t, func(o *Options) { o.Check = func(context.Context, string) error { return nil } })
	const date = "Tue, 14 Jul 2026 17:00:00 GMT"
	var asked []client.FileRequest
	from := func(content, modified string) Opener {
		return func(_ context.Context, req client.FileRequest) (*client.FileResponse, error) {
			asked = append(asked, req)
			if req.LastModified == date && modified == date {
				return nil, &client.StatusError{Code: http.StatusNotModified}
			}
			return &client.FileResponse{Body: io.NopCloser(strings.NewReader(content)), Size: int64(len(content)), LastModified: modified}, nil
		}
	}
	july, august := sha256.Sum256([]byte("July")), sha256.Sum256([]byte("August"))
	repository := func(content string) Source {
		return Source{Open: from(content, date), Expect: func(context.Context) (Expect, error) { return Expect{SHA256: sha256.Sum256([]byte(content))}, nil }}
	}
	microsoft := func(content, modified string) Source {
		return Source{Open: from(content, modified), Direct: true, Expect: func(context.Context) (Expect, error) { return Expect{}, nil }}
	}
	const later = "Tue, 11 Aug 2026 17:00:00 GMT"
	for i, step := range []struct {
		source    Source
		want      waptwua.SHA256
		before    waptwua.SHA256
		direct    bool
		unchanged bool
		requests  int
	}{
		{repository("July"), july, waptwua.SHA256{}, false, false, 1},
		{microsoft("July", date), july, waptwua.SHA256{}, false, true, 1}, // Microsoft has nothing newer
		{microsoft("August", later), august, july, true, false, 1},
		{repository("August"), august, waptwua.SHA256{}, false, true, 0}, // the repository has it, too, now
		{microsoft("September", later), sha256.Sum256([]byte("September")), august, true, false, 1},
		{repository("August"), august, waptwua.SHA256{}, false, false, 1}, // not the same: loaded
	} {
		asked = nil
		a, err := c.RefreshArchive(t.Context(), name, step.source)
		if unchanged := errors.Is(err, waptwua.ErrUnchanged); err != nil && !unchanged || unchanged != step.unchanged {
			t.Fatalf("step %d: %v", i, err)
		}
		if a.SHA256 != step.want || a.Before != step.before || a.Direct != step.direct || len(asked) != step.requests {
			t.Errorf("step %d: %+v after %d requests", i, a, len(asked))
		}
		if kept, err := c.Archive(); err != nil || kept != a {
			t.Errorf("step %d: kept %+v, %v", i, kept, err)
		}
	}
}
