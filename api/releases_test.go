package api_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/pki"
	"waptwua/signing"
	"waptwua/transport"
)

// TestRelease fetches a release and the rest of its program, as an agent
// does after a broken connection.
func TestRelease(t *testing.T) {
	r := newRig(t)
	c := r.enrolled(t, uuidA)
	if resp := send(t, c, "GET", r.agents.URL+transport.PathRelease, nil); resp.status != http.StatusNotFound {
		t.Errorf("before the first release: %d %s", resp.status, resp.body)
	}
	program := []byte(strings.Repeat("0123456789", 100))
	sum := waptwua.SHA256(sha256.Sum256(program))
	release := signing.Release{Product: signing.ProductAgent, Version: "1.4.0", Created: time.Now(), NotAfter: time.Now().Add(time.Hour),
		Files: []signing.ReleaseFile{{Platform: "windows/amd64", Name: "wapt-get.exe", Size: int64(len(program)), SHA256: sum}}}
	signer := must(signing.NewSigner(must(pki.NewAdministrator("releases", pki.ECDSAP256, time.Hour, time.Now()))(t)))(t)
	envelope := must(must(signing.Sign(signing.TypeRelease, must(release.Encode())(t), signer))(t).Encode())(t)
	open := func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(program)), nil }
	must(r.Releases.Publish(r.ctx, envelope, open))(t)

	got := send(t, c, "GET", r.agents.URL+transport.PathRelease, nil)
	tag := got.header.Get("ETag")
	if got.status != http.StatusOK || !bytes.Equal(got.body, envelope) || tag == "" {
		t.Errorf("release: %d, ETag %s\n%s", got.status, tag, got.body)
	}
	if resp := send(t, c, "GET", r.agents.URL+transport.PathRelease, nil, "If-None-Match: "+tag); resp.status != http.StatusNotModified {
		t.Errorf("the same again: %d", resp.status)
	}
	url := r.agents.URL + transport.PathReleaseFiles + "wapt-get.exe"
	rest := send(t, c, "GET", url, nil, "Range: bytes=990-", `If-Range: "`+sum.String()+`"`)
	if rest.status != http.StatusPartialContent || len(rest.body) != 10 {
		t.Errorf("the rest: %d with %d bytes", rest.status, len(rest.body))
	}
	if all := send(t, c, "GET", url, nil, "Range: bytes=990-", `If-Range: "other"`); all.status != http.StatusOK || !bytes.Equal(all.body, program) {
		t.Errorf("the rest of another program: %d with %d bytes, want all of this one", all.status, len(all.body))
	}
	for _, name := range []string{"release-1.4.0.json", "..%2fserver.db", "other.exe"} {
		if resp := send(t, c, "GET", r.agents.URL+transport.PathReleaseFiles+name, nil); resp.status != http.StatusNotFound {
			t.Errorf("name %q: %d", name, resp.status)
		}
	}
}
