package inventory_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/internal/fixture"
	"waptwua/internal/machines"
	"waptwua/internal/world"
	"waptwua/inventory"
	"waptwua/wsusscn2"
)

var at = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// graph loads the catalogue of an archive.
func graph(t testing.TB, r io.ReaderAt, size int64) *catalog.Graph {
	t.Helper()
	a, err := wsusscn2.Open(r, size, wsusscn2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := catalog.Load(t.Context(), a, catalog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// take records a recording again.
func take(t testing.TB, f *applicability.Facts, asked applicability.Asked) (*applicability.Facts, *inventory.Report) {
	t.Helper()
	m, err := applicability.NewMachine(f)
	if err != nil {
		t.Fatal(err)
	}
	got, report, err := inventory.Take(t.Context(), inventory.Record(m), asked, inventory.Options{Name: f.Name, At: at})
	if err != nil {
		t.Fatal(err)
	}
	return got, report
}

// checkEqual evaluates every revision on a recording and on its inventory.
func checkEqual(t *testing.T, g *catalog.Graph, asked applicability.Asked, full *applicability.Facts) {
	t.Helper()
	restricted, _ := take(t, full, asked)
	if len(restricted.Complete) != 0 {
		t.Errorf("an inventory calls %v complete", restricted.Complete)
	}
	want, got := evaluate(t, g, full), evaluate(t, g, restricted)
	differ := 0
	for _, id := range append(g.TopLevel(), g.CategoryIDs()...) {
		w, _ := want.Verdict(id)
		v, _ := got.Verdict(id)
		if w == v {
			continue
		}
		if differ++; differ <= 3 {
			wr, _ := want.Result(id)
			gr, _ := got.Result(id)
			t.Errorf("%s: %v on the whole recording (%s), %v on its inventory (%s)", id, w, wr.Reason, v, gr.Reason)
		}
	}
	if differ > 0 {
		t.Errorf("%d verdicts differ", differ)
	}
}

func evaluate(t *testing.T, g *catalog.Graph, f *applicability.Facts) *catalog.Evaluation {
	t.Helper()
	m, err := applicability.NewMachine(f)
	if err != nil {
		t.Fatal(err)
	}
	return g.Evaluate(m, catalog.EvaluateOptions{})
}

// realGraph is that of the archive that Microsoft signed in March 2011.
func realGraph(t *testing.T) *catalog.Graph {
	t.Helper()
	f, err := os.Open(fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return graph(t, f, info.Size())
}

// TestSameVerdictsReal takes inventories of the recorded machines, whole and
// with facts removed at random, for the real archive of 2011.
func TestSameVerdictsReal(t *testing.T) {
	g := realGraph(t)
	asked := g.Asked()
	for _, name := range machines.Names() {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(12) {
				f, err := machines.Facts(name)
				if err != nil {
					t.Fatal(err)
				}
				forget(f, seed)
				checkEqual(t, g, asked, f)
			}
		})
	}
}

// TestSameVerdictsGenerated is the same for a generated archive in the shape
// of today's.
func TestSameVerdictsGenerated(t *testing.T) {
	w, err := world.New(world.Options{Updates: 400, Seed: 5, Real: true})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := w.Write(t.Context(), &b, world.WriteOptions{Workers: 2, Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	g := graph(t, bytes.NewReader(b.Bytes()), int64(b.Len()))
	asked := g.Asked()
	for n := range 24 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			f := w.Machine(n)
			forget(f, uint64(n/12))
			checkEqual(t, g, asked, f)
		})
	}
}

// forget removes facts at random, differently for each seed; seed 0 removes
// nothing.
func forget(f *applicability.Facts, seed uint64) {
	if seed == 0 {
		return
	}
	r := rand.New(rand.NewPCG(seed, 0))
	some := func() bool { return r.IntN(4) == 0 }
	var complete []applicability.Section
	for _, s := range f.Complete {
		if !some() {
			complete = append(complete, s)
		}
	}
	f.Complete = complete
	drop(f.Registry, some)
	for _, name := range slices.Sorted(maps.Keys(f.Registry)) {
		drop(f.Registry[name], some)
	}
	drop(f.Files, some)
	drop(f.Folders, func() bool { return r.IntN(20) == 0 })
	drop(f.WMI, some)
	drop(f.Metrics, some)
	drop(f.Licenses, some)
	drop(f.Products, some)
	drop(f.Packages, some)
	drop(f.Releases, some)
	drop(f.Attributes, some)
	if r.IntN(10) == 0 {
		f.Processor = nil
	}
	if r.IntN(10) == 0 {
		f.OS = nil
	}
}

func drop[K cmp.Ordered, V any](m map[K]V, some func() bool) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if some() {
			delete(m, k)
		}
	}
}
