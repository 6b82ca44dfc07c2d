package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua/internal/cabwrite"
	"waptwua/internal/fixture"
)

const real2011 = "offline-scan-2011/WSUSSCAN.cab"

// cli runs waptserver and returns its exit status and output.
func cli(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(context.Background(), args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

func TestArchiveInfo(t *testing.T) {
	status, out, stderr := cli(t, "archive", "info", "--json", fixture.Path(t, real2011))
	if status != 0 {
		t.Fatalf("exit status %d: %s", status, stderr)
	}
	var got archiveInfo
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Updates != 766 || got.RuleSets != 766 && got.RuleSets != 765 || got.PackageID == "" || got.CreationDate.Year() != 2011 || !got.Signature {
		t.Errorf("info: %s", out)
	}
	if got.SHA256 != "6b302224d035b1d62d22705d6c349207ef47b7f058f3151db8e1e38e59bbbdfc" {
		t.Errorf("sha256 %s", got.SHA256)
	}
	if status, out, _ := cli(t, "archive", "info", fixture.Path(t, real2011)); status != 0 || !strings.Contains(out, "updates      766") {
		t.Errorf("for people: %d %s", status, out)
	}
}

func TestArchiveVerify(t *testing.T) {
	path := fixture.Path(t, real2011)
	status, out, stderr := cli(t, "archive", "verify", "--allow-sha1", path)
	if status != 0 {
		t.Fatalf("exit status %d: %s%s", status, out, stderr)
	}
	for _, want := range []string{"Microsoft Corporation", "2011-03-25 03:27:42 UTC", "the one that was signed", "SHA-1 was accepted", "result       verified"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	if status, out, _ := cli(t, "archive", "verify", "--json", path); status != statusNotTrusted || !strings.Contains(out, `"verified":false`) {
		t.Errorf("without --allow-sha1: exit status %d, %s", status, out)
	}
	if status, _, _ := cli(t, "archive", "verify", filepath.Join(t.TempDir(), "missing.cab")); status != 1 {
		t.Errorf("a missing file: exit status %d", status)
	}
}

func TestArchiveVerifyRefusesOneByte(t *testing.T) {
	b := fixture.Read(t, real2011)
	b[len(b)/2] ^= 1
	path := filepath.Join(t.TempDir(), "altered.cab")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, stderr := cli(t, "archive", "verify", "--allow-sha1", path)
	if status != statusNotTrusted || !strings.Contains(out, "NOT the signed one") {
		t.Errorf("exit status %d\n%s%s", status, out, stderr)
	}
}

func TestArchiveList(t *testing.T) {
	path := fixture.Path(t, real2011)
	if status, out, _ := cli(t, "archive", "list", path); status != 0 || !strings.Contains(out, `"package.cab"`) {
		t.Errorf("list: %d %s", status, out)
	}
	status, out, _ := cli(t, "archive", "list", "--nested", "--json", path)
	if n := strings.Count(out, "\n"); status != 0 || n < 5000 || !strings.Contains(out, `"name":"package.cab/package.xml","size":242892`) {
		t.Errorf("list --nested: %d, %d lines", status, n)
	}
}

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
	writeCabinet(t, path, map[string]string{"good.txt": "good"}, "../up.txt", "/root.txt", `C:\drive.txt`, "a/../../b", "NUL", "x/com1.txt", "good.txt", "GOOD.TXT")
	dir := filepath.Join(t.TempDir(), "out")
	status, _, stderr := cli(t, "archive", "extract", path, dir)
	if status != statusPartly {
		t.Errorf("exit status %d, want %d", status, statusPartly)
	}
	if got := tree(t, filepath.Dir(dir)); len(got) != 1 || got["out/good.txt"] != "good" {
		t.Errorf("extracted %v", got)
	}
	for _, name := range []string{"../up.txt", "NUL", "com1", "occurs twice"} {
		if !strings.Contains(stderr, name) {
			t.Errorf("the message does not name %s:\n%s", name, stderr)
		}
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
	status, _, stderr := cli(t, "archive", "extract", "--max-bytes", "1000", path, t.TempDir())
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
