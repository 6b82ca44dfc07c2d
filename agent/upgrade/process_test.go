//go:build linux

package upgrade_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"waptwua/agent/upgrade"
	"waptwua/internal/fixture"
	"waptwua/internal/pki"
	"waptwua/signing"
)

// programs builds testdata/agent once for each version and kind.
type programs struct {
	dir  string
	mu   sync.Mutex
	made map[string][]byte
}

func (p *programs) get(t *testing.T, version, kind string) []byte {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if b, ok := p.made[version+kind]; ok {
		return b
	}
	out := filepath.Join(p.dir, "agent-"+version+kind)
	c := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+version+" -X main.kind="+kind, "-o", out, "./agent/upgrade/testdata/agent")
	c.Dir, c.Env = fixture.Root(t), append(os.Environ(), "CGO_ENABLED=0")
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("building version %s: %v\n%s", version, err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	p.made[version+kind] = b
	return b
}

// host is a folder with a program in version 1.0.0 and what its server
// offers: see testdata/agent.
type host struct {
	t   *testing.T
	dir string
}

func newHost(t *testing.T, p *programs, kind string) *host {
	t.Helper()
	h := &host{t: t, dir: t.TempDir()}
	for _, d := range []string{"dir", "source"} {
		if err := os.Mkdir(h.path(d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	id, err := pki.NewAdministrator("releases", pki.ECDSAP256, 365*24*time.Hour, time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	content := p.get(t, "2.0.0", kind)
	rel := signing.Release{Product: signing.ProductAgent, Version: "2.0.0", Created: time.Now(), NotAfter: time.Now().AddDate(0, 1, 0),
		Files: []signing.ReleaseFile{{Platform: "test/test", Name: "agent-2.0.0", Size: int64(len(content)), SHA256: sha256.Sum256(content)}}}
	payload, err := rel.Encode()
	if err != nil {
		t.Fatal(err)
	}
	s, err := signing.NewSigner(id)
	if err != nil {
		t.Fatal(err)
	}
	env, err := signing.Sign(signing.TypeRelease, payload, s)
	if err != nil {
		t.Fatal(err)
	}
	text, err := env.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"agent": p.get(t, "1.0.0", ""), "source/agent-2.0.0": content, "source/release.json": text, "release.crt": pki.EncodeCertificates(id.Leaf())} {
		if err := os.WriteFile(h.path(name), b, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(h.stop)
	return h
}

func (h *host) path(name string) string { return filepath.Join(h.dir, filepath.FromSlash(name)) }

// run runs a command of the host's program. killed says that it, or the
// guard it waits for, killed itself.
func (h *host) run(command string, env ...string) (out string, err error) {
	h.t.Helper()
	c := exec.CommandContext(h.t.Context(), h.path("agent"), command)
	c.Dir, c.Env = h.dir, append(os.Environ(), env...)
	f, err := os.CreateTemp(h.dir, "out") // not a pipe: services would keep it open
	if err != nil {
		h.t.Fatal(err)
	}
	defer f.Close()
	c.Stdout, c.Stderr = f, f
	err = c.Run()
	b, readErr := os.ReadFile(f.Name())
	if readErr != nil {
		h.t.Fatal(readErr)
	}
	return strings.TrimSpace(string(b)), err
}

func (h *host) version() string {
	h.t.Helper()
	v, err := h.run("version")
	if err != nil {
		h.t.Fatalf("the program does not start: %v %s", err, v)
	}
	return v
}

// stop ends the service, as a shutdown does, and returns when it has ended.
func (h *host) stop() {
	text, err := os.ReadFile(h.path("pid"))
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		h.t.Error(err)
		return
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	for alive(pid) {
		time.Sleep(time.Millisecond)
	}
	_ = os.Remove(h.path("pid"))
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && len(b) > 0
}

// boot starts the service as Windows does after a restart, again when it
// ends by itself, and returns which version then runs.
func (h *host) boot(env ...string) string {
	h.t.Helper()
	h.stop()
	for range 5 {
		_ = os.Remove(h.path("running"))
		c := exec.CommandContext(h.t.Context(), h.path("agent"), "service")
		c.Dir, c.Env = h.dir, append(os.Environ(), env...)
		if err := c.Start(); err != nil {
			h.t.Fatalf("the program does not start: %v", err)
		}
		if err := os.WriteFile(h.path("pid"), []byte(strconv.Itoa(c.Process.Pid)), 0o600); err != nil {
			h.t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = c.Wait(); close(ended) }()
		if v := h.running(ended); v != "" {
			return v
		}
	}
	h.t.Fatal("the service ends again and again")
	return ""
}

// running waits until the service says that it runs, or has ended.
func (h *host) running(ended <-chan struct{}) string {
	h.t.Helper()
	for {
		b, err := os.ReadFile(h.path("running"))
		if err == nil && len(b) > 0 {
			return string(b)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			h.t.Fatal(err)
		}
		select {
		case <-ended:
			return ""
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (h *host) failures() []upgrade.Failure {
	h.t.Helper()
	f, err := upgrade.Failures(h.path("dir"))
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

func newPrograms(t *testing.T) *programs {
	if testing.Short() {
		t.Skip("builds programs")
	}
	return &programs{dir: t.TempDir(), made: map[string][]byte{}}
}

func TestExchange(t *testing.T) {
	h := newHost(t, newPrograms(t), "")
	if v := h.boot(); v != "1.0.0" {
		t.Fatalf("version %s runs", v)
	}
	if out, err := h.run("update"); err != nil {
		t.Fatalf("update: %v %s", err, out)
	}
	if v := h.version(); v != "2.0.0" {
		t.Errorf("version %s after the update", v)
	}
	if v, err := upgrade.Highest(h.path("dir")); err != nil || v != "2.0.0" {
		t.Errorf("highest version %q, %v", v, err)
	}
	if v := h.boot(); v != "2.0.0" {
		t.Errorf("version %s runs after a restart", v)
	}
	if left, err := filepath.Glob(h.path("agent.*")); err != nil || len(left) > 0 {
		t.Errorf("left beside the program: %v, %v", left, err)
	}
	if out, err := h.run("update"); err == nil || !strings.Contains(out, "unchanged") {
		t.Errorf("a second update: %v %s", err, out)
	}
}

// patience is the guard's: short where it waits in vain.
func patience(kind string) string {
	if kind == "mute" {
		return "LIMIT=500ms"
	}
	return "LIMIT=1m"
}

// TestBadVersionGoesBack: whatever is wrong with the new version, the old
// one runs afterwards, and the bad one is not tried again.
func TestBadVersionGoesBack(t *testing.T) {
	p := newPrograms(t)
	for kind, final := range map[string]bool{"crash": true, "unwell": true, "mute": false, "offline": false} {
		t.Run(kind, func(t *testing.T) {
			h := newHost(t, p, kind)
			h.boot()
			if out, err := h.run("update", patience(kind)); err == nil {
				t.Errorf("taken: %s", out)
			}
			if v := h.version(); v != "1.0.0" {
				t.Errorf("version %s is there", v)
			}
			if v := h.boot(); v != "1.0.0" {
				t.Errorf("version %s runs", v)
			}
			if f := h.failures(); len(f) != 1 || f[0].Version != "2.0.0" || f[0].Final != final {
				t.Errorf("failures %+v, want final: %v", f, final)
			}
			if out, err := h.run("update"); err == nil || !strings.Contains(out, "failed here") {
				t.Errorf("tried again at once: %v %s", err, out)
			}
		})
	}
}

// TestKilledAnywhere kills the agent, or its guard, at every step. The
// program must start, a restart must bring back a service, and the exchange
// must succeed a day later at the latest.
func TestKilledAnywhere(t *testing.T) {
	p := newPrograms(t)
	for _, step := range []string{"offered", "fetched", "staged", "checked", "pending", "stopped", "kept", "exchanged", "started"} {
		t.Run(step, func(t *testing.T) {
			h := newHost(t, p, "")
			h.boot()
			if out, err := h.run("update", "KILL_AT="+step); err == nil {
				t.Fatalf("it was not killed: %s", out)
			}
			h.version() // it starts
			v := h.boot()
			if v != h.version() {
				t.Errorf("version %s runs, %s is there", v, h.version())
			}
			if v == "1.0.0" {
				if out, err := h.run("update", "HOURS=25"); err != nil {
					t.Fatalf("a day later: %v %s", err, out)
				}
			}
			if v := h.boot("HOURS=25"); v != "2.0.0" {
				t.Errorf("in the end version %s runs", v)
			}
			if f := h.failures(); len(f) != 0 {
				t.Errorf("failures are left: %+v", f)
			}
		})
	}
}

// TestKilledOnTheWayBack: the guard dies while it puts the old program back.
func TestKilledOnTheWayBack(t *testing.T) {
	p := newPrograms(t)
	for _, kind := range []string{"crash", "mute"} {
		for _, step := range []string{"restored", "noted"} {
			t.Run(kind+" "+step, func(t *testing.T) {
				h := newHost(t, p, kind)
				h.boot()
				if out, err := h.run("update", "KILL_AT="+step, patience(kind)); err == nil {
					t.Fatalf("it was not killed: %s", out)
				}
				if v := h.boot(); v != "1.0.0" {
					t.Errorf("version %s runs", v)
				}
				if len(h.failures()) != 1 {
					t.Errorf("failures %+v", h.failures())
				}
			})
		}
	}
}

// TestGuardIsGone: the guard dies right after the exchange, and the new
// version is bad. It puts the old one back by itself.
func TestGuardIsGone(t *testing.T) {
	h := newHost(t, newPrograms(t), "crash")
	h.boot()
	if out, err := h.run("update", "KILL_AT=exchanged"); err == nil {
		t.Fatalf("it was not killed: %s", out)
	}
	if v := h.version(); v != "2.0.0" {
		t.Fatalf("version %s is there", v)
	}
	if v := h.boot(); v != "1.0.0" { // after some starts
		t.Errorf("version %s runs", v)
	}
	if f := h.failures(); len(f) != 1 || !f[0].Final {
		t.Errorf("failures %+v", f)
	}
}
