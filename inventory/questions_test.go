package inventory

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/applicability"
)

func TestParseValue(t *testing.T) {
	for s, want := range map[string][]valueName{
		`HKEY_LOCAL_MACHINE\A\B@V`:       {{keyName{path: `HKLM\A\B`}, "V"}},
		`hkey_local_machine\A\\B/@V`:     {{keyName{path: `HKLM\A\B`}, "V"}},
		`HKEY_LOCAL_MACHINE\A|32@V`:      {{keyName{path: `HKLM\A`, narrow: true}, "V"}},
		`HKEY_LOCAL_MACHINE\A@(Default)`: {{keyName{path: `HKLM\A`}, ""}},
		`HKEY_LOOP_TARGET\@V`:            {{keyName{inLoop: true}, "V"}},
		`HKEY_LOOP_TARGET\A\B|32@V`:      {{keyName{path: `A\B`, inLoop: true, narrow: true}, "V"}},
		`HKEY_USERS\A@B@C`:               {{keyName{path: `HKU\A`}, "B@C"}, {keyName{path: `HKU\A@B`}, "C"}},
		`HKEY_LOCAL_MACHINE\A`:           nil,
	} {
		if diff := cmp.Diff(want, parseValue(s), cmp.AllowUnexported(valueName{}, keyName{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s, diff)
		}
	}
}

func TestParseFile(t *testing.T) {
	for s, want := range map[string]fileName{
		`36:a\b.dll`:                   {csidl: 36, path: `a\b.dll`},
		`0:C:\a.dll`:                   {path: `C:\a.dll`},
		`HKEY_LOCAL_MACHINE\A@V:b.dll`: {bases: []valueName{{keyName{path: `HKLM\A`}, "V"}}, path: "b.dll"},
		`HKEY_LOCAL_MACHINE\A@V:W:\b`:  {bases: []valueName{{keyName{path: `HKLM\A`}, "V:W"}}, path: `\b`},
		`0:\\server\share\\a.dll`:      {path: `\\server\share\a.dll`},
	} {
		if diff := cmp.Diff(want, parseFile(s), cmp.AllowUnexported(fileName{}, valueName{}, keyName{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s, diff)
		}
	}
}

func TestNarrowView(t *testing.T) {
	for _, c := range []struct {
		path         string
		architecture int
		want         string
	}{
		{`HKLM\SOFTWARE\A`, applicability.ArchX64, `HKLM\SOFTWARE\Wow6432Node\A`},
		{`hklm\software`, applicability.ArchARM64, `HKLM\SOFTWARE\Wow6432Node`},
		{`HKLM\SOFTWARE\A`, applicability.ArchX86, `HKLM\SOFTWARE\A`},
		{`HKLM\SOFTWARE\wow6432node\A`, applicability.ArchX64, `HKLM\SOFTWARE\wow6432node\A`},
		{`HKLM\SOFTWAREX\A`, applicability.ArchX64, `HKLM\SOFTWAREX\A`},
		{`HKLM\SYSTEM\A`, applicability.ArchX64, `HKLM\SYSTEM\A`},
	} {
		if got := narrowView(c.path, c.architecture); got != c.want {
			t.Errorf("narrowView(%s, %d) = %s, want %s", c.path, c.architecture, got, c.want)
		}
	}
}

func TestParseQuestionsErrors(t *testing.T) {
	for name, c := range map[string]struct{ json, want string }{
		"not JSON":      {"{", "unexpected"},
		"two objects":   {"{} {}", "follows"},
		"unknown field": {`{"registry": []}`, "registry"},
		"wrong type":    {`{"metrics": ["x"]}`, "metrics"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseQuestions([]byte(c.json)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that names %q", err, c.want)
			}
		})
	}
	if _, err := ParseQuestions(make([]byte, maxQuestions+1)); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("too many bytes: %v", err)
	}
}

// FuzzTake asks a machine whatever the fuzzer comes up with: the recording is
// a valid one, and every question has an end.
func FuzzTake(f *testing.F) {
	for _, s := range []string{
		`{}`,
		`{"values": ["HKEY_LOCAL_MACHINE\\A|32@V", "HKEY_LOOP_TARGET\\@V"], "loops": ["HKEY_LOCAL_MACHINE\\A", "HKEY_LOOP_TARGET\\B"]}`,
		`{"files": ["36:a.dll", "HKEY_LOCAL_MACHINE\\A@V:b", "0:"], "queries": ["root: SELECT * FROM A", ""], "metrics": [-1]}`,
		`{"products": ["{P}"], "patches": ["{X}"], "features": ["F"], "packages": [""], "releases": ["R"], "attributes": ["OSVersion"]}`,
	} {
		f.Add([]byte(s))
	}
	m, err := applicability.NewMachine(&applicability.Facts{
		Format: 1, Complete: applicability.Sections(), Processor: &applicability.Processor{Architecture: applicability.ArchX64},
		OS: &applicability.OS{Major: 10, Build: 19045}, Folders: applicability.StandardFolders(applicability.ArchX64),
		Registry: map[string]applicability.Key{`HKLM\A\B\C`: {"V": applicability.SZ(`C:\x`)}, `HKLM\A`: {"V": applicability.SZ(`C:\y`)}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		asked, err := ParseQuestions(b)
		if err != nil {
			return
		}
		facts, _, err := Take(t.Context(), Record(m), asked, Options{At: time.Unix(0, 0), Limits: Limits{Answers: 10_000}})
		if err != nil {
			if !errors.Is(err, waptwua.ErrLimit) {
				t.Fatal(err)
			}
			return
		}
		out, err := json.Marshal(facts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := applicability.ParseFacts(out); err != nil {
			t.Errorf("the recording cannot be read: %v\n%s", err, out)
		}
	})
}
