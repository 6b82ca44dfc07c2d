package client

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/transport"
)

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

var modified = time.Date(2026, 7, 14, 0, 0, 0, 0, time.UTC)

// shelf serves content like a real repository, with a strong ETag.
func shelf(content string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "", modified, strings.NewReader(content))
	}
}

func TestFile(t *testing.T) {
	const content = "0123456789"
	tests := map[string]struct {
		req    FileRequest
		want   string
		offset int64
		err    error
	}{
		"whole":                  {FileRequest{}, content, 0, nil},
		"unchanged by ETag":      {FileRequest{ETag: `"v1"`}, "", 0, waptwua.ErrUnchanged},
		"unchanged by date":      {FileRequest{LastModified: modified.Format(http.TimeFormat)}, "", 0, waptwua.ErrUnchanged},
		"changed":                {FileRequest{ETag: `"v0"`}, content, 0, nil},
		"resumed":                {FileRequest{Offset: 4, IfRange: `"v1"`}, "456789", 4, nil},
		"changed while resuming": {FileRequest{Offset: 4, IfRange: `"v0"`}, content, 0, nil},
		"no validator: anew":     {FileRequest{Offset: 4}, content, 0, nil},
	}
	w := start(t, shelf(content))
	c := w.client(t, nil)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := c.File(t.Context(), tt.req)
			if !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			defer f.Body.Close()
			b, err := io.ReadAll(f.Body)
			if err != nil || string(b) != tt.want || f.Offset != tt.offset || f.Size != int64(len(content)) || f.StrongValidator() != `"v1"` {
				t.Fatalf("got %q, %+v, %v", b, f, err)
			}
		})
	}
}

func TestFileNameCannotLeaveTheFolder(t *testing.T) {
	var asked []string
	w := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.EscapedPath())
		http.NotFound(w, r)
	}))
	c := w.client(t, nil)
	for _, name := range []string{"../secret", "a/../../b", "x?y=1", "%2e%2e/z"} {
		if _, err := c.File(t.Context(), FileRequest{Name: name}); !errors.Is(err, waptwua.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, p := range asked {
		rest, ok := strings.CutPrefix(p, transport.PathFiles)
		if !ok || strings.Contains(rest, "/") {
			t.Errorf("asked for %s, outside %s", p, transport.PathFiles)
		}
	}
}

func TestLyingRanges(t *testing.T) {
	tests := map[string]string{
		"another offset": "bytes 5-9/10",
		"unknown size":   "bytes 4-9/*",
		"beyond the end": "bytes 4-10/10",
		"reversed":       "bytes 9-4/10",
		"no range":       "",
		"huge":           "bytes 4-99999999999999999999/999999999999999999999",
	}
	for name, header := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Range", header)
				w.WriteHeader(http.StatusPartialContent)
				_, _ = io.WriteString(w, "456789")
			}))
			f, err := w.client(t, nil).File(t.Context(), FileRequest{Offset: 4, IfRange: `"v1"`})
			if err == nil {
				f.Body.Close()
				t.Fatalf("Content-Range %q was accepted: %+v", header, f)
			}
		})
	}
}

func TestSilentConnectionIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	w := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "0123")
		w.(http.Flusher).Flush()
		<-release
	}))
	c := w.client(t, func(cfg *Config) { cfg.Stall = time.Millisecond })
	f, err := c.File(t.Context(), FileRequest{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, f.Body)
	close(release)
	if !errors.Is(err, ErrUnreachable) {
		t.Fatalf("got %v, want ErrUnreachable", err)
	}
	if err := f.Body.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestHasFile(t *testing.T) {
	w := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case transport.PathFiles + "here":
		case transport.PathFiles + "broken":
			w.WriteHeader(500)
		default:
			w.WriteHeader(404)
		}
	}))
	c := w.client(t, nil)
	for name, want := range map[string]bool{"here": true, "gone": false} {
		if got, err := c.HasFile(t.Context(), name); got != want || err != nil {
			t.Errorf("HasFile(%s) = %v, %v", name, got, err)
		}
	}
	if _, err := c.HasFile(t.Context(), "broken"); err == nil {
		t.Error("an internal error counts as an answer")
	}
}

func TestIsMicrosoft(t *testing.T) {
	for s, want := range map[string]bool{
		ArchiveURL: true,
		"http://download.windowsupdate.com/d/x.cab":            true,
		"http://DOWNLOAD.windowsupdate.com:80/x.cab":           true,
		"https://catalog.s.download.windowsupdate.com/x.msu":   true,
		"http://download.windowsupdate.com.example.org/x":      false,
		"http://catalog.sf.dl.delivery.mp.microsoft.com/x":     true,
		"http://2.tlu.dl.delivery.mp.microsoft.com/x":          true,
		"http://au.download.windowsupdate.com/x":               true,
		"http://b1.download.windowsupdate.com/x":               true,
		"http://xwindowsupdate.com/x":                          false,
		"http://.windowsupdate.com/x":                          false,
		"http://evil.mp.microsoft.com/x":                       false,
		"http://downloadxwindowsupdate.com/x":                  false,
		"http://evil.example.org/download.windowsupdate.com":   false,
		"http://download.windowsupdate.com@evil.example.org/x": false,
		"http://user@download.windowsupdate.com/x":             false,
		"http://download.windowsupdate.com:8080/x":             false,
		"file:///download.windowsupdate.com/x":                 false,
		"https://download.windowsupdate.com:80/x":              false,
		"http:download.windowsupdate.com/x":                    false,
	} {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := IsMicrosoft(u); got != want {
			t.Errorf("IsMicrosoft(%s) = %v, want %v", s, got, want)
		}
	}
}

// answers is a round tripper that plays Microsoft.
type answers func(*http.Request) *http.Response

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r), nil }

func TestDirectFollowsOnlyMicrosoft(t *testing.T) {
	var asked []string
	d := newDirect(answers(func(r *http.Request) *http.Response {
		asked = append(asked, r.URL.Host)
		rec := httptest.NewRecorder()
		switch r.URL.Path {
		case "/away":
			rec.Header().Set("Location", "http://evil.example.org/x")
			rec.WriteHeader(302)
		default:
			shelf("payload")(rec, r)
		}
		res := rec.Result()
		res.Request = r
		return res
	}), "test")
	f, err := d.File(t.Context(), "http://download.windowsupdate.com/x.cab", FileRequest{Name: "x.cab"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f.Body)
	if f.Body.Close(); err != nil || !bytes.Equal(b, []byte("payload")) {
		t.Fatalf("got %q, %v", b, err)
	}
	for _, u := range []string{"http://download.windowsupdate.com/away", "http://evil.example.org/x"} {
		if _, err := d.File(t.Context(), u, FileRequest{Name: "x.cab"}); !errors.Is(err, waptwua.ErrNotTrusted) {
			t.Errorf("%s: got %v, want ErrNotTrusted", u, err)
		}
	}
	for _, h := range asked {
		if h != "download.windowsupdate.com" {
			t.Errorf("a request went to %s", h)
		}
	}
}
