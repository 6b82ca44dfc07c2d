package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/time/rate"

	"waptwua"
	"waptwua/blob"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func itoa(n int) string { return strconv.Itoa(n) }

var content = bytes.Repeat([]byte("0123456789abcdef"), 20_000)

func TestFetch(t *testing.T) {
	m := newMicrosoft(t)
	p, s := shelf(t, m)
	f := m.put("c/windows10.0-kb1.cab", content)
	f.Name = "windows10.0-kb1.cab"
	var last int64
	if err := p.Fetch(context.Background(), f, func(done int64) { last = done }); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, s, f.StoredName()); !bytes.Equal(got, content) {
		t.Fatal("stored bytes differ")
	}
	if last != f.Size {
		t.Errorf("last progress %d, want %d", last, f.Size)
	}
	if err := p.Fetch(context.Background(), f, nil); err != nil || len(m.requests) != 1 {
		t.Errorf("a stored file was asked for again: %v, %v", m.requests, err)
	}
	left(t, p.Download.Staging)
}

func TestFetchResumes(t *testing.T) {
	tests := map[string]struct {
		etag, etagThen string
		wantRange      string // of the second request
	}{
		"strong ETag":          {`"a"`, `"a"`, "bytes=100000-"},
		"weak ETag, same date": {`W/"a"`, `W/"b"`, "bytes=100000-"}, // by Last-Modified
		"changed ETag":         {`"a"`, `"b"`, "bytes=100000-"},     // asked, but answered with the whole
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMicrosoft(t)
			m.etag = tt.etag
			p, s := shelf(t, m)
			f := m.put("x.cab", content)
			m.before = func(w http.ResponseWriter, _ *http.Request, n int) bool {
				if n == 0 {
					m.etag = tt.etagThen
					torn(w, content, 100_000, tt.etag, m.modified)
				}
				return false
			}
			if err := p.Fetch(context.Background(), f, nil); err != nil {
				t.Fatal(err)
			}
			if got := stored(t, s, f.StoredName()); !bytes.Equal(got, content) {
				t.Fatal("stored bytes differ")
			}
			if want := "GET /x.cab " + tt.wantRange; len(m.requests) != 2 || m.requests[1] != want {
				t.Errorf("requests %q, want the second to be %q", m.requests, want)
			}
		})
	}
}

func TestFetchGoesOnAfterARestart(t *testing.T) {
	m := newMicrosoft(t)
	p, s := shelf(t, m)
	f := m.put("x.cab", content)
	p.Download.Attempts = 1
	m.before = func(w http.ResponseWriter, _ *http.Request, n int) bool {
		if n == 0 {
			torn(w, content, 5000, m.etag, m.modified)
		}
		return false
	}
	if err := p.Fetch(context.Background(), f, nil); err == nil {
		t.Fatal("a torn transfer gave no error")
	}
	again := &Payloads{Download: p.Download, Store: s}
	if err := again.Fetch(context.Background(), f, nil); err != nil {
		t.Fatal(err)
	}
	if want := "GET /x.cab bytes=5000-"; m.requests[1] != want {
		t.Errorf("second request %q, want %q", m.requests[1], want)
	}
}

func TestFetchRefusesWrongBytes(t *testing.T) {
	m := newMicrosoft(t)
	p, s := shelf(t, m)
	f := m.put("x.cab", content)
	bad := bytes.Clone(content)
	bad[70_000] ^= 1
	good := m.files["/x.cab"]
	m.files["/x.cab"] = bad
	m.before = func(_ http.ResponseWriter, r *http.Request, n int) bool {
		if n == 2 { // the third attempt meets a sound node
			if r.Header.Get("Cache-Control") != "no-cache" {
				t.Error("after wrong bytes the caches on the way were not told to ask anew")
			}
			m.files["/x.cab"] = good
		}
		return false
	}
	if err := p.Fetch(context.Background(), f, nil); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, s, f.StoredName()); !bytes.Equal(got, content) {
		t.Fatal("wrong bytes were stored")
	}
}

func TestFetchFails(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(content) }))
	defer other.Close()
	tests := map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		want   error
	}{
		"wrong for ever":     {func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.ToUpper(content)) }, waptwua.ErrDigest},
		"other size":         {func(w http.ResponseWriter, _ *http.Request) { w.Write(content[:10]) }, waptwua.ErrDigest},
		"endless":            {endless, waptwua.ErrLimit},
		"not there":          {http.NotFound, waptwua.ErrNotFound},
		"redirect elsewhere": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }, waptwua.ErrForbidden},
		"redirect to a file": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, waptwua.ErrForbidden},
		"NTLM": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				panic("credentials were sent")
			}
			w.Header().Set("WWW-Authenticate", "NTLM")
			w.WriteHeader(http.StatusUnauthorized)
		}, waptwua.ErrForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMicrosoft(t)
			p, s := shelf(t, m)
			f := m.put("x.cab", content)
			m.before = func(w http.ResponseWriter, r *http.Request, _ int) bool { tt.answer(w, r); return true }
			if err := p.Fetch(context.Background(), f, nil); !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if m.gets > 8 {
				t.Errorf("%d requests for one file", m.gets)
			}
			if _, err := s.Stat(context.Background(), f.StoredName()); !errors.Is(err, waptwua.ErrNotFound) {
				t.Errorf("something was stored: %v", err)
			}
		})
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write(content); err != nil {
			return
		}
	}
}

func TestFetchGivesUpOnSilence(t *testing.T) {
	m := newMicrosoft(t)
	p, _ := shelf(t, m)
	p.Download.Attempts, p.Download.Silence = 1, 50*time.Millisecond
	f := m.put("x.cab", content)
	stop := make(chan struct{})
	m.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		w.Header().Set("Content-Length", itoa(len(content)))
		w.Write(content[:1000])
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
		case <-stop:
		}
		return true
	}
	err := p.Fetch(context.Background(), f, nil)
	close(stop)
	if err == nil || !strings.Contains(err.Error(), "nothing came for 50ms") {
		t.Fatalf("got %v", err)
	}
}

func TestFetchTwiceAtOnce(t *testing.T) {
	m := newMicrosoft(t)
	p, _ := shelf(t, m)
	f := m.put("x.cab", content)
	var second error
	m.before = func(http.ResponseWriter, *http.Request, int) bool {
		second = p.Fetch(context.Background(), f, nil)
		return false
	}
	if err := p.Fetch(context.Background(), f, nil); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(second, waptwua.ErrConflict) {
		t.Fatalf("the second call: %v, want ErrConflict", second)
	}
}

func TestFetchIgnoresTheEnvironmentsProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	m := newMicrosoft(t)
	p, _ := shelf(t, m)
	if err := p.Fetch(context.Background(), m.put("x.cab", content), nil); err != nil {
		t.Fatal(err)
	}
}

func TestFetchThroughTheSettingsProxy(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		w.Write(content)
	}))
	defer proxy.Close()
	u, _ := url.Parse(proxy.URL)
	m := newMicrosoft(t)
	p, _ := shelf(t, m)
	p.Download.Origin = Origin{Hosts: waptwua.MicrosoftHosts()}
	p.Download.Client = NewClient(p.Download.Origin, u)
	defer p.Download.Client.CloseIdleConnections()
	f := m.put("x.cab", content)
	f.URL = "http://download.windowsupdate.com/c/x.cab"
	if err := p.Fetch(context.Background(), f, nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{f.URL}; !slices.Equal(asked, want) {
		t.Errorf("the proxy was asked for %q, want %q", asked, want)
	}
}

func TestFetchIsThrottled(t *testing.T) {
	m := newMicrosoft(t)
	p, _ := shelf(t, m)
	p.Download.Rate = rate.NewLimiter(rate.Limit(1), 1000)
	p.Download.Attempts = 1
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := p.Fetch(ctx, m.put("x.cab", content), nil)
	if err == nil || !strings.Contains(err.Error(), "would exceed context deadline") {
		t.Fatalf("319,000 bytes beyond the burst at 1 B/s in 10 s: %v", err)
	}
}

func TestScrubRemovesWrongPayloads(t *testing.T) {
	ctx := context.Background()
	m := newMicrosoft(t)
	p, s := shelf(t, m)
	good, bad := m.put("good.cab", []byte("good")), m.put("bad.cab", []byte("bad"))
	for _, f := range []waptwua.File{good, bad} {
		if err := p.Fetch(ctx, f, nil); err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range map[string]string{bad.StoredName(): "bat", "wsusscn2.cab": "not a payload"} {
		if err := s.Put(ctx, name, []byte(b)); err != nil {
			t.Fatal(err)
		}
	}
	removed, err := p.Scrub(ctx)
	if err != nil || !slices.Equal(removed, []string{bad.StoredName()}) {
		t.Fatalf("removed %v, %v", removed, err)
	}
}

func TestOriginHosts(t *testing.T) {
	o := Origin{Hosts: waptwua.MicrosoftHosts()}
	for raw, ok := range map[string]bool{
		"http://download.windowsupdate.com/x":             true,
		"https://catalog.s.download.windowsupdate.com/x":  true,
		"http://DOWNLOAD.WindowsUpdate.com/x":             true,
		"http://tlu.dl.delivery.mp.microsoft.com/x":       true,
		"http://evilwindowsupdate.com/x":                  false,
		"http://download.windowsupdate.com.evil.test/x":   false,
		"http://evil.test/download.windowsupdate.com":     false,
		"http://download.windowsupdate.com@evil.test/x":   false,
		"http://user:secret@download.windowsupdate.com/x": false,
		"http://download.windowsupdate.com:8080/x":        false,
		"ftp://download.windowsupdate.com/x":              false,
		"file:///etc/passwd":                              false,
		"//download.windowsupdate.com/x":                  false,
		"http://127.0.0.1/x":                              false,
		"":                                                false,
		"http://[::1]:80/x":                               false,
		"http://download.windowsupdate.com\\@evil.test/x": false,
	} {
		_, err := o.Resolve(raw)
		if (err == nil) != ok {
			t.Errorf("Resolve(%q): %v, want allowed = %v", raw, err, ok)
		}
	}
}

func TestUpstreamKeepsThePath(t *testing.T) {
	up, _ := url.Parse("http://127.0.0.1:8000/cache/")
	got, err := Origin{Upstream: up}.Resolve("http://download.windowsupdate.com/c/x.cab?a=1")
	if err != nil || got.String() != "http://127.0.0.1:8000/cache/c/x.cab?a=1" {
		t.Fatalf("got %v, %v", got, err)
	}
}

func stored(t *testing.T, s blob.Store, name string) []byte {
	t.Helper()
	f, _, err := s.Open(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// left fails when the staging folder is not empty.
func left(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > 0 {
		t.Errorf("left in the staging folder: %v", fmt.Sprint(entries))
	}
}
