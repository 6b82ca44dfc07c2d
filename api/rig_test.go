package api_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"waptwua"
	"waptwua/api"
	"waptwua/blob/file"
	"waptwua/internal/pki"
	"waptwua/notify/inproc"
	"waptwua/server"
	"waptwua/signing"
	"waptwua/store/sqlite"
	"waptwua/transport"
)

func TestMain(m *testing.M) {
	// database/sql ends this goroutine after Close returned.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

// rig is both listeners over real services, database and folder. Nothing
// beyond them is there: no archive, no origin, no job runs.
type rig struct {
	*server.Server
	ctx    context.Context // of an administrator
	ca     pki.Identity
	shelf  *file.Store
	agents *httptest.Server
	admin  *httptest.Server
	api    *api.Administration
}

const uuidA = "00000000-0000-0000-0000-00000000000a"

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{ctx: server.WithActor(t.Context(), server.CommandLine())}
	now := time.Now
	db := must(sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "server.db")))(t)
	t.Cleanup(func() { check(t, db.Close()) })
	r.shelf = must(file.Open(t.TempDir()))(t)
	t.Cleanup(func() { check(t, r.shelf.Close()) })
	releases := must(file.Open(t.TempDir()))(t)
	t.Cleanup(func() { check(t, releases.Close()) })
	r.ca = must(pki.NewServerAuthority("test", 10000*time.Hour, now()))(t)
	authority := must(pki.NewAuthority(r.ca, now))(t)
	key := must(pki.GenerateKey(pki.ECDSAP256))(t)
	signer := must(signing.NewSigner(must(pki.NewIdentity(key, must(authority.IssueSigner(key.Public(), "s", 9000*time.Hour))(t)))(t)))(t)
	log := slog.New(slog.DiscardHandler)
	r.Server = must(server.New(server.Parts{
		Store: db, Shelf: r.shelf, Releases: releases, Notify: new(inproc.Notifier), Queue: nothing{}, Archiver: nothing{}, Fetcher: nothing{}, Scrubber: nothing{}, Loader: nothing{},
		Authority: authority, Signer: signer, Settings: server.DefaultSettings(), Log: log,
	}))(t)
	own := must(pki.NewIdentity(key, must(authority.IssueServer(key.Public(), []string{"127.0.0.1"}, 9000*time.Hour))(t)))(t)
	r.agents = httptest.NewUnstartedServer(api.NewAgents(r.Server, log, now))
	r.agents.TLS = api.AgentTLS(own.TLS(), r.ca.Leaf())
	r.agents.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	r.agents.StartTLS()
	t.Cleanup(r.agents.Close)
	console := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		actor, _ := server.ActorOf(req.Context())
		fmt.Fprintf(w, "page for %s", actor.Name)
	})
	r.api = api.NewAdministration(r.Server, api.NewSessions(r.Accounts, false, log, now), console, "test", log)
	r.admin = httptest.NewServer(r.api)
	t.Cleanup(r.admin.Close)
	return r
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		check(t, err)
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// nothing plays the origin and the queue of a server that has just been made.
type nothing struct{}

func (nothing) Run(context.Context, server.Job, string, bool) error { return nil }
func (nothing) Download(context.Context, string) error              { return nil }
func (nothing) RetryNow(context.Context) error                      { return nil }
func (nothing) Soon()                                               {}
func (nothing) Scrub(context.Context) ([]string, error)             { return nil, nil }
func (nothing) Fetch(context.Context, waptwua.File, func(int64)) error {
	return waptwua.ErrNotFound
}
func (nothing) Load(context.Context) (server.Catalogue, error) { return nil, waptwua.ErrNotFound }
func (nothing) Published(context.Context) (waptwua.Archive, error) {
	return waptwua.Archive{}, waptwua.ErrNotFound
}
func (nothing) Refresh(context.Context, bool, func(done, total int64)) (waptwua.Archive, error) {
	return waptwua.Archive{}, waptwua.ErrNotFound
}

// enrolled returns a client with the certificate of a host that enrolled.
func (r *rig) enrolled(t *testing.T, uuid string) *http.Client {
	t.Helper()
	_, token, err := r.Accounts.CreateToken(r.ctx, server.NewToken{Kind: server.KindEnrol})
	check(t, err)
	key := must(pki.GenerateKey(pki.ECDSAP256))(t)
	csr := must(pki.NewHostRequest(uuid, key))(t)
	req := transport.EnrolRequest{Version: 1, Token: token, CSR: string(csr), Host: waptwua.Host{UUID: uuid, Name: "pc1"}}
	var answer transport.EnrolResponse
	resp := send(t, r.client(t), "POST", r.agents.URL+transport.PathEnrol, must(json.Marshal(req))(t))
	if resp.status != http.StatusOK {
		t.Fatalf("enrolling: %d %s", resp.status, resp.body)
	}
	check(t, json.Unmarshal(resp.body, &answer))
	chain := must(pki.DecodeCertificates([]byte(answer.Certificate)))(t)
	return r.client(t, must(pki.NewIdentity(key, chain...))(t).TLS())
}

// client trusts the server and shows certificates.
func (r *rig) client(t *testing.T, certs ...tls.Certificate) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(r.ca.Leaf())
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: certs}, DisableCompression: true}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// signedIn returns a browser in which a new user of the role is signed in.
func (r *rig) signedIn(t *testing.T, role server.Role) *http.Client {
	t.Helper()
	name := "user-" + string(role)
	check(t, r.Accounts.AddUser(r.ctx, name, "a good password", role, false))
	c := r.browser(t)
	if resp := login(t, c, r.admin.URL, name, "a good password"); resp.status != http.StatusOK {
		t.Fatalf("signing in: %d %s", resp.status, resp.body)
	}
	return c
}

func (r *rig) browser(t *testing.T) *http.Client {
	t.Helper()
	c := &http.Client{Jar: must(cookiejar.New(nil))(t), Transport: &http.Transport{}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func login(t *testing.T, c *http.Client, base, name, password string) answer {
	t.Helper()
	return send(t, c, "POST", base+"/api/v1/login", must(json.Marshal(map[string]string{"user": name, "password": password}))(t))
}

// answer is a response, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send sends a request; headers are "Name: value".
func send(t *testing.T, c *http.Client, method, url string, body []byte, headers ...string) answer {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body)))(t)
	req.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp := must(c.Do(req))(t)
	defer resp.Body.Close()
	return answer{resp.StatusCode, resp.Header, must(io.ReadAll(resp.Body))(t)}
}
