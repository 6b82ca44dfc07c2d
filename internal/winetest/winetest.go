// Package winetest runs programs and tests of Windows-only code under Wine, in
// the prefix that the environment variable WAPTWUA_WINE names; scripts/test-windows
// makes one, and runs every test named after Wine in packages that import this one.
// In the prefix's system32 there must be a bcryptprimitives.dll, which programs
// made with Go need. Imported by tests only, one package at a time.
package winetest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// limit is how long one program may run.
const limit = 2 * time.Minute

// Prefix is the prefix. Where none is named the test is skipped.
func Prefix(t testing.TB) string {
	t.Helper()
	prefix := os.Getenv("WAPTWUA_WINE")
	if prefix == "" {
		t.Skip("left out: WAPTWUA_WINE does not name a Wine prefix (make test-windows makes one)")
	}
	return prefix
}

// Build builds the tests of the package in the working directory for Windows
// and returns the program's path.
func Build(t testing.TB) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "windows.test.exe")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", exe, ".")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build for Windows: %v\n%s", err, out)
	}
	return exe
}

// Tests runs the tests that Build has built, with more variables (NAME=VALUE)
// in their environment.
func Tests(t testing.TB, prefix, exe string, env ...string) {
	t.Helper()
	out, code := Run(t, prefix, env, exe, "-test.v", "-test.timeout=100s")
	t.Logf("%s", out)
	if code != 0 {
		t.Errorf("tests under Wine: exit code %d", code)
	}
}

// Run runs a Windows program and returns what it wrote and the low eight bits
// of its exit code. It serves clean-up functions, too.
func Run(t testing.TB, prefix string, env []string, args ...string) (out string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), limit)
	defer cancel()
	f, err := os.CreateTemp("", "wine-*.out") // not a pipe: what Wine starts would keep it open
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	c := exec.CommandContext(ctx, "wine", args...)
	c.Env = append(append(os.Environ(), "WINEPREFIX="+prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml="), env...)
	c.Stdout, c.Stderr = f, f
	err = c.Run()
	b, readErr := os.ReadFile(f.Name())
	if c.ProcessState == nil || ctx.Err() != nil || readErr != nil {
		t.Fatalf("wine %v: %v, %v, %v\n%s", args, err, ctx.Err(), readErr, b)
	}
	return string(b), c.ProcessState.ExitCode()
}
