package diskfree

import (
	"path/filepath"
	"testing"
)

func TestAt(t *testing.T) {
	n, err := At(t.TempDir())
	if err != nil || n == 0 {
		t.Errorf("At = %d, %v; want some room", n, err)
	}
	if _, err := At(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a missing folder has room")
	}
}
