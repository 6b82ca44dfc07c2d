package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/pki"
	"waptwua/server"
	"waptwua/transport"
)

// running is a server started by a test.
type running struct {
	serving
	dir  string
	made initialised
	stop func() error
}

// startServer makes a data directory and serves it on free ports.
func startServer(t *testing.T, set ...string) *running {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	// Nothing is fetched from outside: the upstream is a port where nobody listens.
	set = append([]string{"waptserver_port=0", "console_listen=127.0.0.1:0", "wapt_bind_interface=127.0.0.1", "upstream_url=http://127.0.0.1:1"}, set...)
	made, err := initSite(t.Context(), dir, set, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r := serveDir(t, dir)
	r.made = made
	return r
}

// serveDir serves an existing data directory.
func serveDir(t *testing.T, dir string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stdout, w := io.Pipe()
	var log bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		err := serve(ctx, dir, true, w, &log)
		w.CloseWithError(io.EOF)
		ended <- err
	}()
	r := &running{dir: dir}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		cancel()
		t.Fatalf("server did not start: %v", <-ended)
	}
	if err := json.Unmarshal([]byte(line), &r.serving); err != nil {
		t.Fatalf("announcement %q: %v", line, err)
	}
	stopped := false
	r.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("stopping: %v", err)
		}
		if t.Failed() {
			t.Logf("server's log:\n%s", log.String())
		}
	})
	return r
}

// host is a client with a key of its own.
type host struct {
	http http.Client
	uuid string
	base string
}

func (r *running) enrol(t *testing.T, token, uuid string) (*host, *http.Response) {
	t.Helper()
	key, err := pki.GenerateKey(pki.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.NewHostRequest(uuid, key)
	if err != nil {
		t.Fatal(err)
	}
	cas, err := loadCertificates(filepath.Join(r.dir, "pki", "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cas[0])
	conf := &tls.Config{RootCAs: pool}
	h := &host{http: http.Client{Transport: &http.Transport{TLSClientConfig: conf}}, uuid: uuid, base: r.Agents}
	t.Cleanup(h.http.CloseIdleConnections)
	var answer transport.EnrolResponse
	resp := h.post(t, transport.PathEnrol, transport.EnrolRequest{Version: 1, Token: token, CSR: string(csr), Host: waptwua.Host{UUID: uuid, Name: "pc1"}}, &answer)
	if resp.StatusCode == http.StatusOK {
		chain, err := pki.DecodeCertificates([]byte(answer.Certificate))
		if err != nil {
			t.Fatal(err)
		}
		id, err := pki.NewIdentity(key, chain...)
		if err != nil {
			t.Fatal(err)
		}
		h.http.CloseIdleConnections()
		h.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{id.TLS()}}}
	}
	return h, resp
}

func (h *host) post(t *testing.T, path string, in, out any) *http.Response {
	t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := h.http.Post(h.base+path, "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
			t.Fatal(err)
		}
	}
	return resp
}

// command runs a command of ours and returns its output.
func command(t *testing.T, in string, args ...string) string {
	t.Helper()
	cmd := newTokenCommand()
	switch args[0] {
	case "user":
		cmd = newUserCommand()
	case "rules":
		cmd = newRulesCommand()
	}
	var out bytes.Buffer
	cmd.SetArgs(args[1:])
	cmd.SetIn(strings.NewReader(in))
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out.String())
	}
	return strings.TrimSpace(out.String())
}

func TestInitServeEnrolReport(t *testing.T) {
	r := startServer(t)
	token := command(t, "", "token", "create", "--data", r.dir)
	h, resp := r.enrol(t, token, "00000000-0000-0000-0000-00000000000a")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("enrolling: %s", resp.Status)
	}
	if _, resp := r.enrol(t, token, "00000000-0000-0000-0000-00000000000b"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("enrolling a second host with a single-use token: %s, want 401", resp.Status)
	}
	state := &transport.State{Host: waptwua.Host{UUID: h.uuid, Name: "pc1"}, Status: waptwua.HostOK}
	rep, err := transport.Diff(nil, state)
	if err != nil {
		t.Fatal(err)
	}
	rep.Seq = 1
	var ack transport.ReportAck
	if resp := h.post(t, transport.PathReport, rep, &ack); resp.StatusCode != http.StatusOK || ack.Digest != rep.Digest {
		t.Fatalf("report: %s, %+v", resp.Status, ack)
	}
	if err := r.stop(); err != nil {
		t.Fatalf("stopping: %v", err)
	}
	again := serveDir(t, r.dir)
	h.base = again.Agents
	h.http.CloseIdleConnections()
	if resp := h.post(t, transport.PathReport, rep, &ack); resp.StatusCode != http.StatusOK || ack.Digest != rep.Digest {
		t.Errorf("the same report after a restart: %s, %+v", resp.Status, ack)
	}
}

func TestOneServerADirectory(t *testing.T) {
	r := startServer(t)
	err := serve(t.Context(), r.dir, true, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "runs in") {
		t.Errorf("a second server in the directory: %v", err)
	}
}

func TestInitRefusesExisting(t *testing.T) {
	dir := t.TempDir()
	if _, err := initSite(t.Context(), dir, nil, time.Now()); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("init in an existing directory: %v", err)
	}
}

func TestFirstSignIn(t *testing.T) {
	r := startServer(t)
	c := signedIn(t, r, r.made.User, r.made.Password)
	if status, _ := c.call(t, "GET", "/api/v1/summary", nil); status != http.StatusForbidden {
		t.Errorf("before the first password was changed: %d, want 403", status)
	}
	if status, text := c.call(t, "POST", "/api/v1/password", map[string]string{"old": r.made.Password, "new": "a better one, longer"}); status != http.StatusNoContent {
		t.Fatalf("changing the password: %d %s", status, text)
	}
	status, text := c.call(t, "GET", "/api/v1/summary", nil)
	if status != http.StatusOK {
		t.Fatalf("summary: %d %s", status, text)
	}
	var s server.Summary
	if err := json.Unmarshal(text, &s); err != nil || s.Hosts.Enrolled != 0 {
		t.Errorf("summary %s: %v", text, err)
	}
}
