package agent_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
)

// wantWaits runs an installation at shutdown that must not begin.
func (r *rig) wantWaits(f func(context.Context) error, reason string) {
	r.t.Helper()
	calls := len(r.host.Calls())
	err := f(r.t.Context())
	var waits agent.Waits
	if !errors.As(err, &waits) || !errors.Is(err, waptwua.ErrUnchanged) || !strings.Contains(waits.Reason, reason) {
		r.t.Fatalf("got %v, want it to wait: %s", err, reason)
	}
	if len(r.host.Calls()) != calls {
		r.t.Fatal("installed all the same")
	}
}

func TestShutdownObeysTheSetting(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.wantWaits(r.agent().Shutdown, "install_at_shutdown")
	r.ini += "install_at_shutdown = true\n"
	r.do(r.agent().Shutdown)
	r.wantStatus(id, waptwua.StatusOK)
}

// What the user refuses, the service does not do in the same shutdown.
func TestRefusedShutdown(t *testing.T) {
	for name, c := range map[string]struct {
		booted bool
		later  func(*rig)
	}{
		"until the restart":                      {true, (*rig).reboot},
		"until the script is not waited for":     {true, func(r *rig) { r.clock.Advance(71 * time.Minute) }},
		"where the start of the host is unknown": {false, func(r *rig) { r.clock.Advance(71 * time.Minute) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if c.booted {
				r.booted = r.clock.Now().Add(-time.Hour)
			}
			r.ini += "install_at_shutdown = true\n"
			r.register()
			id := r.offer(1, waptwua.Update{})
			if err := r.agent().RefuseShutdown(); err != nil {
				t.Fatal(err)
			}
			r.clock.Advance(time.Minute)
			r.wantWaits(r.agent().Shutdown, "has not agreed")
			c.later(r)
			r.do(r.agent().Shutdown)
			r.wantStatus(id, waptwua.StatusOK)
		})
	}
}

// What was installed in the dialog is not installed once more by the service;
// another dialog may, and so may whoever decides anew.
func TestAgreedShutdown(t *testing.T) {
	r := newRig(t)
	r.booted = r.clock.Now().Add(-time.Hour)
	r.ini += "install_at_shutdown = true\n"
	r.register()
	id := r.offer(1, waptwua.Update{})
	if err := r.agent().RefuseShutdown(); err != nil {
		t.Fatal(err)
	}
	r.do(r.agent().ShutdownAgreed)
	r.wantStatus(id, waptwua.StatusOK)
	r.offer(2, waptwua.Update{})
	r.wantWaits(r.agent().Shutdown, "waptexit has installed")
	r.do(r.agent().ShutdownAgreed)
	if n := len(r.host.Calls()); n != 2 {
		t.Errorf("%d installations, want 2", n)
	}
}

// Nobody is asked about an installation that would not begin.
func TestBeforeShutdown(t *testing.T) {
	r := newRig(t)
	r.register()
	r.offer(1, waptwua.Update{})
	r.wantWaits(r.agent().BeforeShutdown, "install_at_shutdown")
	r.ini += "install_at_shutdown = true\n"
	r.do(r.agent().BeforeShutdown)
	power := &power{battery: true}
	r.change = func(o *agent.Options) { o.Conditions = power }
	r.wantWaits(r.agent().BeforeShutdown, "battery")
	r.wantWaits(r.agent().ShutdownAgreed, "battery")
	power.battery = false
	r.ini += "freeze_dates = 2000-01-01..9999-12-31\n"
	if err := r.agent().BeforeShutdown(t.Context()); !errors.Is(err, agent.ErrWindowClosed) {
		t.Errorf("frozen: %v", err)
	}
}

// A failure of the operation is not hidden behind a report that failed, too.
func TestFailureIsNotCalledUnreported(t *testing.T) {
	r := newRig(t)
	err := r.agent().Scan(t.Context(), agent.ScanOptions{})
	if !errors.Is(err, agent.ErrNotRegistered) || errors.Is(err, agent.ErrNotReported) {
		t.Errorf("got %v", err)
	}
}
