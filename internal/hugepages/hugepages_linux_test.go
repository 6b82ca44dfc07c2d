package hugepages

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// TestPrepare: what a process allocates after Prepare lies where the kernel
// has noted the wish for huge pages, and nowhere else does it. Whether it has
// any to give depends on its free memory, and is not asked. In a process of
// its own, because what the heap of this one is like is not known.
func TestPrepare(t *testing.T) {
	switch os.Getenv("HUGEPAGES_TEST") {
	case "with":
		Prepare(128 << 20)
		fmt.Println("wished:", wished(t, make([]byte, 64<<20)))
		return
	case "without":
		fmt.Println("wished:", wished(t, make([]byte, 64<<20)))
		return
	}
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage/enabled"); err != nil {
		t.Skipf("this system knows no huge pages: %v", err)
	}
	for mode, want := range map[string]string{"with": "wished: true\n", "without": "wished: false\n"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPrepare$")
		cmd.Env = append(os.Environ(), "HUGEPAGES_TEST="+mode)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s Prepare: %q, %v; want %q", mode, out, err, want)
		}
	}
}

// wished reports whether nine tenths of room and more lie in mappings with the
// flag of MADV_HUGEPAGE, "hg" (proc_pid_smaps(5), VmFlags). Room may begin a
// few pages before the place that was asked for.
func wished(t *testing.T, room []byte) bool {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	start := uintptr(unsafe.Pointer(&room[0]))
	end := start + uintptr(len(room))
	var asked, inside uintptr
	for line := range strings.Lines(string(smaps)) {
		var from, to uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &from, &to); n == 2 {
			inside = max(min(to, end), start) - min(max(from, start), end)
		}
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && slices.Contains(strings.Fields(flags), "hg") {
			asked += inside
		}
	}
	return asked > uintptr(len(room))/10*9
}
