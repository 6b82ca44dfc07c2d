package catalog_test

import (
	"crypto/sha1"
	"fmt"
	"path"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"waptwua"
	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/wsusscn2"
)

// TestSemantics runs the graphs of testdata/semantics.txtar.
func TestSemantics(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/semantics.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		name := path.Dir(archive.Files[i].Name)
		t.Run(name, func(t *testing.T) {
			if archive.Files[i+1].Name != name+"/want" {
				t.Fatalf("want follows %q, not %q", name+"/graph", archive.Files[i+1].Name)
			}
			g := sketch(t, string(archive.Files[i].Data))
			e := g.Evaluate(anyMachine(t), catalog.EvaluateOptions{})
			for line := range strings.Lines(string(archive.Files[i+1].Data)) {
				name, want, _ := strings.Cut(strings.TrimSpace(line), " ")
				r, ok := e.Result(sketchID(name))
				if !ok || r.Verdict.String() != want {
					t.Errorf("%s is %v (%s), want %s", name, r.Verdict, r.Reason, want)
				}
				if (r.Doubt != 0) != (r.Verdict == catalog.Unknown) {
					t.Errorf("%s is %v with the doubt %q", name, r.Verdict, r.Doubt)
				}
				if r.Reason == "" {
					t.Errorf("%s has no reason", name)
				}
				checkExplanation(t, e, r)
			}
		})
	}
}

// checkExplanation: an explanation exists, agrees with the verdict and ends.
func checkExplanation(t *testing.T, e *catalog.Evaluation, r catalog.Result) {
	t.Helper()
	x := e.Explain(r.ID)
	if x == nil || x.Verdict != r.Verdict || x.Reason != r.Reason {
		t.Errorf("explanation %+v does not agree with %+v", x, r)
	}
}

func anyMachine(t testing.TB) *applicability.Machine {
	t.Helper()
	m, err := applicability.NewMachine(&applicability.Facts{Format: 1})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sketchID is the identity behind "name" or "name_REVISION".
func sketchID(name string) waptwua.UpdateID {
	name, rev, _ := strings.Cut(name, "_")
	n, err := strconv.Atoi(rev)
	if err != nil {
		n = 1
	}
	return waptwua.UpdateID{GUID: sketchGUID(name), Revision: n}
}

// sketchIdentity is sketchID as the archive's reader gives it.
func sketchIdentity(name string) wsusscn2.Identity {
	id := sketchID(name)
	return wsusscn2.Identity{GUID: bytesOf(id.GUID), Number: id.Revision}
}

// bytesOf is a GUID as the archive's reader gives it.
func bytesOf(guid string) wsusscn2.GUID {
	k, err := wsusscn2.ParseGUID(guid)
	if err != nil {
		panic(err)
	}
	return k
}

func sketchGUID(name string) string {
	h := fmt.Sprintf("%x", sha1.Sum([]byte(name)))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
}

// sketch builds a graph from the lines that testdata/semantics.txtar
// describes.
func sketch(t testing.TB, text string) *catalog.Graph {
	t.Helper()
	b := catalog.NewBuilder(catalog.Options{})
	revisions := map[string]int{}
	var nodes []sketched
	for line := range strings.Lines(text) {
		n := parseSketch(t, strings.TrimSpace(line), len(nodes)+1)
		revisions[n.name] = n.revision.RevisionID
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		for _, newer := range n.by {
			n.revision.SupersededBy = append(n.revision.SupersededBy, revisions[newer])
		}
		if err := b.Revision(n.revision); err != nil {
			t.Fatal(err)
		}
		b.Core(n.revision.RevisionID, n.core)
		b.Localized(n.revision.RevisionID, wsusscn2.Localized{Language: "en", Title: n.name})
	}
	return b.Graph()
}

const packageMetadata = `<Metadata><CbsPackageApplicabilityMetadata><assembly><assemblyIdentity name="P" version="1.0" processorArchitecture="amd64" language="neutral" publicKeyToken="31bf3856ad364e35"/></assembly></CbsPackageApplicabilityMetadata></Metadata>`

type sketched struct {
	name     string
	by       []string
	revision wsusscn2.Revision
	core     wsusscn2.Core
}

func parseSketch(t testing.TB, line string, revisionID int) sketched {
	t.Helper()
	fields := strings.Fields(line)
	n := sketched{name: fields[1]}
	n.revision = wsusscn2.Revision{RevisionID: revisionID, ID: sketchIdentity(fields[1]), IsSoftware: true}
	switch fields[0] {
	case "detectoid":
		n.revision.DeploymentAction, n.revision.IsSoftware = "Evaluate", false
	case "child":
		n.revision.DeploymentAction = "Bundle"
	case "bundle":
		n.revision.IsBundle = true
	case "update":
	default:
		t.Fatalf("sketch %q: unknown kind", line)
	}
	for _, f := range fields[2:] {
		key, value, _ := strings.Cut(f, "=")
		n.set(t, key, value)
	}
	n.core.ID = n.revision.ID
	return n
}

func (n *sketched) set(t testing.TB, key, value string) {
	switch key {
	case "needs":
		for clause := range strings.SplitSeq(value, ",") {
			var members []wsusscn2.GUID
			for name := range strings.SplitSeq(clause, "|") {
				members = append(members, bytesOf(sketchGUID(name)))
			}
			n.revision.Prerequisites = append(n.revision.Prerequisites, members)
		}
	case "children":
		for clause := range strings.SplitSeq(value, ",") {
			var c wsusscn2.BundleClause
			for name := range strings.SplitSeq(clause, "|") {
				c.Members = append(c.Members, sketchIdentity(name))
			}
			n.core.Bundled = append(n.core.Bundled, c)
		}
	case "by":
		n.by = strings.Split(value, ",")
	case "revision":
		n.revision.ID = sketchIdentity(n.name + "_" + value)
	case "installed", "installable", "superseded":
		section := "Is" + strings.ToUpper(key[:1]) + key[1:]
		atom := map[string]string{
			"true": "<True/>", "false": "<False/>", "unknown": "<Mystery/>", "windows": "<CbsPackageInstallable/>",
			"unrecorded": `<b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="X"/>`,
		}[value]
		n.core.Rules = fmt.Appendf(n.core.Rules, "<%s>%s</%s>", section, atom, section)
		if value == "windows" {
			n.core.Rules = append(n.core.Rules, packageMetadata...)
		}
	default:
		t.Fatalf("sketch of %s: unknown field %q", n.name, key)
	}
}
