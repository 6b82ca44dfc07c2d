package sim_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"waptwua"
	"waptwua/internal/world"
	"waptwua/wua"
	"waptwua/wua/sim"
)

// packaged is a simulated host of Windows 11 that needs an OSInstaller
// update, with the packages of it.
type packaged struct {
	t       *testing.T
	host    *sim.Host
	archive string
	shelf   shelf
	update  wua.Update
	set     wua.PackageSet
}

func newPackaged(t *testing.T, faults ...sim.Fault) *packaged {
	t.Helper()
	w, err := world.New(world.Options{Updates: 300, Seed: 1, Real: true})
	if err != nil {
		t.Fatal(err)
	}
	p := &packaged{t: t}
	dir := t.TempDir()
	archive, graphs := generated(t, w, dir)
	graph, err := graphs.Open(t.Context(), archive)
	if err != nil {
		t.Fatal(err)
	}
	script, err := sim.NewScript(faults...)
	if err != nil {
		t.Fatal(err)
	}
	p.archive, p.shelf = archive, shelf{t: t, graph: graph, payloads: w.Payloads(), dir: dir}
	for n := range 16 {
		p.host = mustOpen(t, sim.Options{Dir: t.TempDir(), Machine: w.Machine(n), Graphs: graphs, Now: clock(), Script: script})
		for _, u := range p.missing() {
			set, ok := p.shelf.packages(u.ID)
			if ok && u.Reboot == waptwua.RebootAlways || ok && len(faults) > 0 {
				p.update, p.set = u, set
				return p
			}
		}
	}
	t.Fatal("no machine of the world needs an update with packages that asks for a restart")
	return nil
}

func (p *packaged) missing() []wua.Update {
	p.t.Helper()
	found, err := p.host.Search(p.t.Context(), wua.Query{Archive: p.archive, Criteria: "IsInstalled=0 and IsHidden=0"})
	if err != nil {
		p.t.Fatal(err)
	}
	return found.Updates
}

func (p *packaged) offered() bool {
	for _, u := range p.missing() {
		if u.ID == p.update.ID {
			return true
		}
	}
	return false
}

func (p *packaged) add() *wua.PackageResult {
	p.t.Helper()
	r, err := p.host.AddPackages(p.t.Context(), p.set, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p *packaged) restart() {
	p.t.Helper()
	if err := p.host.Restart(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

func TestPackagesAreInstalledAndRemoved(t *testing.T) {
	p := newPackaged(t, sim.Fault{Call: "install", Update: "*", Effect: sim.Restart})
	if !p.offered() {
		t.Fatal("not offered")
	}
	if err := p.host.Stage(t.Context(), p.update.Leaves[0].ID, nil); !errors.Is(err, &wua.Error{Code: wua.InvalidOperation}) {
		t.Errorf("WUA takes files of an OSInstaller update: %v", err)
	}
	r := p.add()
	if r.Exit != wua.RebootRequiredOK || !r.RebootRequired || len(r.Packages) != 1 || !r.Packages[0].Pending() {
		t.Fatalf("result %s", r)
	}
	if pending, err := p.host.RebootPending(t.Context()); err != nil || !pending.Required {
		t.Errorf("no restart is outstanding: %v, %v", pending, err)
	}
	if again := p.add(); again.Code != wua.Succeeded {
		t.Errorf("the second time: %s", again)
	}
	p.restart()
	if p.offered() {
		t.Error("still offered after the restart")
	}
	if _, err := p.host.Search(t.Context(), wua.Query{Archive: p.archive}); err != nil {
		t.Fatal(err)
	}
	removed, err := p.host.RemovePackage(t.Context(), p.update.KBs[0], nil)
	if err != nil || removed.Code != wua.Succeeded {
		t.Fatalf("%v, %v", removed, err)
	}
	p.restart()
	if !p.offered() {
		t.Error("removed, and not offered")
	}
	again, err := p.host.RemovePackage(t.Context(), p.update.KBs[0], nil)
	if err != nil || again.Exit != wua.AlreadyRemoved {
		t.Errorf("removed twice: %v, %v", again, err)
	}
}

func TestPackagesThatFail(t *testing.T) {
	for name, c := range map[string]struct {
		fault   sim.Fault
		exit    wua.Code
		offered bool // after the restart
	}{
		"exit code":     {sim.Fault{Call: "packages", Code: "0x800F0823"}, 0x800F0823, true},
		"of the update": {sim.Fault{Call: "install", Update: "*", Code: "0x80070005"}, 0x80070005, true},
		"lie":           {sim.Fault{Call: "install", Update: "*", Effect: sim.Lie}, wua.OK, true},
		"rollback":      {sim.Fault{Call: "install", Update: "*", Effect: sim.Rollback, Code: "0x800F0922"}, wua.RebootRequiredOK, true},
		"restart":       {sim.Fault{Call: "install", Update: "*", Effect: sim.Restart}, wua.RebootRequiredOK, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPackaged(t, c.fault)
			if r := p.add(); r.Exit != c.exit || r.Code == wua.Failed != c.exit.Failed() {
				t.Errorf("result %s, code %d; want %s", r, r.Code, c.exit)
			}
			p.restart()
			if p.offered() != c.offered {
				t.Errorf("offered after the restart: %v", !c.offered)
			}
		})
	}
}

func TestPackagesOfAnotherContent(t *testing.T) {
	p := newPackaged(t, sim.Fault{Call: "install", Update: "*", Effect: sim.Restart})
	list, err := os.ReadDir(p.set.Folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.set.Folder, list[0].Name()), []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := p.add(); r.Code != wua.Failed || r.Exit != wua.NotInstallable {
		t.Errorf("result %s", r)
	}
	if !p.offered() {
		t.Error("it was installed")
	}
	for name, set := range map[string]wua.PackageSet{
		"relative":  {Tool: wua.ToolDISM, Folder: "packages"},
		"no folder": {Tool: wua.ToolDISM, Folder: filepath.Join(p.set.Folder, "none")},
		"no target": {Tool: wua.ToolDISM, Folder: p.set.Folder, Target: "none.msu"},
	} {
		if r, err := p.host.AddPackages(t.Context(), set, nil); err == nil {
			t.Errorf("%s: %s", name, r)
		}
	}
}
