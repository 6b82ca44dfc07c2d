package agent

import (
	"os"
	"path/filepath"
	"testing"

	"waptwua"
)

// TestPackageFolder gives the next attempt an empty folder while the one
// before cannot be removed.
func TestPackageFolder(t *testing.T) {
	parent := filepath.Join(t.TempDir(), packagesDir)
	id := waptwua.UpdateID{GUID: "11111111-2222-4333-8444-555555555555", Revision: 100}
	first, err := packageFolder(parent, id)
	if err == nil {
		err = os.WriteFile(filepath.Join(first, "a.msu"), nil, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	second, err := packageFolder(parent, id)
	if err != nil || second == first || !filepath.IsAbs(second) {
		t.Fatalf("%q after %q, %v", second, first, err)
	}
	if left, err := os.ReadDir(second); err != nil || len(left) > 0 {
		t.Errorf("the folder of the next attempt holds %v, %v", left, err)
	}
}
