package catalogdb_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/internal/fixture"
	"waptwua/internal/machines"
	"waptwua/internal/world"
	"waptwua/store/catalogdb"
	"waptwua/wsusscn2"
)

// archiveOf opens an archive that lies in memory.
func archiveOf(t testing.TB, content []byte) *wsusscn2.Archive {
	t.Helper()
	a, err := wsusscn2.Open(bytes.NewReader(content), int64(len(content)), wsusscn2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func write(t testing.TB, w *world.World) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := w.Write(t.Context(), &out, world.WriteOptions{Dir: t.TempDir(), Workers: 2}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func newWorld(t testing.TB, updates int, seed uint64) *world.World {
	t.Helper()
	w, err := world.New(world.Options{Updates: updates, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// built builds a catalogue of the archive and opens it.
func built(t testing.TB, a *wsusscn2.Archive, o catalogdb.BuildOptions) (*catalogdb.Catalogue, catalogdb.Report) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "catalogue.sqlite")
	r, err := catalogdb.Build(t.Context(), a, path, o)
	if err != nil {
		t.Fatal(err)
	}
	return opened(t, path), r
}

func opened(t testing.TB, path string) *catalogdb.Catalogue {
	t.Helper()
	c, err := catalogdb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func inMemory(t testing.TB, a *wsusscn2.Archive) *catalog.Graph {
	t.Helper()
	g, err := catalog.Load(context.Background(), a, catalog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func machineOf(t testing.TB, f *applicability.Facts) *applicability.Machine {
	t.Helper()
	m, err := applicability.NewMachine(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// answers is everything that is asked of a graph about a machine.
func answers(g *catalog.Graph, m *applicability.Machine) map[string]any {
	e := g.Evaluate(m, catalog.EvaluateOptions{})
	out := map[string]any{"results": e.Results(), "categories": e.Categories(), "counts": e.Counts(), "head": g.Head()}
	for i, id := range g.TopLevel() {
		u, _ := g.Update(id)
		out["update "+id.String()] = u
		out["leaves "+id.String()] = g.Leaves(id)
		if i%50 == 0 {
			out["explained "+id.String()] = e.Explain(id)
		}
	}
	return out
}

// TestAnswersAsInMemory is the promise of the package.
func TestAnswersAsInMemory(t *testing.T) {
	for seed, updates := range []int{50, 300, 1500} {
		t.Run(fmt.Sprint(updates), func(t *testing.T) {
			w := newWorld(t, updates, uint64(seed))
			a := archiveOf(t, write(t, w))
			c, report := built(t, a, catalogdb.BuildOptions{})
			if report.Revisions != updates || report.Kept != 0 || report.Bytes == 0 {
				t.Errorf("report %+v", report)
			}
			g := inMemory(t, a)
			for n := range 8 {
				compareAnswers(t, g, c, machineOf(t, w.Machine(n)))
			}
		})
	}
}

func compareAnswers(t *testing.T, g *catalog.Graph, c *catalogdb.Catalogue, m *applicability.Machine) {
	t.Helper()
	v := c.View()
	if diff := cmp.Diff(answers(g, m), answers(v.Graph, m)); diff != "" {
		t.Errorf("%s (-memory +stored):\n%s", m.Name(), diff)
	}
	if err := v.Err(); err != nil {
		t.Error(err)
	}
}

func TestRealArchive(t *testing.T) {
	content, err := os.ReadFile(fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab"))
	if err != nil {
		t.Fatal(err)
	}
	a := archiveOf(t, content)
	g := inMemory(t, a)
	c, _ := built(t, a, catalogdb.BuildOptions{})
	for _, name := range machines.Names() {
		f, err := machines.Facts(name)
		if err != nil {
			t.Fatal(err)
		}
		compareAnswers(t, g, c, machineOf(t, f))
	}
	v := c.View()
	if diff := cmp.Diff(g.Stats(), v.CountRules()); diff != "" || v.Err() != nil {
		t.Errorf("stats (-memory +stored), %v:\n%s", v.Err(), diff)
	}
	if diff := cmp.Diff(g.Asked(), v.Asked()); diff != "" {
		t.Errorf("asked (-memory +stored):\n%s", diff)
	}
}
