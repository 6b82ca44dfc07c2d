package policy

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"waptwua"
)

// caseNow is when the cases of testdata are decided.
var caseNow = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// TestCases decides the updates of each case file by its rules. A file holds
// ini.json (the settings, in the form of a rule file), rules/NAME.json,
// updates.json, and the verdicts to expect, one a line.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no case files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, updates, want := readCase(t, a)
			var got strings.Builder
			for _, u := range updates {
				got.WriteString(u.Title + ": " + sentence(p.Decide(u, caseNow)) + "\n")
			}
			if d := cmp.Diff(want, got.String()); d != "" {
				t.Errorf("verdicts (-want +got):\n%s", d)
			}
		})
	}
}

func readCase(t *testing.T, a *txtar.Archive) (p *Policy, updates []waptwua.Update, want string) {
	t.Helper()
	settings := Settings{Rules: Rules{Name: "wapt-get.ini"}}
	var packages []*Rules
	for _, f := range a.Files {
		dir, base := filepath.Split(f.Name)
		switch {
		case dir == "rules/":
			packages = append(packages, mustParse(t, strings.TrimSuffix(base, ".json"), f.Data))
		case base == "ini.json":
			settings.Rules = *mustParse(t, "wapt-get.ini", f.Data)
		case base == "updates.json":
			if err := json.Unmarshal(f.Data, &updates); err != nil {
				t.Fatalf("updates.json: %v", err)
			}
		case base == "want":
			want = string(f.Data)
		default:
			t.Fatalf("the case holds an unknown file %s", f.Name)
		}
	}
	return Merge(settings, packages...), updates, want
}

func mustParse(t *testing.T, name string, b []byte) *Rules {
	t.Helper()
	r, err := ParseRules(name, b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sentence(v waptwua.Verdict) string {
	s := string(v.Decision) + " " + v.Reason + " " + v.Detail + " (" + v.Origin + ")"
	if !v.Until.IsZero() {
		s += " until " + v.Until.Format(time.RFC3339)
	}
	return s
}
