package cabwrite

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// extractor is a program that other people wrote and that reads cabinets.
type extractor struct {
	name string
	args func(cabinet, dir string) []string
}

var extractors = []extractor{
	{"cabextract", func(c, d string) []string { return []string{"-q", "-d", d, c} }},
	{"7z", func(c, d string) []string { return []string{"x", "-y", "-bd", "-o" + d, c} }},
}

// extract returns length and SHA-256 of each file of the cabinet by name.
func (x extractor) extract(t *testing.T, cabinet string) map[string]string {
	t.Helper()
	program := x.find(t)
	dir := t.TempDir()
	out, err := exec.Command(program, x.args(cabinet, dir)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", x.name, err, out)
	}
	return digests(t, dir)
}

// find returns the program's path; where it is missing the test is skipped,
// and fails when CI says that everything must run.
func (x extractor) find(t *testing.T) string {
	t.Helper()
	p, err := exec.LookPath(x.name)
	if err == nil {
		return p
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed: %v", x.name, err)
	}
	t.Skipf("%s is not installed; on Debian: apt-get install cabextract p7zip-full", x.name)
	return ""
}

// digests returns length and SHA-256 of each file below dir.
func digests(t *testing.T, dir string) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		m[filepath.ToSlash(name)] = fmt.Sprintf("%d %x", len(b), sha256.Sum256(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
