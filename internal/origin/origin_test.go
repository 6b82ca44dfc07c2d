package origin

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"waptwua/internal/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServesArchiveAndPayloads(t *testing.T) {
	_, srv, payloads := serve(t, Faults{})
	want := []byte("the archive")
	for _, path := range []string{ArchivePath, StableLink + "?LinkID=74689"} {
		resp, got := get(t, srv, path, nil)
		if resp.StatusCode != http.StatusOK || !bytes.Equal(got, want) {
			t.Errorf("%s: %s, %q", path, resp.Status, got)
		}
	}
	p := payloads[0]
	u, _ := url.Parse(p.URL)
	content, _ := io.ReadAll(p.Open())
	if _, got := get(t, srv, u.Path, nil); !bytes.Equal(got, content) {
		t.Errorf("%s: %d bytes differ from the payload", u.Path, len(got))
	}
	resp, got := get(t, srv, u.Path, http.Header{"Range": {"bytes=10-"}})
	if resp.StatusCode != http.StatusPartialContent || !bytes.Equal(got, content[10:]) {
		t.Errorf("from byte 10: %s, %d bytes", resp.Status, len(got))
	}
	if resp, _ := get(t, srv, "/nothing", nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("nothing: %s", resp.Status)
	}
}

func TestConditions(t *testing.T) {
	_, srv, _ := serve(t, Faults{})
	resp, _ := get(t, srv, ArchivePath, nil)
	etag := http.Header{"If-None-Match": {resp.Header.Get("ETag")}}
	if resp, _ := get(t, srv, ArchivePath, etag); resp.StatusCode != http.StatusNotModified {
		t.Errorf("If-None-Match: %s", resp.Status)
	}
	_, weak, _ := serve(t, Faults{Weak: 1})
	resp, _ = get(t, weak, ArchivePath, nil)
	if e := resp.Header.Get("ETag"); e[:2] != "W/" {
		t.Errorf("ETag %q is not weak", e)
	}
	etag = http.Header{"If-None-Match": {resp.Header.Get("ETag")}}
	if resp, _ := get(t, weak, ArchivePath, etag); resp.StatusCode != http.StatusOK {
		t.Errorf("a weak node answered If-None-Match with %s", resp.Status)
	}
}

func TestFaults(t *testing.T) {
	o, srv, _ := serve(t, Faults{Corrupt: 1})
	_, got := get(t, srv, ArchivePath, nil)
	if want := []byte("the archive"); bytes.Equal(got, want) || len(got) != len(want) {
		t.Errorf("a corrupt node sent %q", got)
	}
	o.SetFaults(Faults{Torn: 1})
	resp, err := srv.Client().Get(srv.URL + ArchivePath)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	if err == nil {
		t.Error("a torn answer gave no error")
	}
	s := o.Stats()
	if s.Corrupt != 1 || s.Torn != 1 || s.Requests != 2 {
		t.Errorf("counted %+v", s)
	}
}

func serve(t *testing.T, f Faults) (*Origin, *httptest.Server, []world.Payload) {
	t.Helper()
	w, err := world.New(world.Options{Updates: 60, Seed: 1, Real: true})
	if err != nil {
		t.Fatal(err)
	}
	payloads := slices.Collect(maps.Values(w.Payloads()))
	o, err := New(Options{Payloads: payloads, Faults: f, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.cab")
	if err := os.WriteFile(path, []byte("the archive"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.SetArchive(path)
	srv := httptest.NewServer(o)
	t.Cleanup(srv.Close)
	return o, srv, payloads
}

func get(t *testing.T, srv *httptest.Server, path string, h http.Header) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, srv.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = h.Clone()
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, b
}
