package applicability_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua/applicability"
)

func TestParseFactsErrors(t *testing.T) {
	for name, c := range map[string]struct{ facts, want string }{
		"not JSON":         {`{`, "unexpected"},
		"two objects":      {`{"facts": 1} {}`, "follows"},
		"no format":        {`{}`, "format 0"},
		"newer format":     {`{"facts": 2}`, "format 2"},
		"unknown field":    {`{"facts": 1, "registy": {}}`, "registy"},
		"unknown section":  {`{"facts": 1, "complete": ["registy"]}`, "registy"},
		"file version":     {`{"facts": 1, "files": {"C:\\a.dll": {"version": "new"}}}`, `C:\a.dll`},
		"product version":  {`{"facts": 1, "products": {"{P}": {"version": "new"}}}`, "{P}"},
		"release version":  {`{"facts": 1, "releases": {"R": {"version": "new"}}}`, "R"},
		"negative dword":   {`{"facts": 1, "registry": {"HKLM\\A": {"V": -1}}}`, "registry value"},
		"fraction":         {`{"facts": 1, "registry": {"HKLM\\A": {"V": 1.5}}}`, "registry value"},
		"unknown type":     {`{"facts": 1, "registry": {"HKLM\\A": {"V": {"type": "REG_LINK", "data": "x"}}}}`, "REG_LINK"},
		"text for a dword": {`{"facts": 1, "registry": {"HKLM\\A": {"V": {"type": "REG_DWORD", "data": "x"}}}}`, "uint64"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := applicability.ParseFacts([]byte(c.facts))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that names %q", err, c.want)
			}
		})
	}
}

// TestFactsRoundTrip writes facts with every kind of registry value and reads
// them back.
func TestFactsRoundTrip(t *testing.T) {
	sz, no := "", false
	f := &applicability.Facts{
		Format: 1, Name: "m", Complete: applicability.Sections(),
		Registry: map[string]applicability.Key{
			`HKLM\A`: {
				"sz": applicability.SZ("x"), "dword": applicability.DWORD(7), "gone": nil,
				"expand": {Type: applicability.RegExpandSZ, Text: "%a%"}, "qword": {Type: applicability.RegQWORD, Number: 1 << 40},
				"multi": {Type: applicability.RegMultiSZ, Text: "a\nb"}, "binary": {Type: applicability.RegBinary, Text: "00ff"},
			},
			`HKLM\Gone`: nil,
		},
		Subkeys: []string{`HKLM\A`}, Patches: []string{"{X}"},
		Folders:  applicability.StandardFolders(applicability.ArchX64),
		Files:    map[string]*applicability.FileInfo{`C:\a`: {Version: &sz}, `C:\gone`: nil},
		Packages: map[string]*applicability.Package{"p": {Installable: &no}},
	}
	c, err := f.Clone()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, c); diff != "" {
		t.Errorf("clone (-want +got):\n%s", diff)
	}
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	back, err := applicability.ParseFacts(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, back); diff != "" {
		t.Errorf("round trip (-want +got):\n%s", diff)
	}
}
