//go:build !windows

package hostzone

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestUnderWine builds the tests of this package for Windows and runs them
// in the Wine prefix that WAPTWUA_WINE names: the zone that Windows gives now is the
// one that package time found.
func TestUnderWine(t *testing.T) {
	prefix := os.Getenv("WAPTWUA_WINE")
	if prefix == "" {
		t.Skip("the zone of Windows is tested under Wine only when WAPTWUA_WINE names a prefix")
	}
	exe := filepath.Join(t.TempDir(), "hostzone.test.exe")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", exe, ".")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build for Windows: %v\n%s", err, out)
	}
	for _, zone := range []string{"Europe/Paris", "Australia/Lord_Howe", "Asia/Tokyo"} {
		t.Run(zone, func(t *testing.T) { runIn(t, zone, prefix, exe) })
	}
}

func runIn(t *testing.T, zone, prefix, exe string) {
	t.Helper()
	run := exec.CommandContext(t.Context(), "wine", exe, "-test.v", "-test.timeout=2m")
	run.Env = append(os.Environ(), "WINEPREFIX="+prefix, "WINEDEBUG=-all", "TZ="+zone, "WINEDLLOVERRIDES=mscoree,mshtml=")
	out, err := run.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("tests under Wine: %v", err)
	}
}
