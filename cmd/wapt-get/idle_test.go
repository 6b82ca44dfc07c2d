//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"waptwua/agent/agenttest"
	"waptwua/internal/fixture"
	"waptwua/internal/machines"
)

// maxIdle is what a service that has nothing to do may hold, in kB of
// resident memory.
const maxIdle = 25 << 10

// maxProgram is how large the program may be, in bytes.
const maxProgram = 25 << 20

// TestProgramIsSmall builds the program as it is handed out.
func TestProgramIsSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	exe := filepath.Join(t.TempDir(), "wapt-get.exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", exe, ".")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	fi, err := os.Stat(exe)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", fi.Size())
	if fi.Size() > maxProgram {
		t.Errorf("the program has %d bytes, more than %d", fi.Size(), maxProgram)
	}
}

// TestIdleMemory measures the service after a search with the archive of
// 2011: what counts is not the search, but what stays of it.
func TestIdleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	dir := t.TempDir()
	exe := filepath.Join(dir, "wapt-get")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", exe, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server := agenttest.NewServer(t)
	server.SetArchive(fixture.Read(t, "offline-scan-2011/WSUSSCAN.cab"))
	facts, err := machines.JSON("win7-sp1-x64")
	if err != nil {
		t.Fatal(err)
	}
	ini := fmt.Sprintf("[global]\nwapt_server = %s\n[simulator]\nmachine = machine.json\nallow_sha1 = true\n", server.URL)
	for name, b := range map[string][]byte{"ca.pem": server.CAPEM(), "machine.json": facts, "wapt-get.ini": []byte(ini)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	do := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), exe, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	do("register", "--token", agenttest.Token, "--ca", "ca.pem")
	service := exec.CommandContext(t.Context(), exe, "service", "run")
	service.Dir = dir
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = service.Process.Signal(os.Interrupt); _ = service.Wait() }()
	if err := serviceAnswers(t.Context(), filepath.Join(dir, "db")); err != nil {
		t.Fatal(err)
	}
	t.Logf("before: %d kB", resident(t, service.Process.Pid))
	do("waptwua-scan", "-S", "--force")
	kb := resident(t, service.Process.Pid)
	t.Logf("after: %d kB", kb)
	if kb > maxIdle {
		t.Errorf("an idle service holds %d kB, more than %d", kb, maxIdle)
	}
}

// resident is the resident memory of a process in kB.
func resident(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindStringSubmatch(string(b))
	if m == nil {
		t.Fatal("no VmRSS")
	}
	kb, _ := strconv.Atoi(m[1])
	return kb
}
