package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCorpora runs the command twice: the second time it gives the same
// seeds, and leaves what it did not write.
func TestCorpora(t *testing.T) {
	root := t.TempDir()
	if err := run(t.Context(), root); err == nil {
		t.Error("it ran outside of the project's root")
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	first := contents(t, root)
	finding := filepath.Join(root, "cab", "testdata", "fuzz", "FuzzReader", "finding")
	stale := filepath.Join(root, "cab", "testdata", "fuzz", "FuzzReader", prefix+"stale")
	for _, path := range []string{finding, stale} {
		if err := os.WriteFile(path, []byte("go test fuzz v1\n[]byte(\"\")\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	second := contents(t, root)
	total := 0
	for path, b := range first {
		total += len(b)
		if !strings.HasPrefix(path, "authenticode") && !bytes.Equal(b, second[path]) {
			t.Errorf("%s differs the second time", path)
		}
	}
	if len(second) != len(first)+1 {
		t.Errorf("%d files, then %d: want the finding kept and the stale seed removed", len(first), len(second))
	}
	if total > 1<<20 {
		t.Errorf("the corpora have %d bytes, want less than 1 MiB", total)
	}
	t.Logf("%d files of %d bytes", len(first), total)
}

// contents are all files below dir.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[path], err = fs.ReadFile(root, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
