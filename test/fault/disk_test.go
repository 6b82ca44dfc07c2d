package fault

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"waptwua/internal/origin"
	"waptwua/server"
	"waptwua/test/rig"
)

// TestFullShelf fills the volume of the shelf: downloads fail with the reason
// in their rows, nothing half is published, and when there is room again the
// fleet becomes compliant.
func TestFullShelf(t *testing.T) {
	t.Parallel()
	v := newVolume(t, "24m")
	w := rig.NewWorld(t, 200, 1, 1)
	s := rig.New(t, w.Origin(origin.Faults{}), map[string]string{"archive_roots": w.Roots, "waptwua_folder": v.dir})
	s.Start()
	s.Rules(1, `{"default_allow":true}`)
	archive := s.WaitCatalogue()
	v.fill(t, 200<<10)
	f := s.NewFleet(w, "full", 2)
	f.Set["default_allow"] = "None" // the rules decide
	f.Start()
	rig.Until(t, time.Minute, func() (bool, string) {
		downloads := s.Downloads()
		failed := slices.ContainsFunc(downloads, func(d server.DownloadView) bool { return strings.Contains(d.Error, "no space left") })
		return failed, fmt.Sprintf("no download failed for want of room: %+v; runs %+v", downloads, s.Runs(server.JobFiles))
	})
	s.CheckShelf(w.Archive(0))
	v.free(t)
	s.Now(server.JobFiles)
	f.WaitCompliant(time.Minute, archive.SHA256, 1)
	s.CheckShelf(w.Archive(0))
	f.ExpectOnce()
}

// TestFullData fills the volume of all that the server keeps, its database
// too, while hosts report: the log says so, and when there is room again
// everything comes out as if it had always been there.
func TestFullData(t *testing.T) {
	t.Parallel()
	v := newVolume(t, "64m")
	w := rig.NewWorld(t, 200, 1, 1)
	s := rig.NewAt(t, filepath.Join(v.dir, "server"), w.Origin(origin.Faults{}), map[string]string{"archive_roots": w.Roots})
	s.Start()
	s.Rules(1, `{"default_allow":true}`)
	archive := s.WaitCatalogue()
	f := s.NewFleet(w, "full", 2)
	f.Set["default_allow"] = "None" // the rules decide
	f.Enrol(2)
	v.fill(t, 0)
	f.Restart()
	rig.Until(t, time.Minute, func() (bool, string) {
		log := s.Log()
		return strings.Contains(log, "disk is full") || strings.Contains(log, "no space left"), "the log does not say that the disk is full"
	})
	v.free(t)
	f.WaitCompliant(2*time.Minute, archive.SHA256, 1)
	s.CheckShelf(w.Archive(0))
	f.ExpectReported(time.Minute)
	f.ExpectOnce()
}

// volume is a small file system of its own.
type volume struct{ dir string }

// newVolume mounts one, or skips the test where that is not allowed.
func newVolume(t *testing.T, size string) *volume {
	t.Helper()
	v := &volume{dir: t.TempDir()}
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", v.dir).CombinedOutput()
	if err != nil {
		t.Skipf("this test needs a small volume that it can fill, and may not mount one (run it as root): %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", v.dir).CombinedOutput(); err != nil {
			t.Errorf("unmounting %s: %v: %s", v.dir, err, out)
		}
	})
	return v
}

func (v *volume) filler() string { return filepath.Join(v.dir, ".filler") }

// fill leaves so many bytes, in whole pages.
func (v *volume) fill(t *testing.T, leave int64) {
	t.Helper()
	f, err := os.Create(v.filler())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1 << 20, 4 << 10, 1} {
		for b := make([]byte, size); err == nil; {
			_, err = f.Write(b)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("filling the volume: %v", err)
		}
		err = nil
	}
	fi, err := f.Stat()
	if err == nil && leave > 0 {
		err = f.Truncate(fi.Size() - leave)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (v *volume) free(t *testing.T) {
	t.Helper()
	if err := os.Remove(v.filler()); err != nil {
		t.Fatal(err)
	}
}
