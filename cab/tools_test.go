package cab_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// tool returns the path of a program of others that reads cabinets. Where it
// is missing the test is skipped, and fails when CI says that all must run.
func tool(t testing.TB, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err == nil {
		return p
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed: %v", name, err)
	}
	t.Skipf("%s is not installed; on Debian: apt-get install cabextract p7zip-full", name)
	return ""
}

// An outcome is what a program makes of one file of a cabinet: the MD5 of
// its content, or "" if it cannot be read.
type outcome string

var testLine = regexp.MustCompile(`(?m)^  .*  (?:OK +([0-9a-f]{32})|failed \(.*\))$`)

// cabextractTest returns what cabextract makes of the files in order; none if
// it finds no cabinet.
func cabextractTest(t testing.TB, cabinet []byte) []outcome {
	t.Helper()
	program := tool(t, "cabextract")
	path := filepath.Join(t.TempDir(), "a.cab")
	if err := os.WriteFile(path, cabinet, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-t", path)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var out bytes.Buffer
	cmd.Stdout = &out
	_ = cmd.Run() // it fails when a file does; the lines tell which
	var all []outcome
	for _, m := range testLine.FindAllSubmatch(out.Bytes(), -1) {
		all = append(all, outcome(m[1]))
	}
	return all
}
