package wsusscn2

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"waptwua"
)

// fuzzLimits are low, so that limits are met.
var fuzzLimits = Limits{IndexBytes: 1 << 16, PackageBytes: 1 << 18, FragmentBytes: 1 << 18, TagBytes: 1 << 12, TextBytes: 1 << 10, Depth: 12, Attributes: 16, Items: 40, Shards: 30, Revisions: 200, Locations: 200}

// checkError demands that err is about this document: a FormatError of a
// known kind whose offset lies in it, and that says the same each time.
func checkError(t *testing.T, data []byte, err error) {
	t.Helper()
	var fe *FormatError
	if !errors.As(err, &fe) || !errors.Is(err, ErrFormat) && !errors.Is(err, waptwua.ErrLimit) {
		if !errors.Is(err, waptwua.ErrLimit) {
			t.Fatalf("%v is neither a FormatError nor about a limit", err)
		}
		return
	}
	if fe.Offset > int64(len(data)) {
		t.Fatalf("%v: the document has %d bytes", err, len(data))
	}
}

// FuzzIndex: an index that is accepted has ascending spans without gaps,
// and names that stay within the archive.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(smallIndex))
	f.Fuzz(func(t *testing.T, data []byte) {
		ix, err := ParseIndex(data, fuzzLimits)
		if err != nil {
			checkError(t, data, err)
			return
		}
		for i, s := range ix.Shards {
			last := math.MaxInt
			if i+1 < len(ix.Shards) {
				last = ix.Shards[i+1].First - 1
			}
			if s.First < 0 || s.Last != last || s.Last < s.First || strings.ContainsAny(s.Name, `/\`) {
				t.Errorf("shard %d: %+v", i, s)
			}
			if ix.Shard(s.First) != i || ix.Shard(s.Last) != i {
				t.Errorf("revisions %d and %d are not in their shard", s.First, s.Last)
			}
		}
	})
}

// everything is what a pass over a package.xml gave.
type everything struct {
	Head      Package
	Revisions []Revision
	Locations []Location
}

func readEverything(r io.Reader) (all everything, err error) {
	all.Head, err = ReadPackage(context.Background(), r, PackageVisitor{
		Revision: func(r Revision) error { all.Revisions = append(all.Revisions, r.Clone()); return nil },
		Location: func(l Location) error { all.Locations = append(all.Locations, l); return nil },
	}, fuzzLimits)
	return all, err
}

// FuzzPackage: what is read does not depend on the pieces in which it comes,
// and is within the limits.
func FuzzPackage(f *testing.F) {
	f.Add([]byte(smallGraph(3)))
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, err := readEverything(bytes.NewReader(data))
		pieces, perr := readEverything(iotest.OneByteReader(bytes.NewReader(data)))
		if (err == nil) != (perr == nil) {
			t.Fatalf("as a whole: %v; in pieces: %v", err, perr)
		}
		if err != nil {
			checkError(t, data, err)
		}
		if diff := cmp.Diff(whole, pieces); err == nil && diff != "" {
			t.Fatalf("(-as a whole +in pieces):\n%s", diff)
		}
		if len(whole.Revisions) > fuzzLimits.Revisions || len(whole.Locations) > fuzzLimits.Locations {
			t.Errorf("%d revisions, %d locations", len(whole.Revisions), len(whole.Locations))
		}
		for _, r := range whole.Revisions {
			checkRevision(t, r)
		}
	})
}

func checkRevision(t *testing.T, r Revision) {
	t.Helper()
	if g, err := ParseGUID(r.ID.GUID.String()); err != nil || g != r.ID.GUID || r.RevisionID < 0 || r.ID.Number < 0 {
		t.Errorf("a revision %+v", r.ID)
	}
	for _, n := range []int{len(r.Prerequisites), len(r.SupersededBy), len(r.BundledBy), len(r.Categories), len(r.PayloadFiles), len(r.EulaFiles), len(r.Languages)} {
		if n > fuzzLimits.Items {
			t.Errorf("a list of %d members", n)
		}
	}
}

// FuzzFragment reads bytes as each kind of fragment: a parser that has read
// others gives what a new one gives.
func FuzzFragment(f *testing.F) {
	for _, s := range []string{
		`<UpdateIdentity UpdateID="` + testGUID + `2" RevisionNumber="1"/><ApplicabilityRules><IsInstalled><True/></IsInstalled></ApplicabilityRules>`,
		`<ExtendedProperties Handler="a/Cbs"><KBArticleID>1</KBArticleID></ExtendedProperties><Files/><HandlerSpecificData type="cat:Category"><CategoryInformation CategoryType="Product"/></HandlerSpecificData>`,
		`<LocalizedProperties><Language>en</Language><Title>a &lt; b</Title></LocalizedProperties>`,
		`<EulaFile Digest="2jmj7l5rSw0yVb/vlWAYkK/YBwk=" Size="1" Language="EN"/>`,
	} {
		f.Add([]byte(s))
	}
	used := NewParser(fuzzLimits)
	f.Fuzz(func(t *testing.T, data []byte) {
		fresh := NewParser(fuzzLimits)
		same(t, data, fresh.Core, used.Core)
		same(t, data, fresh.Extended, used.Extended)
		same(t, data, fresh.Localized, used.Localized)
		same(t, data, fresh.Eula, used.Eula)
		if c, err := fresh.Core(data); err == nil && !bytes.Contains(data, c.Rules) {
			t.Error("the rules are no part of the fragment")
		}
	})
}

func same[T any](t *testing.T, data []byte, fresh, used func([]byte) (T, error)) {
	t.Helper()
	want, err := fresh(data)
	got, uerr := used(data)
	if err != nil {
		checkError(t, data, err)
		if uerr == nil || uerr.Error() != err.Error() {
			t.Fatalf("a new parser says %v, a used one %v", err, uerr)
		}
		return
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); uerr != nil || diff != "" {
		t.Fatalf("%v (-new +used):\n%s", uerr, diff)
	}
}

// A word that was met before, such as a language without a name, is no GUID.
func TestWordsAreNotTakenForGUIDs(t *testing.T) {
	ps := NewParser(Limits{})
	if _, err := ps.Eula([]byte(`<EulaFile Digest="2jmj7l5rSw0yVb/vlWAYkK/YBwk=" Language=""/><EulaFile Digest="2jmj7l5rSw0yVb/vlWAYkK/YBwk=" Language="x"/>`)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", "x"} {
		if c, err := ps.Core([]byte(`<UpdateIdentity UpdateID="` + id + `" RevisionNumber="1"/>`)); !errors.Is(err, ErrFormat) {
			t.Errorf("the GUID %q was accepted: %+v, %v", id, c, err)
		}
	}
}
