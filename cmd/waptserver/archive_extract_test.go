package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/cab"
	"waptwua/internal/cabwrite"
	"waptwua/internal/fixture"
)

// TestExtractEqualsCabextract compares whole trees for every cabinet that
// cabextract reads without an error, the real archive among them.
func TestExtractEqualsCabextract(t *testing.T) {
	if _, err := exec.LookPath("cabextract"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("cabextract is not installed; make test-deps installs it")
		}
		t.Skip("cabextract is not installed")
	}
	inner := filepath.Join(t.TempDir(), "package.cab")
	if status, _, stderr := cli(t, "archive", "extract", fixture.Path(t, real2011), filepath.Dir(inner)); status != 0 {
		t.Fatal(stderr)
	}
	paths := append(fixture.Glob(t, "cabs/*/*.cab"), fixture.Path(t, real2011), inner)
	differ := map[string]string{
		"hidden-files.cab":                        "the count of files in the header is honoured, as 7z does",
		"encoding-latin1.cab":                     "names in a code page are decoded to UTF-8",
		"test_read_format_cab_filename_cp932.cab": "names in a code page are decoded to UTF-8",
		"large-files-cab.cab":                     "gigabytes; read by the tests of package cab",
	}
	compared := 0
	for _, path := range paths {
		if why, ok := differ[filepath.Base(path)]; ok {
			t.Logf("%s is left out: %s", filepath.Base(path), why)
			continue
		}
		theirs, ours := t.TempDir(), t.TempDir()
		if exec.Command("cabextract", "-q", "-d", theirs, path).Run() != nil {
			continue
		}
		if status, _, stderr := cli(t, "archive", "extract", path, ours); status != 0 {
			t.Logf("%s: exit status %d: %s", filepath.Base(path), status, stderr)
			continue // stricter than cabextract; package cab tells why
		}
		if d := cmp.Diff(tree(t, theirs), tree(t, ours)); d != "" {
			t.Errorf("%s (-cabextract +ours):\n%s", path, d)
		}
		compared++
	}
	if compared < 15 {
		t.Errorf("only %d cabinets were compared", compared)
	}
}

// TestHostileCabinets extracts every fixture into a folder in a folder and
// looks for anything outside.
func TestHostileCabinets(t *testing.T) {
	for _, path := range fixture.Glob(t, "cabs/*/*.cab") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			outer := t.TempDir()
			status, _, _ := cli(t, "archive", "extract", "--nested", "--max-bytes", "50000000", path, filepath.Join(outer, "a", "b"))
			if status != 0 && status != 1 && status != statusPartly {
				t.Errorf("exit status %d", status)
			}
			for name := range tree(t, outer) {
				if !strings.HasPrefix(name, "a/b/") || strings.Contains(name, ".part") {
					t.Errorf("left %s", name)
				}
			}
		})
	}
}

func TestExtractRefusesNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names.cab")
	writeCabinet(t, path, map[string]string{"good.txt": "good"}, "../up.txt", "/root.txt", `C:\drive.txt`, "a/../../b", "NUL", "x/com1.txt", "LPT².log", "ConIn$", "good.txt", "GOOD.TXT")
	dir := filepath.Join(t.TempDir(), "out")
	status, _, stderr := cli(t, "archive", "extract", path, dir)
	if status != statusPartly {
		t.Errorf("exit status %d, want %d", status, statusPartly)
	}
	if got := tree(t, filepath.Dir(dir)); len(got) != 1 || got["out/good.txt"] != "good" {
		t.Errorf("extracted %v", got)
	}
	for _, name := range []string{"../up.txt", "NUL", "com1", "LPT²", "ConIn$", "occurs twice"} {
		if !strings.Contains(stderr, name) {
			t.Errorf("the message does not name %s:\n%s", name, stderr)
		}
	}
}

func TestExtractJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names.cab")
	writeCabinet(t, path, map[string]string{"good.txt": "good"}, "NUL")
	status, out, _ := cli(t, "archive", "extract", "--json", path, t.TempDir())
	const want = `{"files":1,"bytes":4,"refused":[{"name":"NUL","error":"\"NUL\" is a reserved name"}]}` + "\n"
	if status != statusPartly || out != want {
		t.Errorf("exit status %d, %s want %s", status, out, want)
	}
}

func TestExtractDoesNotFollowLinks(t *testing.T) {
	path, dir, outside := filepath.Join(t.TempDir(), "a.cab"), t.TempDir(), t.TempDir()
	writeCabinet(t, path, map[string]string{"sub/x.txt": "x"})
	if err := os.Symlink(outside, filepath.Join(dir, "sub")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if status, _, _ := cli(t, "archive", "extract", path, dir); status != statusPartly {
		t.Errorf("exit status %d", status)
	}
	if got := tree(t, outside); len(got) > 0 {
		t.Errorf("written outside: %v", got)
	}
}

func TestExtractStopsAtTheLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.cab")
	writeCabinet(t, path, map[string]string{"a": strings.Repeat("a", 100_000)})
	status, _, stderr := cli(t, "archive", "extract", "--max-bytes", "1KiB", path, t.TempDir())
	if status != 1 || !strings.Contains(stderr, "--max-bytes") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
}

func TestExtractNested(t *testing.T) {
	dir := t.TempDir()
	if status, _, stderr := cli(t, "archive", "extract", "--nested", fixture.Path(t, real2011), dir); status != 0 {
		t.Fatalf("exit status %d: %s", status, stderr)
	}
	want := fixture.Read(t, "offline-scan-2011/samples/package.xml")
	got, err := os.ReadFile(filepath.Join(dir, "package.cab", "package.xml"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("package.xml: %d bytes, %v; want %d", len(got), err, len(want))
	}
}

// TestExtractHostileCabinets: whatever the cabinet, nothing is written beside
// the directory, no part of a file stays, and what stays is whole.
func TestExtractHostileCabinets(t *testing.T) {
	for _, path := range fixture.Glob(t, "cabs/*/*.cab") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			dir := t.TempDir()
			status, _, stderr := cli(t, "archive", "extract", "--nested", "--max-bytes", "4000000", path, filepath.Join(dir, "a", "b", "out"))
			if (status == 0) != (stderr == "") || status != 0 && status != 1 && status != statusPartly {
				t.Errorf("exit status %d: %s", status, stderr)
			}
			for name := range tree(t, dir) {
				if !strings.HasPrefix(name, "a/b/out/") || strings.HasSuffix(name, ".part") {
					t.Errorf("%s was written", name)
				}
			}
		})
	}
}

// TestExtractTornCabinet: what is extracted from a cabinet whose last quarter
// is lost is what is extracted from the whole.
func TestExtractTornCabinet(t *testing.T) {
	want := map[string]string{}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		content := make([]byte, 2000)
		for k := range content {
			content[k] = byte(random.Uint32())
		}
		want[fmt.Sprintf("%d.bin", i)] = string(content)
	}
	path, torn := filepath.Join(t.TempDir(), "torn.cab"), t.TempDir()
	writeCabinet(t, path, want)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(b) - len(b)/4; i < len(b); i++ {
		b[i] = 0x55
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := cli(t, "archive", "extract", path, torn)
	got := tree(t, torn)
	if status != statusPartly || len(got) == 0 || len(got) >= len(want) || strings.Count(stderr, "is not extracted") != len(want)-len(got) {
		t.Errorf("exit status %d, %d of %d files, %d lines", status, len(got), len(want), strings.Count(stderr, "\n"))
	}
	for name, content := range got {
		if content != want[name] {
			t.Errorf("%s differs", name)
		}
	}
}

func TestExtractKeepsAttributesAndTime(t *testing.T) {
	path, dir := filepath.Join(t.TempDir(), "a.cab"), t.TempDir()
	when := time.Date(2026, 11, 10, 7, 8, 10, 0, time.UTC)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := cabwrite.NewWriter(f, cabwrite.Options{Compression: cabwrite.MSZIP})
	if err != nil {
		t.Fatal(err)
	}
	attributes := map[string]cab.Attributes{"plain": cab.Archive, "protected": cab.ReadOnly | cab.Hidden, "program": cab.Executable}
	for name, a := range attributes {
		if _, err := w.Create(name, when, uint16(a)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := cli(t, "archive", "extract", path, dir); status != 0 {
		t.Fatalf("exit status %d: %s", status, stderr)
	}
	for name, a := range attributes {
		fi, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if writable := fi.Mode()&0o200 != 0; writable != (a&cab.ReadOnly == 0) {
			t.Errorf("%s has mode %v", name, fi.Mode())
		}
		if runs := fi.Mode()&0o100 != 0; runtime.GOOS != "windows" && runs != (a&cab.Executable != 0) {
			t.Errorf("%s has mode %v", name, fi.Mode())
		}
		if !fi.ModTime().Equal(when) {
			t.Errorf("%s is of %v", name, fi.ModTime())
		}
	}
}

// TestInnerCabinetsAreBounded: what lies in inner cabinets of inner cabinets
// costs no more than the budget, whatever the sizes of the outer ones.
func TestInnerCabinetsAreBounded(t *testing.T) {
	dir := t.TempDir()
	inner := filepath.Join(dir, "inner.cab")
	writeCabinet(t, inner, map[string]string{"a": "a"})
	content, err := os.ReadFile(inner)
	if err != nil {
		t.Fatal(err)
	}
	outer := filepath.Join(dir, "outer.cab")
	writeCabinet(t, outer, map[string]string{"1.cab": string(content), "2.cab": string(content), "3.cab": string(content)})
	c, err := openCabinet(outer, cab.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var out bytes.Buffer
	l := &lister{out: &out, stderr: &out, nested: true, inner: innerCabinets{depth: 4, left: 2 * int64(len(content))}}
	if err := l.cabinet(c.Reader, "", 0); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("got %v", err)
	}
	if n := strings.Count(out.String(), ".cab/a"); n != 2 {
		t.Errorf("%d inner cabinets were listed:\n%s", n, out.String())
	}
}

// writeCabinet writes a cabinet with files, and empty files of more names.
func writeCabinet(t *testing.T, path string, files map[string]string, more ...string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := cabwrite.NewWriter(f, cabwrite.Options{Compression: cabwrite.LZX})
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, content string) {
		entry, err := w.Create(name, time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC), 0)
		if err == nil {
			_, err = entry.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range files {
		put(name, content)
	}
	for _, name := range more {
		put(name, "second")
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// tree reads all files below dir.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		files[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
