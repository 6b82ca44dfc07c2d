package applicability_test

import (
	"bufio"
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"waptwua/applicability"
)

// TestCases evaluates every case of testdata/*.txtar, plainly and with a
// trace, which must not change the answer.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { runCases(t, file) })
	}
}

func runCases(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string][]byte{}
	for _, f := range archive.Files {
		sections[f.Name] = f.Data
	}
	m := machineOf(t, sections["facts.json"])
	lines := bufio.NewScanner(bytes.NewReader(sections["cases"]))
	for n := 1; lines.Scan(); n++ {
		want, xml, _ := strings.Cut(lines.Text(), " ")
		t.Run(fmt.Sprintf("%d %s", n, xml), func(t *testing.T) {
			rules := "<IsInstalled>" + xml + "</IsInstalled>"
			if meta := sections["metadata"]; meta != nil {
				rules += "<Metadata>" + string(meta) + "</Metadata>"
			}
			check(t, m, rules, want)
		})
	}
}

func check(t *testing.T, m *applicability.Machine, rules, want string) {
	t.Helper()
	r, err := applicability.Parse([]byte(rules))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Installed(&applicability.Context{Machine: m}).String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var trace applicability.Trace
	if got := r.Installed((&applicability.Context{Machine: m}).WithTrace(&trace)).String(); got != want {
		t.Errorf("with a trace got %s, want %s", got, want)
	}
	if len(trace.Steps) != 1 || trace.Steps[0].Result.String() != want {
		t.Errorf("trace %+v does not end in %s", trace.Steps, want)
	}
}

func machineOf(t testing.TB, facts []byte) *applicability.Machine {
	t.Helper()
	f, err := applicability.ParseFacts(facts)
	if err != nil {
		t.Fatal(err)
	}
	m, err := applicability.NewMachine(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
