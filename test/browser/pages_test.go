package browser

import (
	"testing"
)

// pages are all pages of a furnished site, with a name for pictures.
var pages = []struct{ name, path string }{
	{"overview", "/"},
	{"hosts", "/hosts"},
	{"hosts-filtered", "/hosts?condition=wanting&sort=missing"},
	{"hosts-nothing", "/hosts?q=no-such-host"},
	{"host", "/hosts/" + hostUUID(0)},
	{"host-failed", "/hosts/" + hostUUID(1)},
	{"host-scan-failed", "/hosts/" + hostUUID(2)},
	{"host-restart", "/hosts/" + hostUUID(6)},
	{"host-awaiting", "/hosts/" + hostUUID(5)},
	{"updates", "/updates"},
	{"updates-filtered", "/updates?severity=Critical&sort=needed"},
	{"update", "/updates/" + updateID(1).String()},
	{"update-hostile", "/updates/" + updateID(4).String()},
	{"downloads", "/downloads"},
	{"runs", "/runs"},
	{"rules", "/rules"},
	{"password", "/password"},
}

// TestPages looks at every page in both languages and both schemes, at the
// width of a desk and of a phone.
func TestPages(t *testing.T) {
	s := newSite(t)
	s.furnish(t)
	b := start(t, s.url, "fr-FR,fr;q=0.9,en;q=0.5")
	b.signIn(s)
	for _, p := range pages {
		t.Run(p.name, func(t *testing.T) {
			b.t = t
			b.size(1280, 900)
			b.scheme("light")
			b.see(p.path)
			b.audit("fr")
			b.picture(p.name + "-fr")
			b.scheme("dark")
			b.audit("fr")
			b.picture(p.name + "-dark")
			b.scheme("light")
			b.size(390, 844)
			b.audit("fr")
			b.picture(p.name + "-phone")
			b.expectNoFaults()
		})
	}
	b.t = t
	b.see("/")
	b.size(1280, 900)
	b.press(`button[name=language][value=en]`)
	for _, p := range pages {
		t.Run(p.name+" in English", func(t *testing.T) {
			b.t = t
			b.see(p.path)
			b.audit("en")
			b.picture(p.name)
			b.expectNoFaults()
		})
	}
}

// TestEmptyPages looks at the pages of a server that was just made.
func TestEmptyPages(t *testing.T) {
	s := newSite(t)
	b := start(t, s.url, "en")
	b.see("/signin")
	b.audit("en")
	b.picture("signin")
	b.signIn(s)
	for _, p := range []struct{ name, path string }{
		{"empty-overview", "/"}, {"empty-hosts", "/hosts"}, {"empty-updates", "/updates"},
		{"empty-downloads", "/downloads"}, {"empty-runs", "/runs"}, {"empty-rules", "/rules"},
	} {
		t.Run(p.name, func(t *testing.T) {
			b.t = t
			b.see(p.path)
			b.audit("en")
			if p.path != "/" && b.count(".empty h2") != 1 {
				t.Errorf("no word on why there is nothing")
			}
			b.picture(p.name)
			b.expectNoFaults()
		})
	}
}
