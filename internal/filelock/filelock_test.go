package filelock

import (
	"errors"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

func TestTry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	held, err := Try(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Try(path); !errors.Is(err, ErrLocked) {
		t.Errorf("second lock: %v, want ErrLocked", err)
	}
	if err := held.Unlock(); err != nil {
		t.Fatal(err)
	}
	again, err := Try(path)
	if err != nil {
		t.Fatalf("after Unlock: %v", err)
	}
	if err := again.Unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := Try(filepath.Join(path, "below a file")); err == nil || errors.Is(err, ErrLocked) {
		t.Errorf("impossible path: %v", err)
	}
}

// Processes that are being started elsewhere in the program must not keep
// the lock.
func TestUnlockWhileProcessesStart(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("starting a process does not copy open files there")
	}
	path := filepath.Join(t.TempDir(), "lock")
	stop := make(chan struct{})
	var starting sync.WaitGroup
	for range 4 {
		starting.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = exec.Command("true").Run() // whether there is such a program does not matter
				}
			}
		})
	}
	defer starting.Wait()
	defer close(stop)
	for n := range 300 {
		l, err := Try(path)
		if err != nil {
			t.Fatalf("round %d: %v", n, err)
		}
		if err := l.Unlock(); err != nil {
			t.Fatal(err)
		}
	}
}
