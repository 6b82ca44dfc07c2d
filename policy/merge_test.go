package policy

import (
	"testing"
	"time"

	"waptwua"
)

func TestDigestTellsPoliciesApart(t *testing.T) {
	yes, week := true, 7*24*time.Hour
	variants := map[string]Settings{
		"empty":         {},
		"held":          {HoldAll: "install_delay cannot be read"},
		"default allow": {Rules: Rules{DefaultAllow: &yes}},
		"superseded":    {Rules: Rules{IncludePotentiallySuperseded: &yes}},
		"delay":         {Rules: Rules{InstallDelay: &week}},
		"allowed":       {Rules: Rules{Allowed: Lists{KBs: []waptwua.KB{1}}}},
		"forbidden":     {Rules: Rules{Forbidden: Lists{KBs: []waptwua.KB{1}}}},
		"allowing":      {Rules: Rules{Clauses: []Clause{{KBs: []waptwua.KB{1}, Allow: true}}}},
		"forbidding":    {Rules: Rules{Clauses: []Clause{{KBs: []waptwua.KB{1}}}}},
		"all revisions": {Rules: Rules{Allowed: Lists{Updates: []Revision{{All: true}}}}},
		"one revision":  {Rules: Rules{Allowed: Lists{Updates: []Revision{{}}}}},
	}
	seen := map[string]string{}
	for name, s := range variants {
		d := Merge(s).Digest()
		if other, ok := seen[d]; ok {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		seen[d] = name
		if again := Merge(s).Digest(); again != d {
			t.Errorf("%s has two digests", name)
		}
	}
}

func TestDigestIgnoresTheOrderOfEntries(t *testing.T) {
	a := Merge(Settings{}, &Rules{Name: "a", Allowed: Lists{KBs: []waptwua.KB{1, 2}, Products: []string{"Office", "windows 11"}}})
	b := Merge(Settings{}, &Rules{Name: "a", Allowed: Lists{KBs: []waptwua.KB{2, 1, 2}, Products: []string{"Windows 11", "office"}}})
	if a.Digest() != b.Digest() {
		t.Error("the same rules in another order have another digest")
	}
}

func TestHoldAllHoldsWhatIsAllowed(t *testing.T) {
	s := Settings{Rules: Rules{Name: "wapt-get.ini"}, HoldAll: `install_delay "soon" cannot be read`}
	p := Merge(s, &Rules{Name: "pkg", Allowed: Lists{KBs: []waptwua.KB{1}}})
	v := p.Decide(waptwua.Update{KBs: []waptwua.KB{1}, Published: caseNow.AddDate(-1, 0, 0)}, caseNow)
	want := waptwua.Verdict{Decision: waptwua.Held, Reason: ReasonInstallDelay, Detail: s.HoldAll, Origin: "wapt-get.ini"}
	if v != want {
		t.Errorf("got %+v, want %+v", v, want)
	}
}

func TestIncludePotentiallySuperseded(t *testing.T) {
	yes, no := true, false
	include := &Rules{Name: "pkg", IncludePotentiallySuperseded: &yes}
	if !Merge(Settings{}, include, &Rules{Name: "other", IncludePotentiallySuperseded: &no}).IncludePotentiallySuperseded() {
		t.Error("a package that asks for superseded updates is not heard")
	}
	if Merge(Settings{Rules: Rules{IncludePotentiallySuperseded: &no}}, include).IncludePotentiallySuperseded() {
		t.Error("the setting of wapt-get.ini does not win")
	}
}

func TestMergeKeepsNothingOfItsArguments(t *testing.T) {
	r := &Rules{Name: "pkg", Clauses: []Clause{{Products: []string{"Windows 11"}, Allow: true}}}
	p := Merge(Settings{}, r)
	r.Clauses[0].Products[0] = "Office"
	if v := p.Decide(waptwua.Update{Products: []string{"Windows 11"}}, caseNow); v.Decision != waptwua.Allowed {
		t.Errorf("changing the rules afterwards changed the policy: %+v", v)
	}
}
