package sim_test

import (
	"context"
	"testing"
	"time"

	"waptwua"
	"waptwua/wua"
	"waptwua/wua/sim"
	"waptwua/wua/wuatest"
)

// clock is a time that every look moves on by a second.
func clock() func() time.Time {
	now := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

func TestContract(t *testing.T) {
	wuatest.Run(t, open)
}

func open(t *testing.T, w *wuatest.World, faults ...wuatest.Fault) wuatest.Fixture {
	t.Helper()
	o := sim.Options{
		Dir: t.TempDir(), Machine: w.Machine, Now: clock(), Script: script(t, faults),
		Graphs: sim.NewGraphs(sim.GraphsOptions{Roots: w.Roots, Now: time.Now}),
	}
	h := mustOpen(t, o)
	return wuatest.Fixture{
		Host:    h,
		Restart: func(ctx context.Context) error { return h.Restart(ctx) },
		Reopen:  func() wua.Host { return mustOpen(t, o) },
	}
}

func mustOpen(t *testing.T, o sim.Options) *sim.Host {
	t.Helper()
	h, err := sim.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func script(t *testing.T, faults []wuatest.Fault) *sim.Script {
	t.Helper()
	var list []sim.Fault
	for _, f := range faults {
		s := sim.Fault{Call: f.Call, Effect: sim.Effect(f.Effect), Last: f.Times}
		if f.Update != (waptwua.UpdateID{}) {
			s.Update = f.Update.String()
		}
		if f.Code != wua.OK {
			s.Code = f.Code.String()
		}
		if f.Effect == wuatest.NeverReturn {
			s.Effect, s.Delay = sim.Fail, "1000h"
		}
		list = append(list, s)
	}
	s, err := sim.NewScript(list...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEachUpdateIsDurableBeforeTheNext looks at the log when the second
// update of a call begins.
func TestEachUpdateIsDurableBeforeTheNext(t *testing.T) {
	w, dir := wuatest.NewWorld(t), t.TempDir()
	h := mustOpen(t, sim.Options{
		Dir: dir, Machine: w.Machine, Now: clock(),
		Graphs: sim.NewGraphs(sim.GraphsOptions{Roots: w.Roots, Now: time.Now}),
	})
	found, err := h.Search(t.Context(), wua.Query{Archive: w.Archive, Criteria: "IsInstalled=0"})
	if err != nil {
		t.Fatal(err)
	}
	var ids []waptwua.UpdateID
	for _, u := range found.Updates {
		ids = append(ids, u.ID)
		for _, l := range u.Leaves {
			if err := h.Stage(t.Context(), l.ID, []string{w.File(l.ID)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := h.Install(t.Context(), ids, func(p wua.Progress) {
		if events, err := sim.ReadLog(dir); err != nil || len(events) != p.Index {
			t.Errorf("when update %d begins the log has %d events, %v", p.Index, len(events), err)
		}
	}); err != nil {
		t.Fatal(err)
	}
}
