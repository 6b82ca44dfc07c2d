package fault

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua/internal/origin"
	"waptwua/test/rig"
)

// TestResume kills the server in the middle of a download: the next one asks
// only for the rest, for the archive and for a payload.
func TestResume(t *testing.T) {
	t.Parallel()
	w := rig.NewWorld(t, 200, 1, 1)
	h := newHolder(w.Origin(origin.Faults{}))
	s := rig.New(t, h, map[string]string{"archive_roots": w.Roots})

	h.stopIn(func(r *http.Request, _ int64) bool { return r.URL.Path == origin.ArchivePath })
	s.Start()
	killHalfway(t, s, h, w.Archive(0))
	archive := s.WaitCatalogue()
	s.CheckArchive(w.Archive(0))

	h.stopIn(func(r *http.Request, size int64) bool { return r.URL.Path != origin.ArchivePath && size > 100_000 })
	s.Rules(1, `{"default_allow":true}`)
	f := s.NewFleet(w, "resume", 2)
	f.Set["default_allow"] = "None" // the rules decide
	f.Start()
	killHalfway(t, s, h, w.Archive(0))
	f.WaitCompliant(2*time.Minute, archive.SHA256, 1)
	s.CheckShelf(w.Archive(0))
	f.ExpectReported(time.Minute)
	f.ExpectOnce()
}

// killHalfway kills the server when half of a file is on its disk, starts it
// again and waits until it has asked for the rest, and only for that.
func killHalfway(t *testing.T, s *rig.System, h *holder, archive string) {
	t.Helper()
	var half hold
	select {
	case half = <-h.held:
	case <-time.After(time.Minute):
		t.Fatal("no download within a minute")
	}
	rig.Until(t, time.Minute, func() (bool, string) {
		size := staged(t, s, half.path)
		return size == half.sent, fmt.Sprintf("%d of %d bytes are on the disk", size, half.sent)
	})
	s.Server.Kill()
	s.CheckShelf(archive)
	s.Start()
	rig.Until(t, time.Minute, func() (bool, string) { return len(h.requests(half.path)) > 1, "it does not ask again" })
	again := h.requests(half.path)[1]
	if want := fmt.Sprintf("bytes=%d-", half.sent); again.span != want || again.ifRange == "" {
		t.Errorf("after the kill it asked for %q if %q, want %q and a condition", again.span, again.ifRange, want)
	}
}

// staged is how much of the file at a URL's path lies in the staging folder.
func staged(t *testing.T, s *rig.System, urlPath string) int64 {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.Data(), "staging"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if fi, err := e.Info(); err == nil && isPartOf(e.Name(), path.Base(urlPath)) {
			return fi.Size()
		}
	}
	return 0
}

// isPartOf tells whether name is the part of the file that a URL ends with.
// Both hold the SHA-1 of a payload: SHA1_NAME.part and STEM_SHA1.EXT.
func isPartOf(name, base string) bool {
	sum, _, isPayload := strings.Cut(name, "_")
	return strings.HasSuffix(name, ".part") && (name == base+".part" || isPayload && strings.Contains(base, sum))
}
