//go:build !windows

package taskdialog

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnderWine builds the tests of this package for Windows and runs them
// in a copy of the Wine prefix that WAPTWUA_WINE names, on a screen of their
// own: Wine shows windows only when its first process has a screen.
func TestUnderWine(t *testing.T) {
	template := os.Getenv("WAPTWUA_WINE")
	if template == "" {
		t.Skip("windows are shown under Wine only when WAPTWUA_WINE names a prefix")
	}
	if _, err := exec.LookPath("Xvfb"); err != nil {
		t.Skip("there is no Xvfb here; install the Debian package xvfb")
	}
	dir := t.TempDir()
	exe, prefix := filepath.Join(dir, "taskdialog.test.exe"), filepath.Join(dir, "prefix")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", exe, ".")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build for Windows: %v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", "--reflink=auto", template, prefix).CombinedOutput(); err != nil {
		t.Fatalf("copy the prefix: %v\n%s", err, out)
	}
	env := append(os.Environ(), "WINEPREFIX="+prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=", "DISPLAY="+screen(t))
	t.Cleanup(func() {
		end := exec.Command("wineserver", "-k")
		end.Env = env
		_ = end.Run()
	})
	run := exec.CommandContext(t.Context(), "timeout", "120", "wine", exe, "-test.v", "-test.timeout=100s")
	run.Env = env
	log := filepath.Join(dir, "log") // a file: what Wine starts keeps a pipe open
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	run.Stdout, run.Stderr = out, out
	err = run.Run()
	text, _ := os.ReadFile(log)
	t.Logf("%s", text)
	if err != nil {
		t.Errorf("tests under Wine: %v", err)
	}
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
