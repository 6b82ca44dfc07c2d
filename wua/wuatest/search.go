package wuatest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"waptwua"
	"waptwua/wua"
)

func searchFinds(t *testing.T, s *suite) {
	found := s.host().search(wua.Query{})
	for _, n := range []int{numPlain, numBundle, numNew, numExclusive, numPatch, numDriver, numComponents} {
		if u, ok := found[updateID(n)]; !ok || u.Installed || u.Hidden || u.Downloaded || u.RebootRequired {
			t.Errorf("update %d: found %v, %+v; want it missing, visible, not downloaded", n, ok, u)
		}
	}
	if u, ok := found[updateID(numPresent)]; !ok || !u.Installed {
		t.Errorf("the installed update: found %v, installed %v", ok, u.Installed)
	}
}

func searchOmits(t *testing.T, s *suite) {
	found := s.host().search(wua.Query{})
	for what, n := range map[string]int{
		"superseded": numOld, "of another product": numForeign, "a bundle's child": numBundleX64,
		"a detectoid": detectoid, "a category": classification,
	} {
		if _, ok := found[updateID(n)]; ok {
			t.Errorf("update %d, %s, was found", n, what)
		}
	}
}

func searchSuperseded(t *testing.T, s *suite) {
	h := s.host()
	found := h.search(wua.Query{IncludePotentiallySuperseded: true})
	if _, ok := found[updateID(numOld)]; !ok {
		t.Error("the superseded update was not found")
	}
	if _, ok := found[updateID(numNew)]; !ok {
		t.Error("the newer update was not found")
	}
}

func searchDescribes(t *testing.T, s *suite) {
	found := s.host().search(wua.Query{})
	u := found[updateID(numBundle)]
	if u.Title != "Bundle" || !slices.Equal(u.KBs, []waptwua.KB{kbBase + numBundle}) || u.Severity != waptwua.Critical || u.Type != "Software" {
		t.Errorf("the bundle is described as %+v", u.Update)
	}
	if !slices.Equal(u.Classifications, []string{"Security Updates"}) || !slices.Contains(u.Products, "Windows 10") || !slices.Contains(u.CategoryIDs, guid(product)) {
		t.Errorf("the bundle's categories are %q, %q, %q", u.Classifications, u.Products, u.CategoryIDs)
	}
	if len(u.Leaves) != 1 || u.Leaves[0].ID != updateID(numBundleX64) {
		t.Errorf("the bundle's leaves are %+v, want the child for x64 alone", u.Leaves)
	}
	p := found[updateID(numPlain)]
	if len(p.Leaves) != 1 || p.Leaves[0].ID != p.ID {
		t.Errorf("the leaves of an update without children are %+v, want itself", p.Leaves)
	}
	if d := found[updateID(numDriver)]; d.Type != "Driver" {
		t.Errorf("the driver's type is %q", d.Type)
	}
	if !found[updateID(numExclusive)].Exclusive {
		t.Error("the exclusive update is not marked")
	}
}

func searchCriteria(t *testing.T, s *suite) {
	h := s.host()
	for criteria, want := range map[string][]int{
		"IsInstalled=1":                  {numPresent},
		"Type='Driver'":                  {numDriver},
		"Type='Driver' or IsInstalled=1": {numPresent, numDriver},
		"UpdateID='" + guid(numPlain) + "' and RevisionNumber=100":               {numPlain},
		"UpdateID='" + guid(numPlain) + "' and RevisionNumber=99":                {},
		"IsInstalled=1 and CategoryIDs contains '" + guid(product) + "'":         {numPresent},
		"CategoryIDs contains '" + guid(otherDetectoid) + "'":                    {},
		"(IsInstalled=0 and Type='Driver') or (IsHidden=1)":                      {numDriver},
		"IsInstalled=0 and RebootRequired=1 and DeploymentAction='Installation'": {},
	} {
		found := h.search(wua.Query{Criteria: criteria})
		if len(found) != len(want) {
			t.Errorf("%s finds %d updates, want %d", criteria, len(found), len(want))
		}
		for _, n := range want {
			if _, ok := found[updateID(n)]; !ok {
				t.Errorf("%s does not find update %d", criteria, n)
			}
		}
	}
}

// wantCode fails the test unless err is of a code.
func (h *subject) wantCode(err error, code wua.Code) {
	h.t.Helper()
	var e *wua.Error
	if !errors.As(err, &e) || e.Code != code {
		h.t.Errorf("got %v, want an error with code %v", err, code)
	}
}

func searchBadCriteria(_ *testing.T, s *suite) {
	h := s.host()
	for _, criteria := range []string{"Title='x'", "(Type='Software' or Type='Driver') and IsHidden=0", "IsInstalled=2", "RevisionNumber=1"} {
		_, err := h.Host.Search(h.ctx(), wua.Query{Archive: h.Archive, Criteria: criteria})
		h.wantCode(err, wua.InvalidCriteria)
	}
	h.search(wua.Query{}) // it still works
}

func searchBadArchive(t *testing.T, s *suite) {
	h := s.host()
	text := filepath.Join(TempDir(t), "text.cab")
	if err := os.WriteFile(text, []byte("no cabinet"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		code wua.Code
	}{
		{s.Damaged, wua.InvalidScanFile},
		{s.Foreign, wua.InvalidScanFile},
		{text, wua.InvalidScanFile},
		{filepath.Join(TempDir(t), "nowhere.cab"), wua.NotFound},
		{`\\server\share\wsusscn2.cab`, wua.InvalidName},
		{"wsusscn2.cab", wua.InvalidName},
	} {
		_, err := h.Host.Search(h.ctx(), wua.Query{Archive: c.path})
		h.wantCode(err, c.code)
	}
	h.search(wua.Query{}) // it still works
}

func searchFails(_ *testing.T, s *suite) {
	for _, code := range []wua.Code{wua.OutOfMemory, wua.ServerUnavailable, 0x80248007} {
		h := s.host(Fault{Call: "search", Effect: Fails, Code: code, Times: 1})
		_, err := h.Host.Search(h.ctx(), wua.Query{Archive: h.Archive})
		h.wantCode(err, code)
		h.search(wua.Query{}) // the second one works
	}
}

func hide(t *testing.T, s *suite) {
	h := s.host()
	h.search(wua.Query{})
	set := func(hidden bool) {
		t.Helper()
		for range 2 { // twice is the same as once
			if err := h.Host.SetHidden(h.ctx(), updateID(numPlain), hidden); err != nil {
				t.Fatal(err)
			}
		}
	}
	set(true)
	if u := h.search(wua.Query{})[updateID(numPlain)]; !u.Hidden {
		t.Error("the hidden update is not marked, or not found without a criterion")
	}
	if _, ok := h.search(wua.Query{Criteria: "IsHidden=0"})[updateID(numPlain)]; ok {
		t.Error("IsHidden=0 finds the hidden update")
	}
	if found := h.search(wua.Query{Criteria: "IsHidden=1"}); len(found) != 1 {
		t.Errorf("IsHidden=1 finds %d updates", len(found))
	}
	set(false)
	if u, ok := h.search(wua.Query{Criteria: "IsHidden=0"})[updateID(numPlain)]; !ok || u.Hidden {
		t.Error("the update that is shown again is not found, or still marked")
	}
}

// superseding checks that an update which a hidden one supersedes reappears
// when hidden ones are left out, and only then.
func superseding(t *testing.T, s *suite) {
	h := s.host()
	h.search(wua.Query{})
	if err := h.Host.SetHidden(h.ctx(), updateID(numNew), true); err != nil {
		t.Fatal(err)
	}
	if _, ok := h.search(wua.Query{})[updateID(numOld)]; ok {
		t.Error("without a criterion the update that a hidden one supersedes is found")
	}
	if _, ok := h.search(wua.Query{Criteria: "IsHidden=0"})[updateID(numOld)]; !ok {
		t.Error("IsHidden=0 does not find the update that a hidden one supersedes")
	}
}

func progress(t *testing.T, s *suite) {
	h := s.host()
	last := 0
	rising := func(p wua.Progress) {
		if p.Percent < last || p.Percent > 100 {
			t.Errorf("progress went from %d%% to %d%%", last, p.Percent)
		}
		last = p.Percent
	}
	h.stage(h.search(wua.Query{Progress: rising}), numPlain, numPatch)
	last = 0
	if _, err := h.Host.Install(h.ctx(), ids(numPlain, numPatch), rising); err != nil {
		t.Fatal(err)
	}
	if last != 100 {
		t.Errorf("the last progress of the installation was %d%%", last)
	}
}
