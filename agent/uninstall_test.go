package agent_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/wua"
)

func (r *rig) uninstall(o agent.UninstallOptions) error {
	r.t.Helper()
	return r.agent().Uninstall(r.t.Context(), o)
}

func TestUninstall(t *testing.T) {
	for name, c := range map[string]struct {
		byWUA, restart bool
	}{
		"by WUA":                    {true, false},
		"by its packages":           {false, false},
		"by WUA, with restart":      {true, true},
		"by packages, with restart": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.booted = r.clock.Now().Add(-time.Hour)
			r.register()
			id := r.offer(1, waptwua.Update{KBs: []waptwua.KB{5101650}})
			r.install()
			r.host.Updates[0].Uninstallable = c.byWUA
			r.host.Restart = map[waptwua.UpdateID]bool{id: c.restart}
			if err := r.uninstall(agent.UninstallOptions{Updates: []waptwua.UpdateID{id}}); err != nil {
				t.Fatal(err)
			}
			if c.restart {
				r.wantStatus(id, waptwua.StatusReboot)
				r.reboot()
				r.scan()
			}
			u := r.wantStatus(id, waptwua.StatusPending)
			if u.Failure != nil {
				t.Errorf("a removal is no failure: %+v", u.Failure)
			}
			r.wantPhases(id, upToInstalling+", verified, needed, downloaded")
			if a := r.held().LastAction; !c.restart && (a.Kind != "uninstall" || a.Error != "") {
				t.Errorf("last action %+v", a)
			}
		})
	}
}

func TestUninstallRefusals(t *testing.T) {
	r := newRig(t)
	r.register()
	installed, needed := r.offer(1, waptwua.Update{}), r.offer(2, waptwua.Update{})
	kept := r.offer(3, waptwua.Update{KBs: []waptwua.KB{42}})
	r.host.Fail = map[waptwua.UpdateID]wua.Code{needed: 0x80070005}
	r.install()
	r.host.Exit = map[waptwua.UpdateID]uint32{kept: 0x800F0825}
	for name, c := range map[string]struct {
		o    agent.UninstallOptions
		want error
	}{
		"not installed": {agent.UninstallOptions{Updates: []waptwua.UpdateID{needed}}, waptwua.ErrNotFound},
		"not known":     {agent.UninstallOptions{Updates: []waptwua.UpdateID{{GUID: "00000000-0000-4000-8000-00000000ffff", Revision: 1}}}, waptwua.ErrNotFound},
		"no package":    {agent.UninstallOptions{KBs: []waptwua.KB{7}}, waptwua.ErrNotFound},
		"no way":        {agent.UninstallOptions{Updates: []waptwua.UpdateID{installed}}, &wua.Error{Code: wua.UninstallNotAllowed}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := r.uninstall(c.o); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
	var permanent *wua.Error
	if err := r.uninstall(agent.UninstallOptions{KBs: []waptwua.KB{42}}); !errors.As(err, &permanent) || permanent.Code != 0x800F0825 {
		t.Errorf("a permanent package: %v", err)
	}
	r.wantStatus(kept, waptwua.StatusOK)
	r.ini = "enabled = false\n"
	if err := r.uninstall(agent.UninstallOptions{KBs: []waptwua.KB{42}}); !errors.Is(err, agent.ErrNotEnabled) {
		t.Errorf("although not enabled: %v", err)
	}
}

// An agent that is killed while it removes an update finds out afterwards
// what became of it.
func TestKilledWhileUninstalling(t *testing.T) {
	for _, at := range []string{"wua removing", "wua removed", "uninstall removing", "uninstall removed"} {
		t.Run(at, func(t *testing.T) {
			r := newRig(t)
			r.register()
			id := r.offer(1, waptwua.Update{})
			r.install()
			r.host.Updates[0].Uninstallable = true
			dieAt := func(step string) {
				if step == at {
					panic(death{})
				}
			}
			r.host.Reached, r.change = dieAt, func(o *agent.Options) { o.Reached = dieAt }
			func() {
				defer func() {
					if _, ok := recover().(death); !ok {
						t.Error("the agent survived")
					}
				}()
				_ = r.uninstall(agent.UninstallOptions{Updates: []waptwua.UpdateID{id}})
			}()
			r.host.Reached, r.change = nil, nil
			r.do(func(ctx context.Context) error { return r.agent().Scan(ctx, agent.ScanOptions{}) })
			want := waptwua.StatusOK
			if at == "wua removed" || at == "uninstall removed" {
				want = waptwua.StatusPending
			}
			if u := r.wantStatus(id, want); u.Failure != nil {
				t.Errorf("failure %+v", u.Failure)
			}
		})
	}
}
