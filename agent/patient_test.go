package agent_test

import (
	"errors"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/wua"
)

// Windows searches on its own from time to time; the agent waits for it.
func TestWaitsWhileWUAIsBusy(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.host.Broken = map[string]error{"search": &wua.Error{Op: "search", Code: wua.OperationInProgress}}
	naps := 0
	r.clock.sleep = func(time.Duration) error {
		if naps++; naps == 3 {
			delete(r.host.Broken, "search")
		}
		return nil
	}
	r.scan()
	r.wantStatus(id, waptwua.StatusPending)
	if r.host.Searches() != 4 {
		t.Errorf("%d searches, want 4", r.host.Searches())
	}
}

// busyFor makes a call fail with that code until the agent has waited n times.
func (r *rig) busyFor(call string, code wua.Code, n int) {
	r.host.Broken = map[string]error{call: &wua.Error{Op: call, Code: code}}
	r.clock.sleep = func(time.Duration) error {
		if n--; n == 0 {
			delete(r.host.Broken, call)
		}
		return nil
	}
}

func TestWaitsForAnotherInstallation(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.busyFor("install", wua.InstallNotAllowed, 3)
	r.install()
	r.wantStatus(id, waptwua.StatusOK)
	r.host.Updates[0].Uninstallable = true
	for _, code := range []wua.Code{wua.OperationInProgress, wua.InstallNotAllowed} {
		r.busyFor("uninstall", code, 3)
		if err := r.uninstall(agent.UninstallOptions{Updates: []waptwua.UpdateID{id}}); err != nil {
			t.Fatal(err)
		}
		r.clock.sleep = nil
		r.wantStatus(id, waptwua.StatusPending)
		r.install()
	}
}

// After an installation that wants a restart none is allowed: no wait helps.
func TestDoesNotWaitForARestart(t *testing.T) {
	r := newRig(t)
	r.register()
	r.offer(1, waptwua.Update{})
	r.host.Broken = map[string]error{"install": &wua.Error{Op: "install", Code: wua.InstallNotAllowed}}
	r.host.Stuck = true
	r.clock.sleep = func(time.Duration) error {
		t.Error("waited")
		return nil
	}
	if err := r.agent().Install(t.Context(), agent.InstallOptions{Force: true}); !errors.Is(err, &wua.Error{Code: wua.InstallNotAllowed}) {
		t.Errorf("got %v", err)
	}
}
