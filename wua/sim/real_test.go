package sim

import (
	"testing"
	"time"

	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/internal/fixture"
	"waptwua/internal/machines"
	"waptwua/wua"
)

// TestSearchOfTheRealArchive compares the simulated host with the catalogue
// on Microsoft's archive of 2011.
func TestSearchOfTheRealArchive(t *testing.T) {
	path := fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab")
	graphs := NewGraphs(GraphsOptions{AllowSHA1: true, Now: time.Now})
	graph, err := graphs.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range machines.Names() {
		t.Run(name, func(t *testing.T) {
			facts, err := machines.Facts(name)
			if err != nil {
				t.Fatal(err)
			}
			h, err := Open(Options{Dir: t.TempDir(), Machine: facts, Graphs: graphs, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			found, err := h.Search(t.Context(), wua.Query{Archive: path})
			if err != nil {
				t.Fatal(err)
			}
			e := graph.Evaluate(machine(t, facts), catalog.EvaluateOptions{})
			if got, want := len(found.Updates), len(e.Missing())+len(e.Installed()); got != want {
				t.Errorf("found %d updates, the catalogue says %d", got, want)
			}
			for _, u := range found.Updates {
				v, _ := e.Verdict(u.ID)
				if u.Installed != (v == catalog.Installed) {
					t.Errorf("%s %q: installed %v, the catalogue says %v", u.ID, u.Title, u.Installed, v)
				}
			}
		})
	}
}

// TestRulesOfTheRealArchiveCanBeMadeToHold looks for edits for each revision
// and each machine, whether the update applies there or not. Most fail,
// because they ask for another Windows; what is found must hold.
func TestRulesOfTheRealArchiveCanBeMadeToHold(t *testing.T) {
	graph := realGraph(t)
	ids := append(graph.TopLevel(), graph.CategoryIDs()...)
	for _, name := range machines.Names() {
		t.Run(name, func(t *testing.T) {
			facts, err := machines.Facts(name)
			if err != nil {
				t.Fatal(err)
			}
			applicable, held := 0, 0
			for _, id := range ids {
				for _, l := range graph.Leaves(id) {
					rules := graph.Rules(l.ID)
					edits, err := hold(facts, rules)
					if err == nil {
						held++
						if installedOn(t, apply(facts, edits), rules) != applicability.True {
							t.Errorf("%s: said to hold, does not", l.ID)
						}
					}
				}
			}
			e := graph.Evaluate(machine(t, facts), catalog.EvaluateOptions{IncludeSuperseded: true})
			for _, id := range e.Missing() {
				for _, l := range graph.Leaves(id) {
					if v, _ := e.Verdict(l.ID); v != catalog.Applicable {
						continue
					}
					applicable++
					if _, err := hold(facts, graph.Rules(l.ID)); err != nil {
						t.Errorf("%s applies and cannot be installed: %v", l.ID, err)
					}
				}
			}
			t.Logf("%d of %d rules can be made to hold; %d apply", held, len(ids), applicable)
			if held < 20 {
				t.Errorf("only %d rules can be made to hold", held)
			}
		})
	}
}

func realGraph(t *testing.T) *catalog.Graph {
	t.Helper()
	graphs := NewGraphs(GraphsOptions{AllowSHA1: true, Now: time.Now})
	graph, err := graphs.Open(t.Context(), fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab"))
	if err != nil {
		t.Fatal(err)
	}
	return graph
}

func machine(t *testing.T, f *applicability.Facts) *applicability.Machine {
	t.Helper()
	m, err := applicability.NewMachine(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
