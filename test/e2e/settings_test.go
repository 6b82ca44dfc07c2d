package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/origin"
	"waptwua/test/rig"
)

// TestSettings has one computer for each setting of [waptwua] that permits or
// restricts, with rules that allow everything. What decided is read from the
// server.
func TestSettings(t *testing.T) {
	t.Parallel()
	w := rig.NewWorld(t, small, 1, 1)
	s := rig.New(t, w.Origin(origin.Faults{}), map[string]string{"archive_roots": w.Roots})
	s.Start()
	s.Rules(1, `{"default_allow":true}`)
	s.WaitCatalogue()
	for n, c := range []struct {
		name     string
		options  map[string]string
		command  []string
		exit     int
		says     string
		installs bool
		reason   string // of every verdict on what is lacking afterwards
	}{
		{name: "the rules decide", command: []string{"waptwua-install"}, installs: true},
		{name: "install_delay", options: map[string]string{"install_delay": "3650d"}, command: []string{"waptwua-install"}, reason: "install_delay"},
		{name: "install_delay that cannot be read", options: map[string]string{"install_delay": "soon"}, command: []string{"waptwua-install"}, reason: "install_delay"},
		{name: "default_allow wins over packages", options: map[string]string{"default_allow": "False"}, command: []string{"waptwua-install"}, reason: "default_allow"},
		{name: "forbidden severities win", options: map[string]string{"forbidden_severities": "Critical, Important, Moderate, Low, Other"}, command: []string{"waptwua-install"}, reason: "forbidden_severities"},
		{name: "enabled is false", options: map[string]string{"enabled": "False"}, command: []string{"waptwua-install"}, exit: 1, says: "enabled is not true"},
		{name: "enabled is not set", options: map[string]string{"enabled": "None"}, command: []string{"waptwua-install"}, exit: 1, says: "enabled is not true"},
		{name: "shutdown without install_at_shutdown", command: []string{"waptwua-install", "--at-shutdown"}},
		{name: "shutdown with install_at_shutdown", options: map[string]string{"install_at_shutdown": "True"}, command: []string{"waptwua-install", "--at-shutdown"}, installs: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			pc := s.NewComputer(w, n, map[string]string{"enabled": "True"})
			for name, value := range c.options {
				pc.Set("waptwua", name, value)
			}
			pc.Register()
			ready(t, pc)
			if code, text := pc.Run(c.command...); code != c.exit || !strings.Contains(text, c.says) {
				t.Errorf("exit %d, want %d with %q:\n%s", code, c.exit, c.says, text)
			}
			h := s.Host(pc.UUID)
			installed := 0
			for _, u := range h.List {
				if !u.Installed.IsZero() {
					installed++
				}
				if c.reason != "" && u.Status != waptwua.StatusOK && (u.Status != waptwua.StatusDiscarded || u.Verdict.Reason != c.reason) {
					t.Errorf("%s is %s: %+v, want it discarded by %s", u.ID, u.Status, u.Verdict, c.reason)
				}
			}
			if installed > 0 != c.installs || len(h.List) == 0 {
				t.Errorf("%d of %d updates were installed, want some: %v", installed, len(h.List), c.installs)
			}
		})
	}
}

// ready has a computer download until it has the files of all that it may
// install.
func ready(t *testing.T, pc *rig.Computer) {
	t.Helper()
	rig.Until(t, time.Minute, func() (bool, string) {
		if code, text := pc.Run("waptwua-download"); code != 0 {
			return false, fmt.Sprintf("waptwua-download: exit %d: %s", code, text)
		}
		for _, u := range pc.Status().State.Updates {
			if u.Verdict.Decision == waptwua.Allowed && u.Status != waptwua.StatusOK && !u.Downloaded {
				return false, fmt.Sprintf("%s is %s", u.ID, u.Status)
			}
		}
		return true, ""
	})
}

// TestDirectDownload takes the server away when a computer knows what it
// needs and has no file yet. It asks Microsoft only where it may, and only
// for what the server has signed.
func TestDirectDownload(t *testing.T) {
	t.Parallel()
	w := rig.NewWorld(t, small, 1, 1)
	o := w.Origin(origin.Faults{})
	s := rig.New(t, o, map[string]string{"archive_roots": w.Roots})
	proxy := &recorder{microsoft: o}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	s.Start()
	s.Rules(1, `{"default_allow":true}`)
	s.WaitCatalogue()
	pc := s.NewComputer(w, 0, map[string]string{"enabled": "True"})
	pc.Register()
	ready(t, pc)
	s.Server.Kill()

	pc.Set("global", "http_proxy", front.URL)
	pc.Set("global", "use_http_proxy_for_repo", "True")
	pc.Forget()
	pc.Set("waptwua", "allow_direct_download", "perhaps")
	if code, text := pc.Run("waptwua-download", "--force"); code == 0 || len(proxy.asked()) > 0 {
		t.Errorf("allow_direct_download cannot be read: exit %d, Microsoft was asked for %v; want a failure and silence\n%s", code, proxy.asked(), text)
	}
	pc.Set("waptwua", "allow_direct_download", "True")
	code, text := pc.Run("waptwua-download", "--force")
	if code == 0 || len(proxy.asked()) == 0 {
		t.Errorf("allow_direct_download: exit %d, Microsoft was asked for %v; want the report undelivered and files asked for\n%s", code, proxy.asked(), text)
	}
	for id, u := range pc.Status().State.Updates {
		if u.Verdict.Decision == waptwua.Allowed && u.Status != waptwua.StatusOK && !u.Downloaded {
			t.Errorf("%s is %s, want its files from Microsoft", id, u.Status)
		}
	}
}

// recorder is a proxy that reaches only Microsoft, and notes what it is asked
// for there.
type recorder struct {
	microsoft http.Handler
	mu        sync.Mutex
	all       []string
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !strings.HasSuffix(req.URL.Hostname(), ".windowsupdate.com") {
		http.Error(w, "this proxy knows only Microsoft", http.StatusBadGateway)
		return
	}
	r.mu.Lock()
	r.all = append(r.all, req.URL.String())
	r.mu.Unlock()
	r.microsoft.ServeHTTP(w, req)
}

func (r *recorder) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all
}
