package catalog_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/wsusscn2"
)

// smallWorld is a sketch with everything that a stored graph has lists for.
const smallWorld = `detectoid x64 installed=true
detectoid loop needs=loop installed=true
update old needs=x64,x64|loop by=new installed=false installable=true
update new needs=x64 installed=false installable=true
update twice revision=1 installed=true
update twice revision=2 installed=unknown
bundle box needs=x64 children=leaf|nowhere,elsewhere
child leaf installed=false installable=true`

func stored(t testing.TB, g *catalog.Graph) []byte {
	t.Helper()
	var b bytes.Buffer
	if n, err := g.WriteTo(&b); err != nil || n != int64(b.Len()) {
		t.Fatalf("%d of %d bytes: %v", n, b.Len(), err)
	}
	return b.Bytes()
}

func readGraph(data []byte, s catalog.Source) (*catalog.Graph, error) {
	return catalog.ReadGraph(bytes.NewReader(data), int64(len(data)), s)
}

func TestStoredGraph(t *testing.T) {
	g := sketch(t, smallWorld)
	data := stored(t, g)
	read, err := readGraph(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(data, stored(t, read)); diff != "" {
		t.Errorf("stored again it differs:\n%s", diff)
	}
	read = read.With(g.Source())
	want, got := g.Evaluate(anyMachine(t), catalog.EvaluateOptions{}), read.Evaluate(anyMachine(t), catalog.EvaluateOptions{})
	if diff := cmp.Diff(want.Results(), got.Results()); diff != "" {
		t.Errorf("results (-built +read):\n%s", diff)
	}
	if diff := cmp.Diff(g.Stats(), read.Stats()); diff != "" {
		t.Errorf("stats (-built +read):\n%s", diff)
	}
}

// TestDamagedGraph cuts a stored graph at every length, and alters every
// byte: that gives an error, or a graph that answers without a panic.
func TestDamagedGraph(t *testing.T) {
	g := sketch(t, smallWorld)
	data := stored(t, g)
	for n := range data {
		if _, err := readGraph(data[:n], nil); err == nil {
			t.Fatalf("the first %d of %d bytes are a graph", n, len(data))
		}
	}
	for i := range data {
		for _, flip := range []byte{1, 0x80, 0xff} {
			altered := bytes.Clone(data)
			altered[i] ^= flip
			tryGraph(t, altered)
		}
	}
	if _, err := readGraph(append([]byte{99}, data[1:]...), nil); !errors.Is(err, catalog.ErrVersion) {
		t.Errorf("a newer version gives %v", err)
	}
}

// emptySource has nothing.
type emptySource struct{}

func (emptySource) Rules(int, int) *applicability.Rules { return nil }
func (emptySource) Record(int) *catalog.Record          { return nil }
func (emptySource) Payload(int) []waptwua.File          { return nil }
func (emptySource) Location(waptwua.SHA1) string        { return "" }

func tryGraph(t *testing.T, data []byte) {
	read, err := readGraph(data, emptySource{})
	if err != nil {
		if !errors.Is(err, catalog.ErrGraph) && !errors.Is(err, catalog.ErrVersion) {
			t.Fatalf("error %v", err)
		}
		return
	}
	e := read.Evaluate(anyMachine(t), catalog.EvaluateOptions{})
	e.Results()
	for _, id := range read.TopLevel() {
		read.Update(id)
		read.Leaves(id)
		read.SupersededBy(id)
		e.Explain(id)
	}
	read.Search(catalog.Query{Words: []string{"x"}, Product: "y", Current: true})
	read.Placements()
	catalog.Compare(read, read)
}

func FuzzReadGraph(f *testing.F) {
	f.Add(stored(f, sketch(f, smallWorld)))
	f.Add(stored(f, sketch(f, "update u installed=true")))
	f.Fuzz(tryGraph)
}

func fullRecord() catalog.Record {
	return catalog.Record{
		EulaID: "86052c42-c515-4b12-ac71-d8eadca14df9",
		Texts: []wsusscn2.Localized{
			{Language: "fr", Title: "Mise à jour", Description: "d", UninstallNotes: "n", MoreInfoURL: "m", SupportURL: "s"}, {Language: "en", Title: "Update"},
		},
		Extended: &wsusscn2.Extended{
			DefaultLanguage: "en", Handler: "Cbs", HandlerType: "cbs:Cbs", MinDownloadSize: 1, MaxDownloadSize: 1 << 40,
			Severity: waptwua.Critical, Reboot: waptwua.RebootAlways, Impact: "i", CanRequestInput: true, NeedsNetwork: false, IsBeta: true, BrowseOnly: true,
			CategoryType: "Product", KBs: []waptwua.KB{1, 4294967295}, CVEs: []string{"CVE-2026-90001"}, Bulletins: []string{"MS11-025"},
			SupportURL: "s", MoreInfoURL: "m", ProductName: "p", ReleaseVersion: "r",
			Files: []waptwua.File{{Name: "a.cab", Size: 5, SHA1: waptwua.SHA1{1}, SHA256: waptwua.SHA256{2}, Kind: "SelfContained"}},
		},
	}
}

func TestRecordBinary(t *testing.T) {
	for name, r := range map[string]catalog.Record{"full": fullRecord(), "empty": {}, "no fragment": {Texts: fullRecord().Texts}} {
		t.Run(name, func(t *testing.T) {
			data, err := r.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			var read catalog.Record
			if err := read.UnmarshalBinary(data); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r, read); diff != "" {
				t.Errorf("after the round trip (-want +got):\n%s", diff)
			}
			for n := range data {
				if err := read.UnmarshalBinary(data[:n]); !errors.Is(err, catalog.ErrRecord) {
					t.Fatalf("%d of %d bytes: %v", n, len(data), err)
				}
			}
		})
	}
}

// FuzzRecord: what can be read can be written, and reads the same.
func FuzzRecord(f *testing.F) {
	for _, r := range []catalog.Record{fullRecord(), {}} {
		data, err := r.AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r, again catalog.Record
		if r.UnmarshalBinary(data) != nil {
			return
		}
		written, err := r.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalBinary(written); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Errorf("after the round trip:\n%s", diff)
		}
	})
}

// FuzzFacts: facts of a shard that are none give an error.
func FuzzFacts(f *testing.F) {
	gatherer := catalog.NewGatherer(nil, wsusscn2.Limits{})
	core := []byte(`<UpdateIdentity UpdateID="` + sketchGUID("u") + `" RevisionNumber="1"/><Properties UpdateType="Software"/><Relationships><SupersededUpdates><UpdateIdentity UpdateID="` +
		sketchGUID("old") + `"/></SupersededUpdates><BundledUpdates><AtLeastOne><UpdateIdentity UpdateID="` + sketchGUID("c") + `" RevisionNumber="2"/></AtLeastOne></BundledUpdates></Relationships><ApplicabilityRules><IsInstalled><True/></IsInstalled></ApplicabilityRules>`)
	if err := gatherer.Take(wsusscn2.Fragment{Kind: wsusscn2.KindCore, RevisionID: 7, Data: core}); err != nil {
		f.Fatal(err)
	}
	f.Add(gatherer.Gathered().Facts)
	f.Add([]byte{3, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		b := catalog.NewBuilder(catalog.Options{})
		if err := b.Node(wsusscn2.Revision{RevisionID: 7, ID: sketchIdentity("u")}); err != nil {
			t.Fatal(err)
		}
		if b.Facts(data) != nil {
			return
		}
		g := b.GraphOver(emptySource{})
		tryGraph(t, stored(t, g))
	})
}

// TestQueries asks the sketch for supersedence, categories and dates.
func TestQueries(t *testing.T) {
	b := catalog.NewBuilder(catalog.Options{})
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	product, class := sketchGUID("Windows 11"), sketchGUID("Security Updates")
	for i, name := range []string{"one", "two", "three"} {
		r := wsusscn2.Revision{
			RevisionID: i + 1, ID: sketchIdentity(name), Created: day(i + 1), SupersededBy: []int{i + 2},
			Categories: []wsusscn2.Category{{Type: "UpdateClassification", ID: bytesOf(class)}},
		}
		if i > 0 {
			r.Categories = append(r.Categories, wsusscn2.Category{Type: "Product", ID: bytesOf(product)})
		}
		if err := b.Revision(r); err != nil {
			t.Fatal(err)
		}
		b.Localized(i+1, wsusscn2.Localized{Language: "en", Title: "Update " + name})
		b.Extended(i+1, wsusscn2.Extended{Severity: waptwua.Important, CVEs: []string{"CVE-2026-9000" + string(rune('1'+i))}, KBs: []waptwua.KB{5000001}})
	}
	if err := b.Revision(wsusscn2.Revision{RevisionID: 9, ID: sketchIdentity("Windows 11"), DeploymentAction: "Evaluate"}); err != nil {
		t.Fatal(err)
	}
	b.Localized(9, wsusscn2.Localized{Language: "en", Title: "Windows 11"})
	g := b.Graph()
	for name, c := range map[string]struct {
		q    catalog.Query
		want []string
	}{
		"all, newest first":  {catalog.Query{}, []string{"three", "two", "one"}},
		"a word":             {catalog.Query{Words: []string{"TWO"}}, []string{"two"}},
		"two words":          {catalog.Query{Words: []string{"update", "kb5000001"}}, []string{"three", "two", "one"}},
		"no such word":       {catalog.Query{Words: []string{"four"}}, []string{}},
		"product by name":    {catalog.Query{Product: "windows"}, []string{"three", "two"}},
		"product by GUID":    {catalog.Query{Product: product}, []string{"three", "two"}},
		"class by GUID":      {catalog.Query{Classification: class}, []string{"three", "two", "one"}},
		"class, no product":  {catalog.Query{Product: class}, []string{}},
		"since":              {catalog.Query{Since: day(2)}, []string{"three", "two"}},
		"until":              {catalog.Query{Until: day(2)}, []string{"one"}},
		"severity":           {catalog.Query{Severity: "important"}, []string{"three", "two", "one"}},
		"another severity":   {catalog.Query{Severity: "Low"}, []string{}},
		"CVE":                {catalog.Query{CVE: "cve-2026-90002"}, []string{"two"}},
		"beginning of a CVE": {catalog.Query{CVE: "CVE-2026-9000"}, []string{}},
		"current":            {catalog.Query{Current: true}, []string{"three"}},
	} {
		t.Run(name, func(t *testing.T) {
			want := make([]waptwua.UpdateID, len(c.want))
			for i, n := range c.want {
				want[i] = sketchID(n)
			}
			if diff := cmp.Diff(want, g.Search(c.q)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	want := []catalog.Related{{ID: sketchID("two"), Steps: 1}, {ID: sketchID("three"), Steps: 2}}
	if diff := cmp.Diff(want, g.SupersededBy(sketchID("one"))); diff != "" {
		t.Errorf("superseded by (-want +got):\n%s", diff)
	}
	want = []catalog.Related{{ID: sketchID("two"), Steps: 1}, {ID: sketchID("one"), Steps: 2}}
	if diff := cmp.Diff(want, g.Supersedes(sketchID("three"))); diff != "" {
		t.Errorf("supersedes (-want +got):\n%s", diff)
	}
	if g.SupersededBy(sketchID("nobody")) != nil {
		t.Error("an update that is not there is superseded")
	}
	places := []catalog.Placement{{ID: product, Type: "Product", Title: "Windows 11", Updates: 2, Current: 1}, {ID: class, Type: "UpdateClassification", Updates: 3, Current: 1}}
	if diff := cmp.Diff(places, g.Placements()); diff != "" {
		t.Errorf("placements (-want +got):\n%s", diff)
	}
}

// TestCompare: every kind of difference.
func TestCompare(t *testing.T) {
	older := sketch(t, "update stays\nupdate goes\nupdate revised revision=1\nupdate aged")
	newer := sketch(t, "update stays\nupdate comes\nupdate revised revision=1\nupdate revised revision=2\nupdate aged by=comes")
	want := catalog.Difference{
		Added: []waptwua.UpdateID{sketchID("comes")}, Removed: []waptwua.UpdateID{sketchID("goes")},
		Revised:    []catalog.Revised{{Old: sketchID("revised_1"), New: sketchID("revised_2")}},
		Superseded: []waptwua.UpdateID{sketchID("aged")},
	}
	if diff := cmp.Diff(want, catalog.Compare(older, newer)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAgainst: the host's statuses beside verdicts.
func TestAgainst(t *testing.T) {
	g := sketch(t, `update has installed=true
update lacks installed=false installable=true
update offered installed=false installable=false
update waits installed=false installable=true
update open installed=unknown installable=true
update silent installed=false installable=true`)
	host := []waptwua.OnHost{
		{ID: sketchID("has"), Status: waptwua.StatusOK}, {ID: sketchID("lacks"), Status: waptwua.StatusMissing},
		{ID: sketchID("offered"), Status: waptwua.StatusPending}, {ID: sketchID("waits"), Status: waptwua.StatusReboot},
		{ID: sketchID("open"), Status: waptwua.StatusOK}, {ID: sketchID("elsewhere"), Status: waptwua.StatusOK},
	}
	a := g.Evaluate(anyMachine(t), catalog.EvaluateOptions{}).Against(host)
	if a.Same != 2 || a.Undecided != 1 || a.Waiting != 1 || a.Foreign != 1 || len(a.Differ) != 2 ||
		a.Differ[0].ID != sketchID("offered") || a.Differ[1].ID != sketchID("silent") || a.Differ[1].Host != "" {
		t.Errorf("%+v", a)
	}
}
