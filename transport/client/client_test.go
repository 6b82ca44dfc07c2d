package client

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"waptwua"
	"waptwua/internal/pki"
	"waptwua/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a server with a CA of its own.
type world struct {
	*httptest.Server
	ca *x509.Certificate
}

func start(t *testing.T, h http.Handler) world {
	t.Helper()
	ca, err := pki.NewServerAuthority("test CA", time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	authority, err := pki.NewAuthority(ca, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	key, err := pki.GenerateKey("")
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := authority.IssueServer(key.Public(), []string{"127.0.0.1"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	id, err := pki.NewIdentity(key, leaf, ca.Leaf())
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{id.TLS()}, ClientAuth: tls.RequestClientCert}
	s.Config.ErrorLog = discardLog()
	s.StartTLS()
	t.Cleanup(s.Close)
	return world{Server: s, ca: ca.Leaf()}
}

func (w world) client(t *testing.T, change func(*Config)) *Client {
	t.Helper()
	u, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Server: u, Trust: Trust{Roots: []*x509.Certificate{w.ca}}}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func serve(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestTrust(t *testing.T) {
	w := start(t, serve(200, `{"version":1}`))
	foreign := start(t, serve(200, `{}`))
	leaf := w.TLS.Certificates[0].Leaf
	tests := map[string]struct {
		trust Trust
		want  error
		says  string
	}{
		"CA as PEM":             {trust: Trust{Roots: []*x509.Certificate{w.ca}}},
		"fingerprint of the CA": {trust: Trust{Fingerprint: strings.ToUpper(pki.Fingerprint(w.ca))}},
		"fingerprint of leaf":   {trust: Trust{Fingerprint: pki.Fingerprint(leaf)}},
		"another CA":            {trust: Trust{Roots: []*x509.Certificate{foreign.ca}}, want: waptwua.ErrNotTrusted},
		"another fingerprint":   {trust: Trust{Fingerprint: pki.Fingerprint(foreign.ca)}, want: waptwua.ErrNotTrusted},
		"nothing":               {trust: Trust{}, want: waptwua.ErrNotTrusted, says: pki.Fingerprint(w.ca)},
		"expired by the clock":  {trust: Trust{Fingerprint: pki.Fingerprint(w.ca), Now: func() time.Time { return time.Now().AddDate(1, 0, 0) }}, want: waptwua.ErrNotTrusted},
		"expired leaf pinned":   {trust: Trust{Fingerprint: pki.Fingerprint(leaf), Now: func() time.Time { return time.Now().AddDate(1, 0, 0) }}, want: waptwua.ErrNotTrusted},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := w.client(t, func(cfg *Config) { cfg.Trust = tt.trust })
			_, _, err := c.Rules(t.Context(), "")
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if tt.says != "" && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q does not name the fingerprint to compare", err)
			}
		})
	}
}

func TestPinnedChainMustFitTheHost(t *testing.T) {
	w := start(t, serve(200, `{}`))
	c := w.client(t, func(cfg *Config) {
		cfg.Server = &url.URL{Scheme: "https", Host: "localhost:" + cfg.Server.Port()}
		cfg.Trust = Trust{Fingerprint: pki.Fingerprint(w.ca)}
	})
	if _, _, err := c.Rules(t.Context(), ""); !errors.Is(err, waptwua.ErrNotTrusted) {
		t.Fatalf("a certificate for 127.0.0.1 was taken for localhost: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	for _, s := range []string{"", "http://wapt.example.org", "https://", "https://user:secret@wapt.example.org"} {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(Config{Server: u}); err == nil {
			t.Errorf("address %q was accepted", s)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q shows a password", err)
		}
	}
}

func TestNoCredentialsForWhoAsks(t *testing.T) {
	for _, scheme := range []string{"NTLM", "Negotiate", `Basic realm="x"`} {
		var headers []http.Header
		w := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			headers = append(headers, r.Header.Clone())
			w.Header().Set("WWW-Authenticate", scheme)
			w.WriteHeader(http.StatusUnauthorized)
		}))
		_, err := w.client(t, nil).Report(t.Context(), &transport.Report{})
		if !errors.Is(err, waptwua.ErrForbidden) {
			t.Errorf("%s: got %v, want ErrForbidden", scheme, err)
		}
		if len(headers) != 1 || headers[0].Get("Authorization") != "" {
			t.Errorf("%s was answered: %v", scheme, headers)
		}
	}
}

func TestProxyOfTheEnvironmentIsIgnored(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("ALL_PROXY", "http://127.0.0.1:1")
	w := start(t, serve(200, `{"version":1}`))
	c := w.client(t, nil)
	if _, _, err := c.Rules(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	// Loopback is exempt from the environment's proxy, so look at the
	// decision itself as well.
	r := httptest.NewRequest(http.MethodGet, "https://elsewhere.example.org/", nil)
	if p, err := c.tr.Proxy(r); p != nil || err != nil {
		t.Errorf("proxy = %v, %v; want none", p, err)
	}
}

func TestRedirects(t *testing.T) {
	other := start(t, serve(200, `{"version":1}`))
	tests := map[string]struct {
		to   string
		want error
	}{
		"same host":    {to: "/moved"},
		"another host": {to: other.URL + "/x", want: waptwua.ErrNotTrusted},
		"plain http":   {to: "http://127.0.0.1/", want: waptwua.ErrNotTrusted},
		"in a circle":  {to: transport.PathRules, want: waptwua.ErrNotTrusted},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("/moved", serve(200, `{"version":1}`))
			mux.Handle("/", http.RedirectHandler(tt.to, http.StatusFound))
			w := start(t, mux)
			if _, _, err := w.client(t, nil).Rules(t.Context(), ""); !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestReportIsCompressedAndAnswered(t *testing.T) {
	w := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		var got transport.Report
		if err := json.NewDecoder(body).Decode(&got); err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(w).Encode(transport.ReportAck{Digest: got.Digest})
	}))
	for _, digest := range []string{"short", strings.Repeat("long", 2000)} {
		ack, err := w.client(t, nil).Report(t.Context(), &transport.Report{Digest: digest})
		if err != nil || ack.Digest != digest {
			t.Fatalf("got %v, %v", ack, err)
		}
	}
}

func TestErrorAnswers(t *testing.T) {
	tests := map[string]struct {
		status    int
		body      string
		want      error
		temporary bool
		says      string
	}{
		"token refused": {403, `{"detail":"the token is used up"}`, waptwua.ErrForbidden, false, "the token is used up"},
		"conflict":      {409, `{"error":"another key"}`, waptwua.ErrConflict, false, "another key"},
		"busy":          {503, `{}`, nil, true, "503"},
		"too many":      {429, `{}`, nil, true, "429"},
		"too large":     {413, `{}`, waptwua.ErrLimit, false, "413"},
		"terminal":      {500, `{"detail":"a\u001b[31mb"}`, nil, true, "a [31mb"},
		"endless":       {200, `{"describe":["` + strings.Repeat("x", maxAck) + `"]}`, waptwua.ErrLimit, false, ""},
		"not JSON":      {200, `<html>`, nil, false, "not what this version understands"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "7")
				serve(tt.status, tt.body)(w, r)
			}))
			_, err := w.client(t, nil).Report(t.Context(), &transport.Report{})
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if Temporary(err) != tt.temporary || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("temporary %v, %q; want %v, %q", Temporary(err), err, tt.temporary, tt.says)
			}
			if tt.status >= 400 && RetryAfter(err) != 7*time.Second {
				t.Errorf("RetryAfter = %v, want 7s", RetryAfter(err))
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	w := start(t, serve(200, `{}`))
	c := w.client(t, nil)
	w.Close()
	if _, _, err := c.Rules(t.Context(), ""); !errors.Is(err, ErrUnreachable) || !Temporary(err) {
		t.Errorf("server gone: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.Rules(ctx, ""); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnreachable) {
		t.Errorf("cancelled: %v", err)
	}
}
