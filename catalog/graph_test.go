package catalog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/internal/fixture"
	"waptwua/wsusscn2"
)

// TestStats counts what a graph lacks.
func TestStats(t *testing.T) {
	g := sketch(t, `detectoid a needs=b installed=true
detectoid b needs=a installed=true
update old by=new installed=false installable=unknown
update new by=old needs=elsewhere
bundle box children=elsewhere|old,nowhere`)
	want := catalog.Stats{
		Revisions: 5, TopLevel: 3, Categories: 2, Bundles: 1, RuleSets: 3, Operators: 4,
		DanglingIDs: 3, DependencyCycles: 1, SupersedenceCycles: 1, Unsupported: map[string]int{"Mystery": 1},
	}
	if diff := cmp.Diff(want, g.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

// TestDoubts: why a verdict is unknown is followed down to where it began.
func TestDoubts(t *testing.T) {
	g := sketch(t, `detectoid maybe installed=unrecorded
detectoid circle needs=circle installed=true
child package installed=false installable=windows
update windows installed=false installable=windows
update unrecorded installed=false installable=unrecorded
update mystery installed=unknown installable=true
update halfway installed=true installable=windows
update needs-unrecorded needs=maybe installed=false installable=windows
update needs-elsewhere needs=elsewhere installed=false installable=true
update needs-circle needs=circle installed=false installable=true
update ruleless
update no-section installed=false
bundle of-windows children=package
bundle of-elsewhere children=elsewhere
update replaced by=windows installed=false installable=true`)
	e := g.Evaluate(anyMachine(t), catalog.EvaluateOptions{})
	want := map[string]applicability.Doubt{
		"windows": applicability.OnlyWindows, "unrecorded": applicability.NotRecorded, "mystery": applicability.NotUnderstood,
		"halfway": applicability.NoDoubt, "needs-unrecorded": applicability.NotRecorded, "needs-elsewhere": applicability.NotInArchive,
		"needs-circle": applicability.NotUnderstood, "ruleless": applicability.NotInArchive, "no-section": applicability.NotInArchive,
		"of-windows": applicability.OnlyWindows, "of-elsewhere": applicability.NotInArchive, "replaced": applicability.OnlyWindows,
	}
	counts := map[applicability.Doubt]int{}
	for name, doubt := range want {
		if r, _ := e.Result(sketchID(name)); r.Doubt != doubt {
			t.Errorf("%s is %v (%s): %q, want %q", name, r.Verdict, r.Reason, r.Doubt, doubt)
		}
		if doubt != applicability.NoDoubt {
			counts[doubt]++
		}
	}
	if diff := cmp.Diff(counts, e.Doubts()); diff != "" {
		t.Errorf("doubts (-want +got):\n%s", diff)
	}
	if n := g.Stats().AskWindows; n != 4 {
		t.Errorf("%d revisions ask what only Windows can tell, want 4", n)
	}
}

// TestNamed: prerequisites and what an update replaces have names.
func TestNamed(t *testing.T) {
	g := sketch(t, `detectoid x64 installed=true
detectoid x86 installed=true
update u needs=x64|x86,elsewhere installed=false
update old by=u`)
	want := [][]catalog.Named{
		{{GUID: sketchGUID("x64"), Title: "x64"}, {GUID: sketchGUID("x86"), Title: "x86"}}, {{GUID: sketchGUID("elsewhere")}},
	}
	if diff := cmp.Diff(want, g.Prerequisites(sketchID("u"))); diff != "" {
		t.Errorf("prerequisites (-want +got):\n%s", diff)
	}
	if g.Prerequisites(sketchID("nobody")) != nil || g.Replaces(sketchID("nobody")) != nil {
		t.Error("an update that is not there needs or replaces something")
	}
}

// TestNearestAndNewestFirst: what supersedes an update comes in an order.
func TestNearestAndNewestFirst(t *testing.T) {
	b := catalog.NewBuilder(catalog.Options{})
	for i, newer := range [][]int{{2, 3, 4}, {3, 4, 5}, {4, 5}, {5}, nil} {
		r := wsusscn2.Revision{RevisionID: i + 1, ID: sketchIdentity(strconv.Itoa(i + 1)), Created: time.Date(2026, 1, 9-i, 0, 0, 0, 0, time.UTC), SupersededBy: newer}
		if err := b.Revision(r); err != nil {
			t.Fatal(err)
		}
	}
	b.Core(5, wsusscn2.Core{ID: sketchIdentity("5"), Supersedes: []wsusscn2.GUID{
		bytesOf(sketchGUID("elsewhere")), bytesOf(sketchGUID("4")), bytesOf(sketchGUID("2")), bytesOf(sketchGUID("3")),
	}})
	g := b.Graph()
	want := []catalog.Related{{ID: sketchID("2"), Steps: 1}, {ID: sketchID("3"), Steps: 1}, {ID: sketchID("4"), Steps: 1}, {ID: sketchID("5"), Steps: 2}}
	if diff := cmp.Diff(want, g.SupersededBy(sketchID("1"))); diff != "" {
		t.Errorf("superseded by (-want +got):\n%s", diff)
	}
	replaces := []catalog.Named{{GUID: sketchGUID("2")}, {GUID: sketchGUID("3")}, {GUID: sketchGUID("4")}, {GUID: sketchGUID("elsewhere")}}
	if diff := cmp.Diff(replaces, g.Replaces(sketchID("5"))); diff != "" {
		t.Errorf("replaces (-want +got):\n%s", diff)
	}
}

// TestStrayAndBroken: a fragment without a revision and rules that are no XML
// are counted; a revision listed twice is an error.
func TestStrayAndBroken(t *testing.T) {
	b := catalog.NewBuilder(catalog.Options{})
	r := wsusscn2.Revision{RevisionID: 1, ID: sketchIdentity("u")}
	if err := b.Revision(r); err != nil {
		t.Fatal(err)
	}
	if err := b.Revision(r); err == nil {
		t.Error("a revision listed twice is no error")
	}
	r.RevisionID = 2
	if err := b.Revision(r); err == nil {
		t.Error("an update listed twice is no error")
	}
	b.Core(1, wsusscn2.Core{Rules: []byte("<IsInstalled>")})
	b.Core(7, wsusscn2.Core{})
	b.Extended(7, wsusscn2.Extended{})
	g := b.Graph()
	if s := g.Stats(); s.BadRules != 1 || s.StrayFragments != 2 || s.Revisions != 1 {
		t.Errorf("stats %+v", s)
	}
	if r, _ := g.Evaluate(anyMachine(t), catalog.EvaluateOptions{}).Result(sketchID("u")); r.Doubt != applicability.NotUnderstood {
		t.Errorf("broken rules give %v: %s", r.Verdict, r.Reason)
	}
}

// TestLongChains: prerequisites, bundles and supersedence longer than any
// stack are evaluated and explained.
func TestLongChains(t *testing.T) {
	const n = 100_000
	b := catalog.NewBuilder(catalog.Options{})
	for i := 1; i <= n; i++ {
		r := wsusscn2.Revision{RevisionID: i, ID: sketchIdentity("u" + strconv.Itoa(i)), SupersededBy: []int{i + 1}}
		if i < n {
			r.Prerequisites = [][]wsusscn2.GUID{{bytesOf(sketchGUID("u" + strconv.Itoa(i+1)))}}
		}
		if err := b.Revision(r); err != nil {
			t.Fatal(err)
		}
		b.Core(i, wsusscn2.Core{Rules: []byte("<IsInstalled><True/></IsInstalled>")})
	}
	e := b.Graph().Evaluate(anyMachine(t), catalog.EvaluateOptions{})
	if got := len(e.Installed()); got != n {
		t.Errorf("%d of %d are installed", got, n)
	}
	if x := e.Explain(sketchID("u1")); x == nil || x.Verdict != catalog.Installed {
		t.Errorf("explanation %+v", x)
	}
}

func TestNestedBundles(t *testing.T) {
	const n = 20_000
	b := catalog.NewBuilder(catalog.Options{})
	for i := range n {
		r := wsusscn2.Revision{RevisionID: i, ID: sketchIdentity("u" + strconv.Itoa(i)), IsBundle: i < n-1}
		if err := b.Revision(r); err != nil {
			t.Fatal(err)
		}
		c := wsusscn2.Core{Rules: []byte("<IsInstalled><False/></IsInstalled><IsInstallable><Mystery/></IsInstallable>")}
		if i < n-1 {
			c = wsusscn2.Core{Bundled: []wsusscn2.BundleClause{{Members: []wsusscn2.Identity{sketchIdentity("u" + strconv.Itoa(i+1))}}}}
		}
		b.Core(i, c)
	}
	g := b.Graph()
	r, _ := g.Evaluate(anyMachine(t), catalog.EvaluateOptions{}).Result(sketchID("u0"))
	if r.Verdict != catalog.Unknown || len(r.Reason) > 1000 {
		t.Errorf("verdict %v, reason of %d bytes", r.Verdict, len(r.Reason))
	}
	if leaves := g.Leaves(sketchID("u0")); len(leaves) != 1 || leaves[0].ID != sketchID("u19999") {
		t.Errorf("leaves %v", leaves)
	}
}

// TestIncludeSuperseded keeps what a newer update replaces.
func TestIncludeSuperseded(t *testing.T) {
	g := sketch(t, "update old by=new installed=false installable=true\nupdate new installed=false installable=true")
	e := g.Evaluate(anyMachine(t), catalog.EvaluateOptions{IncludeSuperseded: true})
	if got := e.Missing(); len(got) != 2 {
		t.Errorf("missing %v, want both", got)
	}
	r, _ := g.Evaluate(anyMachine(t), catalog.EvaluateOptions{}).Result(sketchID("old"))
	if r.ReplacedBy != sketchID("new") || r.Reason != "replaced by new" {
		t.Errorf("result %+v", r)
	}
}

// slice2026 builds a graph of the published part of the archive of July
// 2026.
func slice2026(t *testing.T) *catalog.Graph {
	t.Helper()
	dir := fixture.Path(t, "offline-scan-2026-07-slice")
	b := catalog.NewBuilder(catalog.Options{})
	f, err := os.Open(filepath.Join(dir, "package.subset.xml"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	visitor := wsusscn2.PackageVisitor{
		Revision: b.Revision,
		Location: func(l wsusscn2.Location) error { b.Location(l); return nil },
	}
	head, err := wsusscn2.ReadPackage(t.Context(), f, visitor, wsusscn2.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	b.Package(head)
	fragments(t, filepath.Join(dir, "c", "*"), wsusscn2.ParseCore, b.Core)
	fragments(t, filepath.Join(dir, "x", "*"), wsusscn2.ParseExtended, b.Extended)
	fragments(t, filepath.Join(dir, "l", "en", "*"), wsusscn2.ParseLocalized, b.Localized)
	return b.Graph()
}

func fragments[F any](t *testing.T, glob string, parse func([]byte) (F, error), take func(int, F)) {
	t.Helper()
	names, err := filepath.Glob(glob)
	if err != nil || len(names) == 0 {
		t.Fatalf("no fragments %s: %v", glob, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parse(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		revision, err := strconv.Atoi(filepath.Base(name))
		if err != nil {
			t.Fatal(err)
		}
		take(revision, parsed)
	}
}

// TestOSInstaller: of the sixteen files of a real Server 2025 update the
// checkpoint and the cumulative .msu are what servicing installs.
func TestOSInstaller(t *testing.T) {
	g := slice2026(t)
	id := waptwua.UpdateID{GUID: "8d06a0ee-d9e0-478b-b168-5f0a514b78a6", Revision: 100}
	leaves := g.Leaves(id)
	if len(leaves) != 1 || leaves[0].Handler != "OSInstaller" || len(leaves[0].Files) != 16 {
		t.Fatalf("leaves %+v", leaves)
	}
	var names []string
	for _, f := range leaves[0].Packages {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"Windows11.0-KB5043080-x64.msu", "Windows11.0-KB5060842-x64.msu"}, names); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	var sum int64
	for _, f := range g.Files(id) {
		sum += f.Size
		if f.SHA256.IsZero() {
			t.Errorf("%s has no SHA-256", f.Name)
		}
	}
	if u, _ := g.Update(id); sum != u.MaxDownloadSize {
		t.Errorf("files sum to %d, the archive says %d", sum, u.MaxDownloadSize)
	}
}

// TestRealRelease evaluates a real leaf by release and device attributes. Its
// prerequisites are outside the published slice, so nothing better than
// unknown can come of it, except where the rules say no.
func TestRealRelease(t *testing.T) {
	g := slice2026(t)
	id := waptwua.UpdateID{GUID: "8d06a0ee-d9e0-478b-b168-5f0a514b78a6", Revision: 100}
	for build, want := range map[int]catalog.Verdict{26100: catalog.Unknown, 20348: catalog.NotApplicable} {
		f := &applicability.Facts{
			Format: 1, Complete: applicability.Sections(),
			OS:       &applicability.OS{Major: 10, Build: build, Revision: 1, ProductType: 3},
			Releases: map[string]*applicability.ReleaseInfo{"Server.OS.amd64": {Version: fmt.Sprintf("10.0.%d.1", build)}},
		}
		m, err := applicability.NewMachine(f)
		if err != nil {
			t.Fatal(err)
		}
		if r, _ := g.Evaluate(m, catalog.EvaluateOptions{}).Result(id); r.Verdict != want {
			t.Errorf("build %d: %v (%s), want %v", build, r.Verdict, r.Reason, want)
		}
	}
}

// BenchmarkEvaluateLarge evaluates a graph of the size of 2026: 137,000
// revisions, half of them bundles of the other half, in chains of
// supersedence, with rules by release and attribute.
func BenchmarkEvaluateLarge(b *testing.B) {
	const bundles = 68_500
	build := catalog.NewBuilder(catalog.Options{})
	add := func(r wsusscn2.Revision, c wsusscn2.Core) {
		if err := build.Revision(r); err != nil {
			b.Fatal(err)
		}
		build.Core(r.RevisionID, c)
	}
	for p := range 200 {
		rules := fmt.Appendf(nil, `<IsInstalled><b.WindowsVersion MajorVersion="10" BuildNumber="%d"/></IsInstalled>`, 26100+p)
		add(wsusscn2.Revision{RevisionID: 1_000_000 + p, ID: sketchIdentity(fmt.Sprint("p", p)), DeploymentAction: "Evaluate"}, wsusscn2.Core{Rules: rules})
	}
	for i := range bundles {
		needs := [][]wsusscn2.GUID{{bytesOf(sketchGUID(fmt.Sprint("p", i%200)))}}
		leaf, newer := sketchIdentity(fmt.Sprint("l", i)), []int{i + 200, i + 400, i + 600, i + 800}
		rules := fmt.Appendf(nil, `<IsInstalled><ProductReleaseInstalled Name="Client.OS.RS2.AMD64" Version="10.0.26100.%d"/></IsInstalled>`+
			`<IsInstallable><And><Not><DeviceAttribute Name="OSSkuId" Type="String" Comparison="EqualTo" Value="119"/></Not>`+
			`<DeviceAttribute Name="OSVersion" Type="Version" Comparison="GreaterThanOrEqualTo" Value="10.0.26100.1"/></And></IsInstallable>`, i)
		add(wsusscn2.Revision{RevisionID: i, ID: sketchIdentity(fmt.Sprint("b", i)), IsBundle: true, Prerequisites: needs, SupersededBy: newer},
			wsusscn2.Core{Bundled: []wsusscn2.BundleClause{{Members: []wsusscn2.Identity{leaf}}}})
		add(wsusscn2.Revision{RevisionID: bundles + 1000 + i, ID: leaf, DeploymentAction: "Bundle", Prerequisites: needs}, wsusscn2.Core{Rules: rules})
	}
	g := build.Graph()
	m, err := applicability.NewMachine(&applicability.Facts{
		Format: 1, Complete: applicability.Sections(), OS: &applicability.OS{Major: 10, Build: 26100, Revision: 20000, ProductType: 1, SKU: 48},
		Releases: map[string]*applicability.ReleaseInfo{"Client.OS.RS2.AMD64": {Version: "10.0.26100.20000"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		g.Evaluate(m, catalog.EvaluateOptions{})
	}
}
