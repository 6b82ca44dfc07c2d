package mirror

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"waptwua"
	"waptwua/blob"
	"waptwua/blob/file"
)

// microsoft is an origin under the test's control.
type microsoft struct {
	*httptest.Server
	mu       sync.Mutex
	files    map[string][]byte
	etag     string
	modified time.Time
	requests []string                                                 // "GET /path bytes=…"
	before   func(w http.ResponseWriter, r *http.Request, n int) bool // n: 0-based count of GETs; true: answered
	gets     int
}

func newMicrosoft(t *testing.T) *microsoft {
	m := &microsoft{files: map[string][]byte{}, etag: `"v1"`, modified: time.Date(2026, 11, 10, 18, 0, 0, 0, time.UTC)}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *microsoft) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = append(m.requests, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("Range")))
	n := m.gets
	if r.Method == http.MethodGet {
		m.gets++
		if m.before != nil && m.before(w, r, n) {
			return
		}
	}
	b, ok := m.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", m.etag)
	http.ServeContent(w, r, "", m.modified, bytes.NewReader(b))
}

// put makes content available and returns it as the archive would name it.
func (m *microsoft) put(name string, content []byte) waptwua.File {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files["/"+name] = content
	return waptwua.File{Name: name, Size: int64(len(content)), SHA1: sha1.Sum(content), SHA256: sha256.Sum256(content), URL: m.URL + "/" + name}
}

func (m *microsoft) origin() Origin {
	u, _ := url.Parse(m.URL)
	return Origin{Upstream: u}
}

// shelf is a mirror over m.
func shelf(t *testing.T, m *microsoft) (*Payloads, blob.Store) {
	t.Helper()
	s, err := file.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &Payloads{Download: downloader(t, m.origin()), Store: s}, s
}

func downloader(t *testing.T, o Origin) *Downloader {
	c := NewClient(o, nil)
	t.Cleanup(c.CloseIdleConnections)
	return &Downloader{Client: c, Origin: o, Staging: t.TempDir(), Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

// torn sends the first n bytes of an answer that promises all of b.
func torn(w http.ResponseWriter, b []byte, n int, etag string, modified time.Time) {
	w.Header().Set("ETag", etag)
	w.Header().Set("Last-Modified", modified.Format(http.TimeFormat))
	w.Header().Set("Content-Length", itoa(len(b)))
	w.Write(b[:n])
	panic(http.ErrAbortHandler)
}
