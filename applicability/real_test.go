package applicability

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"waptwua/internal/fixture"
)

var rulesOf = regexp.MustCompile(`(?s)<ApplicabilityRules>(.*)</ApplicabilityRules>`)

// TestParseRealFragments parses every published fragment and expects no
// operator to be unknown.
func TestParseRealFragments(t *testing.T) {
	for _, glob := range []string{
		"offline-scan-2011/samples/core/*", "offline-scan-2026-07-slice/c/*", "applicability-fragments/*",
	} {
		dir := fixture.Path(t, filepath.Dir(glob))
		names, err := filepath.Glob(filepath.Join(dir, filepath.Base(glob)))
		if err != nil || len(names) == 0 {
			t.Fatalf("no fragments in %s: %v", dir, err)
		}
		for _, name := range names {
			parseRealFragment(t, name)
		}
	}
}

func parseRealFragment(t *testing.T, name string) {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	m := rulesOf.FindSubmatch(b)
	if m == nil {
		return // a bundle has no rules of its own
	}
	r, err := Parse(m[1])
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if len(r.Unsupported) > 0 {
		t.Errorf("%s: unsupported operators %v", name, r.Unsupported)
	}
	if r.IsInstalled == nil {
		t.Errorf("%s: no IsInstalled", name)
	}
}
