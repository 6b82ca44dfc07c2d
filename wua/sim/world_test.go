package sim_test

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"waptwua"
	"waptwua/catalog"
	"waptwua/internal/authsign"
	"waptwua/internal/world"
	"waptwua/wua"
	"waptwua/wua/sim"
)

// generated writes a signed generated archive and its payloads into dir, and
// returns a cache that trusts it.
func generated(t *testing.T, w *world.World, dir string) (archive string, graphs *sim.Graphs) {
	t.Helper()
	var unsigned bytes.Buffer
	if err := w.Write(t.Context(), &unsigned, world.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	archive = filepath.Join(dir, "wsusscn2.cab")
	if err := os.WriteFile(archive, unsigned.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	authority, err := authsign.NewAuthority(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(archive, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := authority.Sign(f, authsign.Options{}); err != nil {
		t.Fatal(err)
	}
	return archive, sim.NewGraphs(sim.GraphsOptions{Roots: []*x509.Certificate{authority.Root}, Now: time.Now})
}

// TestEveryMachineOfTheWorldBecomesCompliant installs everything on machines
// of every kind, restarting in between, until a search finds nothing.
func TestEveryMachineOfTheWorldBecomesCompliant(t *testing.T) {
	w, err := world.New(world.Options{Updates: 300, Seed: 1, Real: true})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	archive, graphs := generated(t, w, dir)
	graph, err := graphs.Open(t.Context(), archive)
	if err != nil {
		t.Fatal(err)
	}
	shelf := shelf{t: t, graph: graph, payloads: w.Payloads(), dir: dir}
	for n := range 16 {
		facts := w.Machine(n)
		t.Run(facts.Name, func(t *testing.T) {
			h := mustOpen(t, sim.Options{Dir: filepath.Join(dir, fmt.Sprint(n)), Machine: facts, Graphs: graphs, Now: clock(), Seed: uint64(n)})
			comply(t, h, archive, shelf)
		})
	}
}

// shelf has the payloads of a generated world.
type shelf struct {
	t        *testing.T
	graph    *catalog.Graph
	payloads map[waptwua.SHA1]world.Payload
	dir      string
}

// write puts files into dir and returns their paths.
func (s shelf) write(dir string, files []waptwua.File) (paths []string) {
	for _, f := range files {
		path := filepath.Join(dir, f.StoredName())
		content, err := io.ReadAll(s.payloads[f.SHA1].Open())
		if err == nil {
			err = os.WriteFile(path, content, 0o600)
		}
		if err != nil {
			s.t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// packages are those of an update in a folder of their own; false: it is
// none that is installed so.
func (s shelf) packages(id waptwua.UpdateID) (set wua.PackageSet, ok bool) {
	set = wua.PackageSet{Tool: wua.ToolDISM, Folder: s.t.TempDir()}
	for _, l := range s.graph.Leaves(id) {
		ok = ok || len(l.Packages) > 0
		s.write(set.Folder, l.Packages)
	}
	return set, ok
}

// install installs one update in its way.
func (s shelf) install(t *testing.T, h *sim.Host, u wua.Update) {
	t.Helper()
	if set, ok := s.packages(u.ID); ok {
		r, err := h.AddPackages(t.Context(), set, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Code != wua.Succeeded {
			t.Errorf("%s %q: %s, %s", u.ID, u.Title, r, wua.Lookup(r.Exit).Sentence)
		}
		return
	}
	for _, l := range u.Leaves {
		if err := h.Stage(t.Context(), l.ID, s.write(s.dir, s.graph.Files(l.ID))); err != nil {
			t.Fatal(err)
		}
	}
	r, err := h.Install(t.Context(), []waptwua.UpdateID{u.ID}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Updates[0]; got.Code != wua.Succeeded {
		t.Errorf("%s %q: %v, %s", u.ID, u.Title, got.HResult, wua.Lookup(got.HResult).Sentence)
	}
}

func comply(t *testing.T, h *sim.Host, archive string, from shelf) {
	t.Helper()
	const rounds = 6 // some updates apply only after others
	for range rounds {
		found, err := h.Search(t.Context(), wua.Query{Archive: archive, Criteria: "IsInstalled=0 and IsHidden=0"})
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Updates) == 0 {
			return
		}
		for _, u := range found.Updates { // one by one: some are exclusive
			from.install(t, h, u)
		}
		if err := h.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Errorf("after %d rounds updates are still missing", rounds)
}
