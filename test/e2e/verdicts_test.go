package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/applicability"
	"waptwua/cmd/waptsim/fleet"
	"waptwua/internal/machines"
	"waptwua/internal/origin"
	"waptwua/server"
	"waptwua/test/rig"
)

// evaluate is what `waptserver catalog evaluate` says about a machine, in the
// words of the console (see the package comment); lacking is the word for
// what the machine lacks.
func evaluate(t *testing.T, command func(string, ...string) []byte, archive string, machine []byte, lacking waptwua.Status) map[waptwua.UpdateID]waptwua.Status {
	t.Helper()
	file := filepath.Join(t.TempDir(), "FACTS.json")
	if err := os.WriteFile(file, machine, 0o600); err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Updates []struct {
			ID      waptwua.UpdateID `json:"id"`
			Verdict string           `json:"verdict"`
		} `json:"updates"`
	}
	out := command("waptserver", "catalog", "evaluate", "--json", "--archive", archive, "--machine", file)
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	words := map[string]waptwua.Status{"applicable": lacking, "installed": waptwua.StatusOK, "superseded": "", "unknown": ""}
	want := map[waptwua.UpdateID]waptwua.Status{}
	for _, u := range answer.Updates {
		status, ok := words[u.Verdict]
		if !ok || u.ID.IsZero() {
			t.Fatalf("catalog evaluate said %q about %s", u.Verdict, u.ID)
		}
		if status != "" {
			want[u.ID] = status
		}
	}
	return want
}

// statuses is what the server shows of a host. PENDING counts as lacking.
func statuses(h *server.HostDetail, lacking waptwua.Status) map[waptwua.UpdateID]waptwua.Status {
	got := map[waptwua.UpdateID]waptwua.Status{}
	for _, u := range h.List {
		got[u.ID] = u.Status
		if u.Status == waptwua.StatusPending {
			got[u.ID] = lacking
		}
	}
	return got
}

// TestRealArchive runs computers of 2011 against Microsoft's archive of that
// time, as `make run ARCHIVE=…` does, until Ctrl-C.
func TestRealArchive(t *testing.T) {
	t.Parallel()
	archive := rig.RealArchive(t)
	names := machines.Names()
	hosts := len(names)
	d := startDemo(t, "--archive", archive, "--hosts", fmt.Sprint(hosts))
	d.until(t, 2*time.Minute, fmt.Sprintf(` %d of %d hosts have reported$`, hosts, hosts))
	d.until(t, time.Minute, `stay MISSING: the payloads of this archive cannot be had here$`)
	s := &rig.System{Bin: d.bin, Dir: d.dir, Console: d.console, Token: readToken(t, d.dir)}
	s.Of(t)
	lacking := 0
	for n, name := range names {
		facts, err := os.ReadFile(filepath.Join(fleet.HostDir(filepath.Join(d.dir, "hosts"), n), "FACTS.json"))
		if err != nil {
			t.Fatal(err)
		}
		want := evaluate(t, s.Command, archive, facts, waptwua.StatusMissing)
		h := s.Host(fleet.UUID(1, n))
		if diff := cmp.Diff(want, statuses(&h, waptwua.StatusMissing)); diff != "" {
			t.Errorf("%s: catalog evaluate (-) and the server (+) differ:\n%s", name, diff)
		}
		lacking += h.Updates[waptwua.StatusMissing]
	}
	if lacking == 0 {
		t.Error("no machine lacks anything: the comparison says little")
	}
	if err := d.Interrupt(); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
	d.expectNothingLeft(t)
}

func readToken(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "administrator", "api-token.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestGeneratedArchive compares for machines of today, which lack, have and
// have replaced dozens of updates. Their hosts only look (enabled is false).
func TestGeneratedArchive(t *testing.T) {
	t.Parallel()
	w := rig.NewWorld(t, 400, 1, 1)
	s := rig.New(t, w.Origin(origin.Faults{}), map[string]string{"archive_roots": w.Roots})
	s.Start()
	s.Rules(1, `{"default_allow":true}`)
	s.WaitCatalogue()
	f := s.NewFleet(w, "looking", 9)
	f.Set = map[string]string{"enabled": "False", "default_allow": "None"} // the rules decide
	f.Start()
	f.All(time.Minute, func(_ int, h *server.HostDetail) (bool, string) {
		return !h.State.Scan.At.IsZero() && len(h.State.Rules) == 1, "no search with rules yet"
	})
	for n := range f.Hosts {
		compareGenerated(t, s, f, w, n)
	}
}

func compareGenerated(t *testing.T, s *rig.System, f *rig.Fleet, w *rig.World, n int) {
	t.Helper()
	facts, err := json.Marshal(w.Machine(n))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := applicability.ParseFacts(facts); err != nil {
		t.Fatalf("machine %d does not survive JSON: %v", n+1, err)
	}
	want := evaluate(t, s.Command, w.Archive(0), facts, waptwua.StatusMissing)
	h := s.Host(f.UUID(n))
	if diff := cmp.Diff(want, statuses(&h, waptwua.StatusMissing)); diff != "" {
		t.Errorf("%s: catalog evaluate (-) and the server (+) differ:\n%s", h.Name, diff)
	}
	if len(want) < 3 {
		t.Errorf("%s: only %d verdicts: the comparison says little", h.Name, len(want))
	}
	if events := f.Log(n); len(events) > 0 {
		t.Errorf("%s installed although enabled is false: %+v", h.Name, events)
	}
}
