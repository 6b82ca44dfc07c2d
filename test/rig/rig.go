// Package rig sets up whole systems for tests: the programs as they are
// built, an origin in Microsoft's place, a server and fleets as processes
// that can be killed, all on the loopback interface and below a folder of the
// test.
//
//	World    generated archives, month by month, their payloads, who signs them
//	System   a server over an origin, with an administrator's key
//	Fleet    simulated hosts in one process, beside a System
//	Process  a child that can be stopped or killed
//
// Nothing is in anybody's place but Microsoft (internal/origin) and Windows
// (wua/sim inside waptsim). What a part believes is read where its users read
// it: the server's through the administration API, an agent's through
// agent.Status, what a Windows was told to install from its install log.
//
// Failures end the test that is running; so the methods belong to the test's
// own goroutine. Imported by tests only.
package rig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"waptwua/internal/fixture"
)

// Programs builds the programs once for a test binary and returns their
// folder.
func Programs(t testing.TB) string {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatalf("building the programs: %v", err)
	}
	return dir
}

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "waptwua-programs-")
	if err != nil {
		return "", err
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./cmd/...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("%w\n%s", err, out), os.RemoveAll(dir))
	}
	return dir, nil
})

// Main runs the tests of a package and removes the programs afterwards.
func Main(m *testing.M) int {
	code := m.Run()
	if dir, err := build(); err == nil {
		os.RemoveAll(dir)
	}
	return code
}

// Until calls done every 50 ms until it is true, and fails the test with what
// it said last when that takes longer than limit.
func Until(t testing.TB, limit time.Duration, done func() (bool, string)) {
	t.Helper()
	if ok, said := Within(limit, done); !ok {
		t.Fatalf("not within %s: %s", limit, said)
	}
}

// Within calls done every 50 ms until it is true or limit has passed, and
// returns the last answer.
func Within(limit time.Duration, done func() (bool, string)) (bool, string) {
	for deadline := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		ok, said := done()
		if ok || time.Now().After(deadline) {
			return ok, said
		}
	}
}

// RealArchive is the path of Microsoft's archive of 2011, or skips the test.
func RealArchive(t testing.TB) string {
	return fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab")
}

// dump shows the end of a log when the test has failed.
func dump(t testing.TB, name string) {
	if !t.Failed() {
		return
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) || len(b) == 0 {
		return
	}
	t.Logf("the end of %s (%v):\n%s", filepath.Base(name), err, tail(b))
}

func tail(b []byte) []byte { return b[max(0, len(b)-4000):] }
