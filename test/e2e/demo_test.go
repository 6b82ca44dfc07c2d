package e2e

import (
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"waptwua/test/rig"
)

// demo is `waptsim run` in a folder of its own.
type demo struct {
	*rig.Process
	dir     string
	bin     string
	said    []string
	console string
}

func startDemo(t *testing.T, args ...string) *demo {
	t.Helper()
	return demoIn(t, filepath.Join(t.TempDir(), "run"), args...)
}

func demoIn(t *testing.T, dir string, args ...string) *demo {
	t.Helper()
	d := &demo{dir: dir, bin: rig.Programs(t)}
	all := append([]string{"run", "--server", filepath.Join(d.bin, "waptserver"), "--dir", d.dir, "--console", "127.0.0.1:0"}, args...)
	d.Process = rig.Start(t, filepath.Join(t.TempDir(), "demo.log"), filepath.Join(d.bin, "waptsim"), all...)
	return d
}

// until reads the demonstration's output up to a line that matches.
func (d *demo) until(t *testing.T, limit time.Duration, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(limit)
	for {
		select {
		case line, more := <-d.Lines:
			d.said = append(d.said, line)
			if rest, ok := strings.CutPrefix(line, "console: "); ok {
				d.console, _, _ = strings.Cut(rest, " ")
			}
			if re.MatchString(line) {
				return line
			}
			if !more {
				t.Fatalf("ended without %q; it said\n%s", pattern, strings.Join(d.said, "\n"))
			}
		case <-deadline:
			t.Fatalf("no %q within %s; it said\n%s", pattern, limit, strings.Join(d.said, "\n"))
		}
	}
}

// expectNothingLeft fails for a process, a port or half a file that the
// demonstration left behind.
func (d *demo) expectNothingLeft(t *testing.T) {
	t.Helper()
	for _, pid := range processes(t, d.dir) {
		t.Errorf("process %s still runs", pid)
	}
	u, err := url.Parse(d.console)
	if err != nil || u.Host == "" {
		t.Fatalf("console address %q: %v", d.console, err)
	}
	if c, err := net.Dial("tcp", u.Host); err == nil {
		c.Close()
		t.Errorf("%s still answers", u.Host)
	}
	err = filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && unfinished(e.Name()) {
			t.Errorf("half a file was left: %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// unfinished tells names of files on their way: those of package atomicfile
// and the parts of downloads. Locks are files that stay.
func unfinished(name string) bool {
	if strings.HasSuffix(name, ".lock") {
		return false
	}
	return strings.HasPrefix(name, ".") && name != ".waptsim" || strings.HasSuffix(name, ".part") || strings.HasSuffix(name, ".part.json")
}

// processes lists the processes that name dir on their command line. Where
// there is no /proc, none is seen.
func processes(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if errors.Is(err, fs.ErrNotExist) || err != nil {
			continue // it has just ended
		}
		if strings.Contains(string(b), dir) {
			found = append(found, filepath.Base(filepath.Dir(f))+" "+strings.ReplaceAll(string(b), "\x00", " "))
		}
	}
	return found
}

// TestDemonstration is `make run ONCE=1`.
func TestDemonstration(t *testing.T) {
	t.Parallel()
	long(t)
	d := startDemo(t, "--once", "--hosts", "25")
	d.until(t, 3*time.Minute, `^console: `)
	if len(processes(t, d.dir)) < 2 {
		t.Error("the search for processes does not find the demonstration and its server")
	}
	d.until(t, 3*time.Minute, ` 25 of 25 hosts compliant$`)
	if err := d.Wait(t, time.Minute); err != nil {
		t.Errorf("exit: %v", err)
	}
	d.expectNothingLeft(t)
}

// TestDemonstrationBesideAnother: a directory in which a demonstration runs
// is left alone, and can be used again as soon as it was killed.
func TestDemonstrationBesideAnother(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a server outlives the waptsim that was killed")
	}
	t.Parallel()
	long(t)
	first := startDemo(t, "--hosts", "1", "--updates", "60")
	first.until(t, time.Minute, `^console: `)
	second := demoIn(t, first.dir, "--hosts", "1", "--updates", "60")
	if err := second.Wait(t, time.Minute); err == nil {
		t.Error("a second demonstration in the same directory did not fail")
	}
	first.until(t, time.Minute, ` 1 of 1 hosts compliant$`)
	first.Kill()
	rig.Until(t, time.Minute, func() (bool, string) {
		left := processes(t, first.dir)
		return len(left) == 0, strings.Join(left, "\n")
	})
	third := demoIn(t, first.dir, "--hosts", "1", "--updates", "60")
	third.until(t, time.Minute, ` 1 of 1 hosts compliant$`)
	if err := third.Interrupt(); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
}
