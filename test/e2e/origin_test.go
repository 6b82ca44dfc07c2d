package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/origin"
	"waptwua/server"
	"waptwua/store"
	"waptwua/test/rig"
)

// TestCorruptArchive has the origin offer a newer archive with one wrong
// byte: the server says why it does not take it, keeps the last good one,
// and takes the healed one.
func TestCorruptArchive(t *testing.T) {
	t.Parallel()
	w := rig.NewWorld(t, small, 1, 2)
	o := w.Origin(origin.Faults{})
	s := rig.New(t, o, map[string]string{"archive_roots": w.Roots})
	s.Start()
	s.WaitCatalogue()

	o.SetArchive(flip(t, w.Archive(1)))
	s.Now(server.JobArchive)
	rig.Until(t, time.Minute, func() (bool, string) {
		run := s.Runs(server.JobArchive)[0]
		return run.State == store.Failed, fmt.Sprintf("last run %+v", run)
	})
	if run := s.Runs(server.JobArchive)[0]; !strings.Contains(run.Error, "digest") && !strings.Contains(run.Error, "signature") {
		t.Errorf("the run does not say that the archive is damaged: %q", run.Error)
	}
	var a server.ArchiveView
	if err := s.Get("/api/v1/archive", &a); err != nil || a.LastError == "" || a.SHA256 != rig.SHA256(t, w.Archive(0)) {
		t.Errorf("archive %s, last error %q, %v; want the first one, and why there is no newer", a.Created, a.LastError, err)
	}
	s.CheckArchive(w.Archive(0))

	o.SetArchive(w.Archive(1))
	s.Now(server.JobArchive)
	rig.Until(t, time.Minute, func() (bool, string) {
		a = server.ArchiveView{}
		err := s.Get("/api/v1/archive", &a)
		return err == nil && a.Loaded && a.SHA256 == rig.SHA256(t, w.Archive(1)), fmt.Sprintf("archive of %s, last error %q, %v", a.Created, a.LastError, err)
	})
	s.CheckArchive(w.Archive(1))
}

// flip returns the path of a copy with one wrong byte in its middle.
func flip(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 0x10
	bad := filepath.Join(t.TempDir(), "corrupt.cab")
	if err := os.WriteFile(bad, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return bad
}

// TestCorruptPayloads has every node of the origin hand out payloads with one
// wrong byte: none is published, each task says why, and once the origin has
// healed the fleet becomes compliant.
func TestCorruptPayloads(t *testing.T) {
	t.Parallel()
	long(t)
	w := rig.NewWorld(t, small, 1, 1)
	o := w.Origin(origin.Faults{})
	s := rig.New(t, o, map[string]string{"archive_roots": w.Roots})
	s.Start()
	s.Rules(1, `{"default_allow":true}`)
	archive := s.WaitCatalogue()
	o.SetFaults(origin.Faults{Corrupt: 1})
	f := s.NewFleet(w, "patched", 2)
	f.Set["default_allow"] = "None" // the rules decide
	f.Start()
	rig.Until(t, time.Minute, func() (bool, string) {
		failed := 0
		for _, d := range s.Downloads() {
			if d.State == store.Failed {
				failed++
				if !strings.Contains(d.Error, "SHA-1") {
					return false, "the task does not say that the digest is wrong: " + d.Error
				}
			}
		}
		return failed > 1, fmt.Sprintf("%d downloads have failed", failed)
	})
	if names := s.Payloads(); len(names) > 0 {
		t.Errorf("published: %v", names)
	}
	h, err := f.Host(0)
	if err != nil || h.Updates[waptwua.StatusMissing] == 0 {
		t.Errorf("updates without files: %v, %v; want them MISSING", h.Updates, err)
	}

	o.SetFaults(origin.Faults{})
	s.Now(server.JobFiles)
	f.WaitCompliant(time.Minute, archive.SHA256, 1)
	s.CheckShelf(w.Archive(0))
}
