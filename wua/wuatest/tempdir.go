package wuatest

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TempDir is a folder of the test, removed when it ends. On Windows it does
// not use os.RemoveAll, and so not t.TempDir, because Wine 8 lacks the system
// call by which that deletes what is in a folder.
func TempDir(t testing.TB) string {
	t.Helper()
	if runtime.GOOS != "windows" {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("", "wuatest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := remove(dir); err != nil {
			t.Errorf("remove the folder of the test: %v", err)
		}
	})
	return dir
}

func remove(dir string) error {
	var found []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		found = append(found, path)
		return err
	})
	for i := len(found) - 1; i >= 0 && err == nil; i-- {
		err = os.Remove(found[i])
	}
	return err
}
