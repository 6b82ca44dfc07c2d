package e2e

import (
	"os"
	"testing"

	"waptwua/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// long skips a test that takes more than a few seconds.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("long test, left out with -short")
	}
}
