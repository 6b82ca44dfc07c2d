package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/internal/origin"
	"waptwua/server"
	"waptwua/store"
	"waptwua/test/rig"
)

// TestOnlyWhatIsNeeded has hosts that need files for good, as they do not
// install: just those come from the origin, each once, and they go when the
// rules forbid the updates.
func TestOnlyWhatIsNeeded(t *testing.T) {
	t.Parallel()
	w := rig.NewWorld(t, small, 1, 1)
	o := w.Origin(origin.Faults{})
	s := rig.New(t, o, map[string]string{"archive_roots": w.Roots, "cleanup_grace": "1s"})
	s.Start()
	s.Rules(1, `{"default_allow":true}`)
	s.WaitCatalogue()
	f := s.NewFleet(w, "needing", 3)
	f.Set = looking()
	f.Start()
	expectPending(t, f)

	needed := files(t, s, lacking(t, f, waptwua.Allowed))
	if diff := cmp.Diff(needed, s.Payloads()); diff != "" {
		t.Errorf("needed (-) and on the shelf (+) differ:\n%s", diff)
	}
	if len(needed) == 0 || len(needed) >= len(w.Payloads())/2 {
		t.Errorf("%d of %d files are needed: the test says little", len(needed), len(w.Payloads()))
	}
	expectFetchedOnce(t, w, o, needed)

	unwanted := lacking(t, f, waptwua.Allowed)[0]
	s.Rules(2, string(forbid(t, unwanted)))
	f.All(time.Minute, func(_ int, h *server.HostDetail) (bool, string) {
		for _, u := range h.List {
			if u.ID == unwanted && u.Status != waptwua.StatusOK && u.Verdict.Reason != "forbidden_updates" {
				return false, fmt.Sprintf("%s is %s: %+v", u.ID, u.Status, u.Verdict)
			}
		}
		return true, ""
	})
	left := files(t, s, lacking(t, f, waptwua.Allowed))
	if len(left) >= len(needed) {
		t.Fatalf("%d files are needed after %s was forbidden, %d were before", len(left), unwanted, len(needed))
	}
	expectCleaned(t, s, left)

	s.Rules(3, `{"default_allow":false}`)
	expectCleaned(t, s, nil)
	s.CheckArchive(w.Archive(0))
	expectFetchedOnce(t, w, o, needed)
}

// expectPending waits until the files of all that hosts may install are on
// the server.
func expectPending(t *testing.T, f *rig.Fleet) {
	t.Helper()
	f.All(time.Minute, func(_ int, h *server.HostDetail) (bool, string) {
		return h.Updates[waptwua.StatusPending] > 0 && h.Updates[waptwua.StatusMissing] == 0, fmt.Sprintf("rules %+v, updates %v", h.State.Rules, h.Updates)
	})
}

// lacking are the updates that some host lacks and about which it decided so.
func lacking(t *testing.T, f *rig.Fleet, d waptwua.Decision) (ids []waptwua.UpdateID) {
	t.Helper()
	for n := range f.Hosts {
		h, err := f.Host(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range h.List {
			if (u.Status == waptwua.StatusPending || u.Status == waptwua.StatusMissing) && u.Verdict.Decision == d && !slices.Contains(ids, u.ID) {
				ids = append(ids, u.ID)
			}
		}
	}
	return ids
}

// files are the stored names of the files of updates, in order.
func files(t *testing.T, s *rig.System, ids []waptwua.UpdateID) (names []string) {
	t.Helper()
	for _, id := range ids {
		var of []server.FileView
		if err := s.Get("/api/v1/updates/"+id.String()+"/files", &of); err != nil || len(of) == 0 {
			t.Fatalf("files of %s: %v, %v", id, of, err)
		}
		for _, f := range of {
			names = append(names, f.StoredName)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// expectFetchedOnce fails unless just the payloads of these stored names were
// fetched from the origin, each once.
func expectFetchedOnce(t *testing.T, w *rig.World, o *origin.Origin, names []string) {
	t.Helper()
	want := map[string]int{origin.ArchivePath: 1}
	for _, p := range w.Payloads() {
		if !slices.Contains(names, p.StoredName()) {
			continue
		}
		u, err := url.Parse(p.URL)
		if err != nil {
			t.Fatal(err)
		}
		want[u.Path] = 1
	}
	if diff := cmp.Diff(want, o.Stats().Hits); diff != "" {
		t.Errorf("what is needed (-) and what was fetched (+) differ:\n%s", diff)
	}
}

// forbid are rules that allow all but one update.
func forbid(t *testing.T, id waptwua.UpdateID) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"default_allow": true, "forbidden_updates": []string{id.String()}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// expectCleaned has clean-up run until just these payloads are left.
func expectCleaned(t *testing.T, s *rig.System, want []string) {
	t.Helper()
	rig.Until(t, time.Minute, func() (bool, string) {
		if runs := s.Runs(server.JobCleanUp); len(runs) == 0 || runs[0].State != store.Running {
			s.Now(server.JobCleanUp)
		}
		diff := cmp.Diff(want, s.Payloads())
		return diff == "", "still needed (-) and on the shelf (+) differ:\n" + diff
	})
}
