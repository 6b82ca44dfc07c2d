package api_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/pki"
	"waptwua/server"
	"waptwua/transport"
)

func TestOnlyHostsGetIn(t *testing.T) {
	r := newRig(t)
	good := r.enrolled(t, uuidA)
	paths := []string{transport.PathReport, transport.PathRules, transport.PathFiles + "x.cab", transport.PathRelease, transport.PathReleaseFiles + "x.exe", "/", "/api/v1/summary", "/metrics", "/openapi.json"}
	for _, path := range paths {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			resp := send(t, r.client(t), method, r.agents.URL+path, nil)
			if resp.status != http.StatusUnauthorized && resp.status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s without a certificate: %d, want 401", method, path, resp.status)
			}
			if h := resp.header.Get("WWW-Authenticate"); h != "" {
				t.Errorf("%s %s offers %q", method, path, h)
			}
		}
	}
	if resp := send(t, good, "GET", r.agents.URL+transport.PathRules, nil); resp.status != http.StatusOK {
		t.Errorf("an enrolled host gets %d %s", resp.status, resp.body)
	}
	if resp := send(t, good, "GET", r.agents.URL+"/api/v1/summary", nil); resp.status != http.StatusNotFound {
		t.Errorf("the administration on the agents' listener: %d, want 404", resp.status)
	}

	t.Run("certificate of a foreign authority", func(t *testing.T) {
		foreign := must(pki.NewServerAuthority("foreign", 1000*time.Hour, time.Now()))(t)
		c, cert := r.client(t), hostCertificate(t, foreign, uuidA)
		c.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &cert, nil // whatever the server asks for
		}
		if resp, err := c.Get(r.agents.URL + transport.PathRules); err == nil {
			resp.Body.Close()
			t.Errorf("let in with %s", resp.Status)
		}
	})
	t.Run("our authority, but a key that never enrolled", func(t *testing.T) {
		c := r.client(t, hostCertificate(t, r.ca, uuidA))
		if resp := send(t, c, "GET", r.agents.URL+transport.PathRules, nil); resp.status != http.StatusForbidden {
			t.Errorf("got %d, want 403", resp.status)
		}
	})
	t.Run("the certificate of a server", func(t *testing.T) {
		key := must(pki.GenerateKey(pki.ECDSAP256))(t)
		a := must(pki.NewAuthority(r.ca, time.Now))(t)
		id := must(pki.NewIdentity(key, must(a.IssueServer(key.Public(), []string{uuidA}, time.Hour))(t)))(t)
		if resp, err := r.client(t, id.TLS()).Get(r.agents.URL + transport.PathRules); err == nil {
			resp.Body.Close()
			t.Errorf("let in with %s", resp.Status)
		}
	})
	t.Run("a host that was deleted", func(t *testing.T) {
		check(t, r.Enrolment.Delete(r.ctx, uuidA))
		if resp := send(t, good, "GET", r.agents.URL+transport.PathRules, nil); resp.status != http.StatusForbidden {
			t.Errorf("got %d, want 403", resp.status)
		}
	})
	t.Run("other ways to sign in", func(t *testing.T) {
		for _, h := range []string{"Authorization: NTLM TlRMTVNTUAAB", "Authorization: Negotiate YII", "Authorization: Basic YWRtaW46YWRtaW4="} {
			resp := send(t, r.client(t), "GET", r.agents.URL+transport.PathRules, nil, h)
			if resp.status != http.StatusUnauthorized || resp.header.Get("WWW-Authenticate") != "" {
				t.Errorf("%s: %d, offers %q", h, resp.status, resp.header.Get("WWW-Authenticate"))
			}
		}
	})
}

// hostCertificate makes a host's certificate of any authority.
func hostCertificate(t *testing.T, ca pki.Identity, uuid string) tls.Certificate {
	t.Helper()
	key := must(pki.GenerateKey(pki.ECDSAP256))(t)
	a := must(pki.NewAuthority(ca, time.Now))(t)
	cert := must(a.IssueHost(must(pki.NewHostRequest(uuid, key))(t), uuid, time.Hour))(t)
	return must(pki.NewIdentity(key, cert))(t).TLS()
}

func TestOldTLSIsRefused(t *testing.T) {
	r := newRig(t)
	c := r.client(t)
	c.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS11
	if resp, err := c.Get(r.agents.URL); err == nil {
		resp.Body.Close()
		t.Error("TLS 1.1 was accepted")
	}
}

func TestReportBodies(t *testing.T) {
	r := newRig(t)
	c := r.enrolled(t, uuidA)
	state := &transport.State{Host: waptwua.Host{UUID: uuidA, Name: "pc1"}, Status: waptwua.HostOK}
	rep := must(transport.Diff(nil, state))(t)
	rep.Seq = 1
	plain := must(json.Marshal(rep))(t)
	for _, b := range []struct {
		name    string
		body    []byte
		headers []string
		want    int
	}{
		{"plain", plain, nil, 200},
		{"gzip", zip(t, plain), []string{"Content-Encoding: gzip"}, 200},
		{"gzip that is none", plain, []string{"Content-Encoding: gzip"}, 400},
		{"torn gzip", zip(t, plain)[:40], []string{"Content-Encoding: gzip"}, 400},
		{"another encoding", plain, []string{"Content-Encoding: br"}, 415},
		{"bomb", zip(t, make([]byte, transport.MaxReport+1)), []string{"Content-Encoding: gzip"}, 413},
		{"no JSON", []byte("hello"), nil, 400},
		{"two documents", append(append([]byte{}, plain...), plain...), nil, 400},
		{"nothing", nil, nil, 400},
		{"nested without end", bytes.Repeat([]byte(`{"head":`), 20000), nil, 400},
		{"a GUID that is none", []byte(`{"version":1,"seq":9,"digest":"x","removed":["../../x_1"]}`), nil, 400},
	} {
		t.Run(b.name, func(t *testing.T) {
			if resp := send(t, c, "POST", r.agents.URL+transport.PathReport, b.body, b.headers...); resp.status != b.want {
				t.Errorf("got %d %s, want %d", resp.status, resp.body, b.want)
			}
		})
	}
}

func zip(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, err := z.Write(b)
	check(t, err)
	check(t, z.Close())
	return buf.Bytes()
}

func TestEnrolIsSlowedDown(t *testing.T) {
	r := newRig(t)
	key := must(pki.GenerateKey(pki.ECDSAP256))(t)
	csr := string(must(pki.NewHostRequest(uuidA, key))(t))
	body := must(json.Marshal(transport.EnrolRequest{Version: 1, Token: "guess", CSR: csr, Host: waptwua.Host{UUID: uuidA}}))(t)
	c := r.client(t)
	for range 20 {
		if resp := send(t, c, "POST", r.agents.URL+transport.PathEnrol, body); resp.status != http.StatusUnauthorized {
			t.Fatalf("guessing: %d %s", resp.status, resp.body)
		}
	}
	resp := send(t, c, "POST", r.agents.URL+transport.PathEnrol, body)
	if resp.status != http.StatusTooManyRequests || resp.header.Get("Retry-After") == "" {
		t.Errorf("the 21st guess: %d %s, want 429", resp.status, resp.body)
	}
}

func TestRulesAreConditional(t *testing.T) {
	r := newRig(t)
	c := r.enrolled(t, uuidA)
	first := send(t, c, "GET", r.agents.URL+transport.PathRules, nil)
	tag := first.header.Get("ETag")
	if tag == "" || first.status != 200 {
		t.Fatalf("rules: %d, ETag %q", first.status, tag)
	}
	if resp := send(t, c, "GET", r.agents.URL+transport.PathRules, nil, "If-None-Match: "+tag); resp.status != http.StatusNotModified || len(resp.body) != 0 {
		t.Errorf("unchanged rules: %d %s", resp.status, resp.body)
	}
}

func TestFiles(t *testing.T) {
	r := newRig(t)
	c := r.enrolled(t, uuidA)
	text := []byte(strings.Repeat("0123456789", 100))
	f := waptwua.File{Name: "kb1.cab", SHA1: sha1.Sum(text)}
	check(t, r.shelf.Put(t.Context(), f.StoredName(), text))
	url := r.agents.URL + transport.PathFiles + f.StoredName()
	whole := send(t, c, "GET", url, nil)
	tag := whole.header.Get("ETag")
	if whole.status != 200 || !bytes.Equal(whole.body, text) || tag != `"`+f.SHA1.String()+`"` {
		t.Fatalf("whole file: %d, %d bytes, ETag %s", whole.status, len(whole.body), tag)
	}
	modified := whole.header.Get("Last-Modified")
	for _, q := range []struct {
		name, method string
		headers      []string
		status, size int
	}{
		{"head", "HEAD", nil, 200, 0},
		{"the rest", "GET", []string{"Range: bytes=990-"}, 206, 10},
		{"the rest if unchanged", "GET", []string{"Range: bytes=990-", "If-Range: " + tag}, 206, 10},
		{"all if changed", "GET", []string{"Range: bytes=990-", `If-Range: "other"`}, 200, 1000},
		{"beyond the end", "GET", []string{"Range: bytes=5000-"}, 416, -1},
		{"held already", "GET", []string{"If-None-Match: " + tag}, 304, 0},
		{"not newer", "GET", []string{"If-Modified-Since: " + modified}, 304, 0},
	} {
		t.Run(q.name, func(t *testing.T) {
			resp := send(t, c, q.method, url, nil, q.headers...)
			if resp.status != q.status || q.size >= 0 && len(resp.body) != q.size {
				t.Errorf("got %d with %d bytes, want %d with %d", resp.status, len(resp.body), q.status, q.size)
			}
		})
	}
}

func TestFileNamesStayInTheFolder(t *testing.T) {
	r := newRig(t)
	c := r.enrolled(t, uuidA)
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, name := range []string{
		"..%2fserver.db", "..%2f..%2fetc%2fpasswd", "%2e%2e%2fserver.db", "..%5cserver.db", "%2fetc%2fpasswd", "a%00b", ".hidden", "", "..",
		"x/../../server.db", "C:%5cwindows%5cwin.ini", "%c0%ae%c0%ae%2fserver.db", "a%2f..%2fb", strings.Repeat("a", 300), "CON%3a", "waptwua%20x",
	} {
		resp := send(t, c, "GET", r.agents.URL+transport.PathFiles+name, nil)
		if resp.status != http.StatusNotFound && resp.status != http.StatusMovedPermanently && resp.status != http.StatusTemporaryRedirect {
			t.Errorf("name %q: %d %s", name, resp.status, resp.body)
		}
		if loc := resp.header.Get("Location"); loc != "" && !strings.HasPrefix(loc, "/") {
			t.Errorf("name %q leads to %s", name, loc)
		}
	}
}

func TestEnrolledHostIsSeen(t *testing.T) {
	r := newRig(t)
	r.enrolled(t, uuidA)
	h := must(r.Fleet.Host(t.Context(), uuidA))(t)
	if h.LastSeen.IsZero() || h.Standing != server.Enrolled || h.Name != "pc1" {
		t.Errorf("host: %+v", h.HostView)
	}
}
