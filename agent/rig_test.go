package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/agenttest"
	"waptwua/agent/settings"
	"waptwua/internal/pki"
	"waptwua/signing"
	"waptwua/transport"
	"waptwua/wua"
)

func TestMain(m *testing.M) {
	if os.Getenv(killAt) != "" {
		runChild()
		return
	}
	goleak.VerifyTestMain(m)
}

const hostID = "4c4c4544-0001-4000-8000-000000000001"

// rig is one host with its server.
type rig struct {
	t      testing.TB
	dir    string
	server *agenttest.Server
	host   *agenttest.Host
	clock  *clock
	ini    string // below [waptwua]
	global string // below [global]
	change func(*agent.Options)
	booted time.Time // zero: the agent does not know
}

func newRig(t testing.TB) *rig {
	t.Helper()
	dir := t.TempDir()
	r := &rig{t: t, dir: dir, server: agenttest.NewServer(t), host: &agenttest.Host{Dir: dir}, clock: &clock{t: time.Now().UTC().Truncate(time.Second)},
		ini: "enabled = true\ndefault_allow = true\n"}
	r.host.Now = r.clock.Now
	r.server.SetArchive([]byte("the scan archive of July"))
	return r
}

// clock is a time that moves only when somebody sleeps or a test says so.
type clock struct {
	mu    sync.Mutex
	t     time.Time
	sleep func(time.Duration) error // told before the time moves; nil: nobody
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if c.sleep != nil {
		if err := c.sleep(d); err != nil {
			return err
		}
	}
	c.Advance(d)
	return ctx.Err()
}

func (r *rig) settings() (*settings.Settings, error) {
	return settings.Parse(filepath.Join(r.dir, "wapt-get.ini"), fmt.Appendf(nil,
		"[global]\nwapt_server = %s\nuuid = %s\n%s\n[waptwua]\n%s\n", r.server.URL, hostID, r.global, r.ini))
}

// agent is a fresh agent on the same folder, as after a restart.
func (r *rig) agent() *agent.Agent {
	r.t.Helper()
	o := agent.Options{Dir: r.dir, Settings: r.settings, WUA: r.host, Packages: r.host, Booted: r.booted, Clock: r.clock, HostName: "pc1.example.org", Version: "1.0",
		Free: func(string) (uint64, error) { return 1 << 40, nil }}
	if r.change != nil {
		r.change(&o)
	}
	a, err := agent.New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(a.Close)
	return a
}

func (r *rig) register() {
	r.t.Helper()
	if err := r.agent().Register(r.t.Context(), agent.RegisterOptions{Token: agenttest.Token, CA: r.server.CAPEM()}); err != nil {
		r.t.Fatal(err)
	}
}

// offer makes the host offer an update, and the server have its file and
// statement.
func (r *rig) offer(n int, about waptwua.Update) waptwua.UpdateID {
	r.t.Helper()
	id := r.offerOnly(n, about)
	r.publish(id)
	return id
}

// offerOnly makes the host offer an update of which the server has nothing.
func (r *rig) offerOnly(n int, about waptwua.Update) waptwua.UpdateID {
	about.ID = waptwua.UpdateID{GUID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), Revision: 200}
	if about.Title == "" {
		about.Title = fmt.Sprintf("Update %d", n)
	}
	r.host.Updates = append(r.host.Updates, wua.Update{Update: about, Leaves: []wua.Leaf{{ID: about.ID}}})
	return about.ID
}

func (r *rig) publish(id waptwua.UpdateID) {
	r.t.Helper()
	content := []byte("payload of " + id.String())
	f := agenttest.FileOf("kb.cab", content)
	r.server.SetFile(f.StoredName(), content)
	r.server.State(r.t, id, f)
}

func (r *rig) held() *transport.State {
	r.t.Helper()
	h := r.server.Held(hostID)
	if h == nil {
		r.t.Fatal("the server holds nothing of this host")
	}
	return h
}

// wantStatus checks what the server was told about an update.
func (r *rig) wantStatus(id waptwua.UpdateID, want waptwua.Status) waptwua.OnHost {
	r.t.Helper()
	u := r.held().Updates[id]
	if u.Status != want {
		r.t.Fatalf("update %s is %q, want %s (verdict %+v, failure %+v)", id, u.Status, want, u.Verdict, u.Failure)
	}
	return u
}

func (r *rig) do(f func(context.Context) error) {
	r.t.Helper()
	if err := f(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) scan() {
	r.t.Helper()
	r.do(func(ctx context.Context) error { return r.agent().Scan(ctx, agent.ScanOptions{Force: true}) })
}
func (r *rig) download() {
	r.t.Helper()
	r.do(func(ctx context.Context) error { return r.agent().Download(ctx, agent.ScanOptions{}) })
}
func (r *rig) install() {
	r.t.Helper()
	r.do(func(ctx context.Context) error { return r.agent().Install(ctx, agent.InstallOptions{}) })
}

// admin is an administrator with a key of their own.
type admin struct {
	t      testing.TB
	id     pki.Identity
	signer *signing.Signer
}

func newAdmin(t testing.TB) admin {
	t.Helper()
	id, err := pki.NewAdministrator("Admin", pki.ECDSAP256, 10*365*24*time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s, err := signing.NewSigner(id)
	if err != nil {
		t.Fatal(err)
	}
	return admin{t: t, id: id, signer: s}
}

// trustedBy installs the administrator's certificate on the host.
func (a admin) trustedBy(r *rig) {
	dir := filepath.Join(r.dir, "ssl")
	err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "admin.crt"), pki.EncodeCertificates(a.id.Leaf()), 0o600))
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a admin) sign(name string, version int, rules string) string {
	a.t.Helper()
	payload, err := signing.RulesStatement{Name: name, Version: version, Created: time.Now().UTC(), Rules: json.RawMessage(rules)}.Encode()
	if err != nil {
		a.t.Fatal(err)
	}
	env, err := signing.Sign(signing.TypeRules, payload, a.signer)
	if err != nil {
		a.t.Fatal(err)
	}
	text, err := env.Encode()
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}
