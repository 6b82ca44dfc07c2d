package agent_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/agenttest"
	"waptwua/transport"
	"waptwua/wua"
	"waptwua/wua/sim"
	"waptwua/wua/wuatest"
)

// TestSimulatedHost takes a host that evaluates a signed archive from the
// first scan to the end: everything it needs is installed, verified by a
// search, and installed once.
func TestSimulatedHost(t *testing.T) {
	w := wuatest.NewWorld(t)
	r := newRig(t)
	archive, err := os.ReadFile(w.Archive)
	if err != nil {
		t.Fatal(err)
	}
	r.server.SetArchive(archive)
	machine := filepath.Join(r.dir, "machine")
	host, err := sim.Open(sim.Options{
		Dir: machine, Machine: w.Machine, Now: time.Now,
		Graphs: sim.NewGraphs(sim.GraphsOptions{Roots: w.Roots, Now: time.Now}),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.change = func(o *agent.Options) { o.WUA = host }
	r.register()
	r.download()
	needed := 0
	for id, u := range r.held().Updates {
		if u.Status == waptwua.StatusMissing {
			needed++
			r.fillShelf(w, host, id)
		}
	}
	if needed < 3 {
		t.Fatalf("the machine needs %d updates; the test is about several", needed)
	}
	r.untilOK(host)
	r.installedOnce(machine, needed)
}

// fillShelf does what the real server does for an update that is MISSING.
func (r *rig) fillShelf(w *wuatest.World, host wua.Host, id waptwua.UpdateID) {
	r.t.Helper()
	found, err := host.Search(r.t.Context(), wua.Query{Archive: w.Archive})
	if err != nil {
		r.t.Fatal(err)
	}
	var leaves []transport.LeafFiles
	for _, u := range found.Updates {
		if u.ID != id {
			continue
		}
		for _, l := range u.Leaves {
			content, err := os.ReadFile(w.File(l.ID))
			if err != nil {
				r.t.Fatal(err)
			}
			f := agenttest.FileOf(filepath.Base(w.File(l.ID)), content)
			r.server.SetFile(f.StoredName(), content)
			leaves = append(leaves, transport.LeafFiles{ID: l.ID, Handler: l.Handler, Route: transport.RouteWUA, Files: []waptwua.File{f}})
		}
	}
	r.server.StateLeaves(r.t, id, leaves...)
}

// untilOK installs and restarts until the host is compliant.
func (r *rig) untilOK(host *sim.Host) {
	r.t.Helper()
	for range 6 {
		err := r.agent().Install(r.t.Context(), agent.InstallOptions{})
		if err != nil && !errors.Is(err, agent.ErrRestartFirst) {
			r.t.Fatal(err)
		}
		if err := host.Restart(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
		r.do(func(ctx context.Context) error { return r.agent().Scan(ctx, agent.ScanOptions{Force: true}) })
		if r.held().Status == waptwua.HostOK {
			return
		}
	}
	for id, u := range r.held().Updates {
		r.t.Logf("%s %s %+v", id, u.Status, u.Failure)
	}
	r.t.Fatalf("the host is %s", r.held().Status)
}

func (r *rig) installedOnce(machine string, needed int) {
	r.t.Helper()
	events, err := sim.ReadLog(machine)
	if err != nil {
		r.t.Fatal(err)
	}
	count := map[waptwua.UpdateID]int{}
	for _, e := range events {
		if e.Operation == sim.OpInstall {
			count[e.ID]++
		}
	}
	if len(count) < needed {
		r.t.Errorf("%d updates installed, %d were needed", len(count), needed)
	}
	for id, n := range count {
		if n != 1 {
			r.t.Errorf("%s was installed %d times", id, n)
		}
	}
}
