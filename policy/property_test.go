package policy

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waptwua"
)

// The generators draw from few values, so that rules and updates meet.

func drawID(t *rapid.T) waptwua.UpdateID {
	return waptwua.UpdateID{
		GUID:     fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", rapid.IntRange(0, 3).Draw(t, "guid")),
		Revision: rapid.IntRange(1, 2).Draw(t, "revision"),
	}
}

func drawSome[T any](t *rapid.T, label string, from ...T) []T {
	return rapid.SliceOfN(rapid.SampledFrom(from), 0, 2).Draw(t, label)
}

func drawLists(t *rapid.T) Lists {
	var l Lists
	for range rapid.IntRange(0, 2).Draw(t, "updates") {
		id, all := drawID(t), rapid.Bool().Draw(t, "all")
		if all {
			id.Revision = 0
		}
		l.Updates = append(l.Updates, Revision{id, all})
	}
	l.KBs = drawSome(t, "kbs", waptwua.KB(1), 2, 3)
	l.Products = drawSome(t, "products", "Windows 10", "windows 11", "Office")
	l.Classifications = drawSome(t, "classifications", "Security Updates", "drivers")
	l.Severities = drawSome(t, "severities", waptwua.Critical, waptwua.Low, waptwua.Unrated)
	return l
}

func drawRules(t *rapid.T, name string) *Rules {
	r := &Rules{Name: name, Allowed: drawLists(t), Forbidden: drawLists(t)}
	if rapid.Bool().Draw(t, "says default_allow") {
		v := rapid.Bool().Draw(t, "default_allow")
		r.DefaultAllow = &v
	}
	if rapid.Bool().Draw(t, "says install_delay") {
		v := time.Duration(rapid.IntRange(0, 30).Draw(t, "days")) * 24 * time.Hour
		r.InstallDelay = &v
	}
	if rapid.Bool().Draw(t, "has a clause") {
		l := drawLists(t)
		r.Clauses = []Clause{{l.Products, l.Classifications, l.Severities, l.KBs, rapid.Bool().Draw(t, "allow")}}
	}
	return r
}

func drawPackages(t *rapid.T) []*Rules {
	var rs []*Rules
	for i := range rapid.IntRange(0, 4).Draw(t, "packages") {
		rs = append(rs, drawRules(t, fmt.Sprintf("pkg%d", i)))
	}
	return rs
}

func drawUpdate(t *rapid.T) waptwua.Update {
	return waptwua.Update{
		ID: drawID(t), KBs: drawSome(t, "has kbs", waptwua.KB(1), 2, 3),
		Products:        drawSome(t, "has products", "Windows 10", "Windows 11", "Office"),
		Classifications: drawSome(t, "has classifications", "Security Updates", "Drivers"),
		Severity:        rapid.SampledFrom([]waptwua.Severity{waptwua.Critical, waptwua.Low, waptwua.Unrated}).Draw(t, "severity"),
		Published:       rapid.SampledFrom([]time.Time{{}, caseNow.AddDate(0, 0, -5), caseNow.AddDate(0, 0, -20)}).Draw(t, "published"),
	}
}

func TestForbiddingAlwaysWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u, rules := drawUpdate(t), drawPackages(t)
		rules = append(rules, &Rules{Name: "stop", Forbidden: Lists{Updates: []Revision{{u.ID, false}}}})
		settings := Settings{Rules: *drawRules(t, "wapt-get.ini")}
		if v := Merge(settings, rules...).Decide(u, caseNow); v.Decision != waptwua.Denied {
			t.Fatalf("a forbidden update is %+v", v)
		}
	})
}

func TestAllowingNeverForbids(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u, rules := drawUpdate(t), drawPackages(t)
		settings := Settings{Rules: *drawRules(t, "wapt-get.ini")}
		before := Merge(settings, rules...).Decide(u, caseNow)
		more := &Rules{Name: "more", Allowed: drawLists(t)}
		after := Merge(settings, append(rules, more)...).Decide(u, caseNow)
		if after.Decision == waptwua.Denied && before.Decision != waptwua.Denied || after.Decision == waptwua.Held && before.Decision == waptwua.Allowed {
			t.Fatalf("allowing more turned %+v into %+v", before, after)
		}
	})
}

func TestForbiddingNeverAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u, rules := drawUpdate(t), drawPackages(t)
		before := Merge(Settings{}, rules...).Decide(u, caseNow)
		more := &Rules{Name: "more", Forbidden: drawLists(t)}
		after := Merge(Settings{}, append(rules, more)...).Decide(u, caseNow)
		if after.Decision == waptwua.Allowed && before.Decision != waptwua.Allowed {
			t.Fatalf("forbidding more turned %+v into %+v", before, after)
		}
	})
}

func TestOrderOfPackagesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u, rules := drawUpdate(t), drawPackages(t)
		settings := Settings{Rules: *drawRules(t, "wapt-get.ini")}
		a, b := Merge(settings, rules...), Merge(settings, rapid.Permutation(rules).Draw(t, "permutation")...)
		if va, vb := a.Decide(u, caseNow), b.Decide(u, caseNow); va != vb {
			t.Fatalf("%+v in one order, %+v in another", va, vb)
		}
		if a.Digest() != b.Digest() {
			t.Fatal("the order of packages changes the digest")
		}
	})
}

func TestNothingIsAllowedBeforeItsDelay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u, rules := drawUpdate(t), drawPackages(t)
		delay := 10 * 24 * time.Hour
		rules = append(rules, &Rules{Name: "delay", InstallDelay: &delay})
		v := Merge(Settings{}, rules...).Decide(u, caseNow)
		if v.Decision == waptwua.Allowed && (u.Published.IsZero() || caseNow.Sub(u.Published) < delay) {
			t.Fatalf("%+v for an update of %v", v, u.Published)
		}
	})
}
