//go:build !windows

package taskdialog

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"waptwua/internal/winetest"
)

// TestUnderWine builds the tests of this package for Windows and runs them
// in a copy of the Wine prefix that WAPTWUA_WINE names, on a screen of their
// own: Wine shows windows only when its first process has a screen.
func TestUnderWine(t *testing.T) {
	template := winetest.Prefix(t)
	if _, err := exec.LookPath("Xvfb"); err != nil {
		t.Skip("there is no Xvfb here; install the Debian package xvfb")
	}
	exe, prefix := winetest.Build(t), filepath.Join(t.TempDir(), "prefix")
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", "--reflink=auto", template, prefix).CombinedOutput(); err != nil {
		t.Fatalf("copy the prefix: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		end := exec.Command("wineserver", "-k")
		end.Env = append(os.Environ(), "WINEPREFIX="+prefix)
		_ = end.Run()
	})
	winetest.Tests(t, prefix, exe, "DISPLAY="+screen(t))
}

// screen starts a screen without a monitor, and returns its name.
func screen(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	x := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1000x700x24", "-nolisten", "tcp")
	x.ExtraFiles = []*os.File{w}
	if err := x.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = x.Process.Kill()
		_ = x.Wait()
	})
	w.Close()
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("the screen does not start: %v", err)
	}
	return ":" + strings.TrimSpace(number)
}
