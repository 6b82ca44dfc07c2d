package calm

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/windows"
)

// TestLowerProcess lowers this test's own child.
func TestLowerProcess(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^TestChild$")
	child.Env = append(os.Environ(), "WAPTWUA_CALM_CHILD=1")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(in.Close(), child.Wait()) }()
	pid := uint32(child.Process.Pid)
	before := class(t, pid)
	restore, err := lowerProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if got := class(t, pid); got != windows.BELOW_NORMAL_PRIORITY_CLASS {
		t.Errorf("priority class %#x", got)
	}
	if err := restore(); err != nil {
		t.Error(err)
	}
	if got := class(t, pid); got != before {
		t.Errorf("priority class %#x afterwards, %#x before", got, before)
	}
}

// TestChild lives until its input ends.
func TestChild(t *testing.T) {
	if os.Getenv("WAPTWUA_CALM_CHILD") == "" {
		t.Skip("only as a child of TestLowerProcess")
	}
	_, _ = os.Stdin.Read(make([]byte, 1))
}

func class(t *testing.T, pid uint32) uint32 {
	t.Helper()
	p, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = windows.CloseHandle(p) }()
	c, err := windows.GetPriorityClass(p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestServices(t *testing.T) {
	if _, err := Service("no such service").Lower(); !errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		t.Errorf("a service that does not exist: %v", err)
	}
	restore, err := Service("RpcSs").Lower()
	if err != nil {
		t.Logf("RpcSs: %v", err) // shared, or not to be changed
		return
	}
	if err := restore(); err != nil {
		t.Error(err)
	}
}
