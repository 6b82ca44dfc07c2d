package catalog_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"waptwua"
	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/internal/fixture"
	"waptwua/internal/machines"
	"waptwua/wsusscn2"
)

// realGraph loads the archive that Microsoft signed in March 2011.
func realGraph(t testing.TB) *catalog.Graph {
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
	a, err := wsusscn2.Open(f, info.Size(), wsusscn2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := catalog.Load(t.Context(), a, catalog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func machine(t testing.TB, name string) *applicability.Machine {
	t.Helper()
	f, err := machines.Facts(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := applicability.NewMachine(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestRealArchiveCases holds verdicts that were found by hand.
func TestRealArchiveCases(t *testing.T) {
	g := realGraph(t)
	cases, err := txtar.ParseFile("testdata/offline-scan-2011.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(cases.Files) != len(machines.Names()) {
		t.Errorf("%d machines have cases, there are %v", len(cases.Files), machines.Names())
	}
	for _, f := range cases.Files {
		t.Run(f.Name, func(t *testing.T) {
			e := g.Evaluate(machine(t, f.Name), catalog.EvaluateOptions{})
			for line := range strings.Lines(string(f.Data)) {
				checkCase(t, e, line)
			}
		})
	}
}

func checkCase(t *testing.T, e *catalog.Evaluation, line string) {
	t.Helper()
	rule, why, _ := strings.Cut(strings.TrimSpace(line), " # ")
	name, want, _ := strings.Cut(rule, " ")
	want = strings.Replace(strings.Replace(want, "does not hold", "not applicable", 1), "holds", "installed", 1)
	id, err := waptwua.ParseUpdateID(name)
	if err != nil {
		t.Fatal(err)
	}
	r, ok := e.Result(id)
	if !ok || r.Verdict.String() != want {
		t.Errorf("%s is %v (%s), want %s (%s)", id, r.Verdict, r.Reason, want, why)
	}
}

func TestRealArchiveStats(t *testing.T) {
	want := catalog.Stats{
		Revisions: 766, TopLevel: 1, Children: 2, Categories: 763, Bundles: 1, RuleSets: 765, Operators: 11117, AskWindows: 1,
		Unsupported: map[string]int{},
	}
	if diff := cmp.Diff(want, realGraph(t).Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestRealArchiveUpdate(t *testing.T) {
	g := realGraph(t)
	ids := g.ByKB(958830)
	if len(ids) != 1 {
		t.Fatalf("KB958830 is %v", ids)
	}
	u, _ := g.Update(ids[0])
	got := fmt.Sprintln(u.KBs, u.Severity, u.Classifications, u.Products, u.Handler, u.Reboot, u.MaxDownloadSize)
	if want := "[KB958830] Important [Updates] [Windows] Cbs CanRequestReboot 251675346\n"; got != want {
		t.Errorf("update %s, want %s", got, want)
	}
	files := g.Files(ids[0])
	if len(files) != 2 || files[0].Name != "Windows6.1-KB958830-x64-RefreshPkg.cab" || files[0].Size != 251607882 ||
		files[0].SHA1.String() != "39a12ff9776d04530b2b015a0ced058f56c9202b" || !strings.HasSuffix(files[1].URL, "/rsatcustominstaller.exe") {
		t.Errorf("files %+v", files)
	}
}

// TestKnowingLessDecidesLess removes facts from recordings at random: what
// the poorer recording still decides, the full one decides in the same way.
func TestKnowingLessDecidesLess(t *testing.T) {
	g := realGraph(t)
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range machines.Names() {
		full := g.Evaluate(machine(t, name), catalog.EvaluateOptions{})
		for range 20 {
			f, err := machines.Facts(name)
			if err != nil {
				t.Fatal(err)
			}
			forget(f, random)
			m, err := applicability.NewMachine(f)
			if err != nil {
				t.Fatal(err)
			}
			compareKnowledge(t, name, g, full, g.Evaluate(m, catalog.EvaluateOptions{}))
		}
	}
}

func compareKnowledge(t *testing.T, name string, g *catalog.Graph, full, poor *catalog.Evaluation) {
	t.Helper()
	for _, id := range append(g.TopLevel(), g.CategoryIDs()...) {
		more, _ := full.Result(id)
		less, _ := poor.Result(id)
		if less.Verdict == catalog.Superseded && more.Verdict == catalog.NotApplicable {
			continue // replaced, so that it did not matter whether it applies
		}
		if less.Verdict != catalog.Unknown && less.Verdict != more.Verdict {
			t.Errorf("%s: %s is %v with fewer facts (%s), %v with all (%s)", name, id, less.Verdict, less.Reason, more.Verdict, more.Reason)
		}
	}
}

// forget removes half of the entries and every claim of completeness.
func forget(f *applicability.Facts, random *rand.Rand) {
	f.Complete = nil
	drop := func() bool { return random.IntN(2) == 0 }
	for key, values := range f.Registry {
		for v := range values {
			if drop() {
				delete(values, v)
			}
		}
		if drop() {
			delete(f.Registry, key)
		}
	}
	forgetSome(f.Files, drop)
	forgetSome(f.Products, drop)
	forgetSome(f.Packages, drop)
	forgetSome(f.Folders, drop)
	forgetSome(f.WMI["root\\cimv2"], drop)
	if drop() {
		f.OS = nil
	}
	if drop() {
		f.Processor = nil
	}
}

func forgetSome[K comparable, V any](m map[K]V, drop func() bool) {
	for k := range m {
		if drop() {
			delete(m, k)
		}
	}
}

// TestSharing evaluates one graph for several machines at the same time and
// expects what each gets alone.
func TestSharing(t *testing.T) {
	g := realGraph(t)
	var wg sync.WaitGroup
	for _, name := range machines.Names() {
		m := machine(t, name)
		alone := g.Evaluate(m, catalog.EvaluateOptions{}).Results()
		for range 4 {
			wg.Go(func() {
				if diff := cmp.Diff(alone, g.Evaluate(m, catalog.EvaluateOptions{}).Results()); diff != "" {
					t.Errorf("%s (-alone +shared):\n%s", name, diff)
				}
			})
		}
	}
	wg.Wait()
}

func BenchmarkEvaluateReal(b *testing.B) {
	g, m := realGraph(b), machine(b, "win7-sp1-x64")
	b.ReportAllocs()
	for b.Loop() {
		g.Evaluate(m, catalog.EvaluateOptions{})
	}
}
