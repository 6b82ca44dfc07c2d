package hugepages

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestPrepare: a process that touches 64 MB after Prepare has fewer faults
// than one that did not call it. In a process of its own, because what the
// heap of this one is like is not known.
func TestPrepare(t *testing.T) {
	if mode := os.Getenv("HUGEPAGES_TEST"); mode != "" {
		if mode == "with" {
			Prepare(128 << 20)
		}
		touch(64 << 20)
		return
	}
	setting, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if err != nil || !strings.Contains(string(setting), "[madvise]") {
		t.Skipf("this system does not give huge pages to those who ask: %s %v", setting, err)
	}
	without, with := faults(t, "without"), faults(t, "with")
	if with > without/2 {
		t.Errorf("%d faults with huge pages, %d without", with, without)
	}
}

var kept []byte

func touch(n int) {
	kept = make([]byte, n)
	for i := 0; i < n; i += 4096 {
		kept[i] = 1
	}
}

func faults(t *testing.T, mode string) int64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPrepare$")
	cmd.Env = append(os.Environ(), "HUGEPAGES_TEST="+mode)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return cmd.ProcessState.SysUsage().(*syscall.Rusage).Minflt
}
