package cache

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/time/rate"

	"waptwua"
	"waptwua/transport/client"
)

// origin serves one file and can be told to misbehave.
type origin struct {
	content  []byte
	etag     string
	tear     int // break each connection after so many bytes; 0: never
	requests []client.FileRequest
}

func (o *origin) open(_ context.Context, req client.FileRequest) (*client.FileResponse, error) {
	o.requests = append(o.requests, req)
	if req.ETag != "" && req.ETag == o.etag {
		return nil, &client.StatusError{Code: http.StatusNotModified}
	}
	res := &client.FileResponse{Size: int64(len(o.content)), ETag: o.etag}
	if req.Offset > 0 && req.IfRange == o.etag && o.etag != "" {
		if req.Offset >= int64(len(o.content)) {
			return nil, &client.StatusError{Code: http.StatusRequestedRangeNotSatisfiable}
		}
		res.Offset = req.Offset
	}
	rest := o.content[res.Offset:]
	if o.tear > 0 && o.tear < len(rest) {
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(rest[:o.tear]), broken{}))
		return res, nil
	}
	res.Body = io.NopCloser(bytes.NewReader(rest))
	return res, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, fmt.Errorf("cut: %w", client.ErrUnreachable) }

func fileOf(content string) waptwua.File {
	return waptwua.File{Name: "kb1.cab", Size: int64(len(content)), SHA1: sha1.Sum([]byte(content)), SHA256: sha256.Sum256([]byte(content))}
}

func open(t *testing.T, change func(*Options)) *Cache {
	t.Helper()
	return openAt(t, t.TempDir(), change)
}

func openAt(t *testing.T, dir string, change func(*Options)) *Cache {
	t.Helper()
	o := Options{Free: func(string) (uint64, error) { return 1 << 40, nil }}
	if change != nil {
		change(&o)
	}
	c, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPayloadResumesTornDownloads(t *testing.T) {
	const content = "0123456789abcdefghij"
	f := fileOf(content)
	o := &origin{content: []byte(content), etag: `"1"`, tear: 4}
	dir := t.TempDir()
	for n := 1; ; n++ {
		c := openAt(t, dir, nil) // as after a restart
		err := c.Payload(t.Context(), f, o.open)
		if err == nil {
			break
		}
		if !errors.Is(err, client.ErrUnreachable) || n > 3 {
			t.Fatalf("call %d: %v", n, err)
		}
		if c.Has(f) {
			t.Fatal("a torn file counts as loaded")
		}
	}
	c := openAt(t, dir, nil)
	if err := c.Verify(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	for i, r := range o.requests {
		if r.Offset != int64(4*i) {
			t.Errorf("request %d starts at %d, want %d: bytes were loaded twice", i, r.Offset, 4*i)
		}
	}
	before := len(o.requests)
	if err := c.Payload(t.Context(), f, o.open); err != nil || len(o.requests) != before {
		t.Errorf("a loaded file was asked for again: %v", err)
	}
}

func TestPayloadStartsAnewWhenTheFileChanged(t *testing.T) {
	const content = "0123456789"
	f := fileOf(content)
	c := open(t, nil)
	o := &origin{content: []byte("xxxxxxxxxx"), etag: `"wrong"`, tear: 4}
	if err := c.Payload(t.Context(), f, func(ctx context.Context, r client.FileRequest) (*client.FileResponse, error) {
		if len(o.requests) == 1 {
			o.content, o.etag, o.tear = []byte(content), `"right"`, 0
		}
		return o.open(ctx, r)
	}); err != nil {
		t.Fatalf("bytes of two versions were mixed: %v", err)
	}
}

func TestPayloadRefuses(t *testing.T) {
	const content = "0123456789"
	f := fileOf(content)
	sha256Only := f
	sha256Only.SHA256[0] ^= 1
	tests := map[string]struct {
		serve string
		file  waptwua.File
		free  uint64
		want  error
	}{
		"one byte wrong":       {"0123456788", f, 1 << 40, waptwua.ErrDigest},
		"too short":            {"012345678", f, 1 << 40, waptwua.ErrDigest},
		"too long":             {"0123456789x", f, 1 << 40, waptwua.ErrDigest},
		"only SHA-256 differs": {content, sha256Only, 1 << 40, waptwua.ErrDigest},
		"disk nearly full":     {content, f, DefaultReserve + 9, ErrNoRoom},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := open(t, func(o *Options) { o.Free = func(string) (uint64, error) { return tt.free, nil } })
			o := &origin{content: []byte(tt.serve), etag: `"1"`}
			if err := c.Payload(t.Context(), tt.file, o.open); !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			entries, err := os.ReadDir(filepath.Join(c.dir, dirFiles))
			if err != nil || len(entries) != 0 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
}

// The source does not say the size, and never ends.
func TestEndlessBodyIsCut(t *testing.T) {
	f := fileOf("0123456789")
	c := open(t, nil)
	err := c.Payload(t.Context(), f, func(context.Context, client.FileRequest) (*client.FileResponse, error) {
		return &client.FileResponse{Size: -1, Body: io.NopCloser(endless{})}, nil
	})
	if !errors.Is(err, waptwua.ErrLimit) {
		t.Fatalf("got %v, want ErrLimit", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestVerifyRemovesWhatHasChanged(t *testing.T) {
	const content = "0123456789"
	f := fileOf(content)
	c := open(t, nil)
	if err := c.Payload(t.Context(), f, (&origin{content: []byte(content)}).open); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.Path(f), []byte("012345678X"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(t.Context(), f); !errors.Is(err, waptwua.ErrDigest) || c.Has(f) {
		t.Fatalf("got %v, still there: %v", err, c.Has(f))
	}
}

func TestKeep(t *testing.T) {
	c := open(t, nil)
	ids := []waptwua.UpdateID{{GUID: "a", Revision: 1}, {GUID: "b", Revision: 1}}
	var files []waptwua.File
	for i, id := range ids {
		content := strings.Repeat("x", i+1)
		f := fileOf(content)
		files = append(files, f)
		if err := c.Payload(t.Context(), f, (&origin{content: []byte(content)}).open); err != nil {
			t.Fatal(err)
		}
		if err := c.SetStatement(id, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	torn := &origin{content: []byte("0123456789"), etag: `"1"`, tear: 4}
	if err := c.download(c.Path(fileOf("0123456789")), "x", 10).attempt(t.Context(), torn.open, client.FileRequest{}); err == nil {
		t.Fatal("the connection did not break")
	}
	if err := c.Keep(ids[:1], files[:1]); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Statement(ids[0]); err != nil || !c.Has(files[0]) {
		t.Errorf("a needed file is gone: %v", err)
	}
	if _, err := c.Statement(ids[1]); !errors.Is(err, waptwua.ErrNotFound) || c.Has(files[1]) {
		t.Errorf("a file that nobody needs is still there: %v", err)
	}
	entries, err := os.ReadDir(filepath.Join(c.dir, dirFiles))
	if err != nil || len(entries) != 1 {
		t.Errorf("left in the cache: %v, %v", entries, err)
	}
}

func TestLimitCountsAllBytes(t *testing.T) {
	content := strings.Repeat("x", 1000)
	// A limiter with exactly the tokens needed and none to come: one byte
	// more would wait for ever, which the cancelled context shows.
	l := rate.NewLimiter(rate.Limit(1e-9), 1000)
	c := open(t, func(o *Options) { o.Limit = l })
	if err := c.Payload(t.Context(), fileOf(content), (&origin{content: []byte(content)}).open); err != nil {
		t.Fatal(err)
	}
	if l.Tokens() >= 1 {
		t.Errorf("%.0f of 1000 bytes were not counted", l.Tokens())
	}
}
