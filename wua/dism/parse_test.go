package dism

import (
	"strings"
	"testing"
)

func TestLastPercent(t *testing.T) {
	for text, want := range map[string]int{
		"":                          -1,
		"[==   5.8%   ]":            5,
		"[==  20.0% ]\r[== 40.2% ]": 40,
		"[==100.0%==]":              100,
		"100%":                      -1,
		"%":                         -1,
		"1.2.3%":                    1,
		"9999.0%":                   -1,
		"120.0%":                    -1,
		"[== 40.2% ] %":             40,
	} {
		got, ok := lastPercent([]byte(text))
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// Output may come in pieces of any length, and is bounded.
func TestTailOfPieces(t *testing.T) {
	var got []int
	w := &tail{}
	text := strings.Repeat("[====  12.0%  ]\r", 1000) + "[== 34.5% ]\r\nError: 0x800f0823\r\n"
	for i := range len(text) {
		if n, err := w.Write([]byte(text[i : i+1])); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if len(got) == 0 || got[len(got)-1] != w.last {
			got = append(got, w.last)
		}
	}
	if len(w.kept) > maxTail || w.String() != "Error: 0x800f0823" {
		t.Errorf("%d bytes kept, %q", len(w.kept), w.String())
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add("Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.8875.1.14 | Install Pending | Security Update | 11/10/2026\r\n")
	f.Add("a~b~c~d~e /Image:x | Installed")
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range parseTable(text) {
			if strings.ContainsAny(p.Identity, " \t\"/\\:|&") || !strings.Contains(text, p.Identity) {
				t.Errorf("%q becomes part of a command line", p.Identity)
			}
		}
	})
}
