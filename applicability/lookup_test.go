package applicability_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua/applicability"
)

const lookupFacts = `{"facts": 1, "complete": ["files", "wmi"], "os": {"major": 10, "minor": 0, "build": 19045, "revision": 7, "product_type": 1},
"registry": {"HKLM\\A\\B": {"V": "x"}, "HKLM\\Gone": null}, "subkeys": ["HKLM\\A"],
"folders": {"36": "C:\\Windows", "42": ""}, "files": {"C:\\a.dll": {"size": 3}},
"wmi": {"root\\cimv2": {"Win32_BIOS": [{"Name": "one"}, {"Name": "two"}, {"Other": 1}]}},
"queries": [{"namespace": "root", "wql": "anything at all", "rows": 4}],
"products": {"{P}": {"version": "1.2", "features": ["F"], "patches": {"{X}": 2}}, "{Gone}": null}, "patches": ["{X}"],
"metrics": {"5": 7, "6": null}, "packages": {"p~~~~1": {"state": 112}}, "releases": {"R": {"version": "10.0"}}}`

// truths joins answers with their truth values.
func truths[T any](v T, t applicability.Truth) [2]any { return [2]any{v, t.String()} }

func TestLookup(t *testing.T) {
	f, err := applicability.ParseFacts([]byte(lookupFacts))
	if err != nil {
		t.Fatal(err)
	}
	m, err := applicability.NewMachine(f)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ got, want [2]any }{
		"key":                  {truths("", m.Key(`HKEY_LOCAL_MACHINE\a\b`)), [2]any{"", "true"}},
		"key above":            {truths("", m.Key(`HKLM\A`)), [2]any{"", "true"}},
		"absent key":           {truths("", m.Key(`HKLM\Gone\Below`)), [2]any{"", "false"}},
		"unknown key":          {truths("", m.Key(`HKLM\Other`)), [2]any{"", "unknown"}},
		"folder":               {truths(m.Folder(36)), [2]any{`c:\windows`, "true"}},
		"no folder":            {truths(m.Folder(42)), [2]any{"", "false"}},
		"unknown folder":       {truths(m.Folder(1)), [2]any{"", "unknown"}},
		"rows":                 {truths(m.Rows(`root\cimv2`, "SELECT * FROM Win32_BIOS WHERE Name LIKE '%o%'")), [2]any{2, "true"}},
		"rows, not recorded":   {truths(m.Rows(`root\cimv2`, "SELECT * FROM Win32_BIOS WHERE Name = 'three'")), [2]any{0, "unknown"}},
		"class not there":      {truths(m.Rows(`root\cimv2`, "SELECT * FROM Win32_Fan")), [2]any{0, "true"}},
		"recorded answer":      {truths(m.Rows("root", "ANYTHING at  all")), [2]any{4, "true"}},
		"query not understood": {truths(m.Rows("root", "ASSOCIATORS OF {X}")), [2]any{0, "unknown"}},
		"metric":               {truths(m.Metric(5)), [2]any{7, "true"}},
		"absent metric":        {truths(m.Metric(6)), [2]any{0, "false"}},
		"unknown licence":      {truths(m.License("L")), [2]any{uint32(0), "unknown"}},
		"package":              {truths(m.Package("P~~~~1")), [2]any{applicability.Package{State: 112}, "true"}},
		"release":              {truths(m.Release("r")), [2]any{"10.0.0.0", "true"}},
		"derived attribute":    {truths(m.Attribute("OSVersion")), [2]any{"10.0.19045.7", "true"}},
		"product": {truths(m.Product("{p}", []string{"f", "G"}, []string{"{C}"})),
			[2]any{applicability.Product{Version: "1.2.0.0", Features: []string{"f"}, Components: []string{}}, "true"}},
		"absent product": {truths(m.Product("{gone}", nil, nil)), [2]any{applicability.Product{}, "false"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLookupLists(t *testing.T) {
	f, err := applicability.ParseFacts([]byte(lookupFacts))
	if err != nil {
		t.Fatal(err)
	}
	m, err := applicability.NewMachine(f)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		n   int
		all bool
	}{`HKLM\A`: {1, true}, `HKLM\A\B`: {0, false}, `HKLM\Gone`: {0, true}, `HKLM\Other`: {0, false}} {
		if paths, all := m.Subkeys(path); len(paths) != want.n || all != want.all {
			t.Errorf("sub-keys of %s: %v, all %t; want %d, %t", path, paths, all, want.n, want.all)
		}
	}
	states, all := m.Patch("{x}")
	if diff := cmp.Diff(map[string]int{"{p}": 2}, states); diff != "" || !all {
		t.Errorf("patch {X}, all %t (-want +got):\n%s", all, diff)
	}
	if states, all := m.Patch("{y}"); len(states) != 0 || all {
		t.Errorf("patch {Y}: %v, all %t; want none, and not all", states, all)
	}
}
