package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestArchiveRoots never falls back to Microsoft's roots, nor to none, when
// the file that is set cannot be read.
func TestArchiveRoots(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"absent": filepath.Join(dir, "absent.pem"), "empty": empty} {
		h := &windowsHost{}
		if err := h.trust(file); err == nil {
			t.Errorf("%s: no error, roots %v", name, h.roots)
		}
	}
	h := &windowsHost{}
	if err := h.trust(""); err != nil || h.roots != nil {
		t.Errorf("not set: %v, roots %v; want Microsoft's", err, h.roots)
	}
}
