package e2e

import (
	"slices"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/origin"
	"waptwua/server"
	"waptwua/test/rig"
)

// TestStepsOfAFleet brings hosts to compliance through their restarts, and
// looks at what the server was told of each update on the way.
func TestStepsOfAFleet(t *testing.T) {
	t.Parallel()
	w := rig.NewWorld(t, small, 1, 1)
	s := rig.New(t, w.Origin(origin.Faults{}), map[string]string{"archive_roots": w.Roots})
	s.Start()
	s.Rules(1, `{"default_allow":true}`)
	archive := s.WaitCatalogue()
	f := s.NewFleet(w, "stepping", 6)
	f.Set["default_allow"] = "None" // the rules decide
	f.Start()
	f.WaitCompliant(2*time.Minute, archive.SHA256, 1)
	tools, restarts := map[string]int{}, 0
	for n := range f.Hosts {
		h, err := f.Host(n)
		if err != nil {
			t.Fatal(err)
		}
		if h.State.RestartLoop != nil {
			t.Errorf("host %d: %+v", n, h.State.RestartLoop)
		}
		for _, u := range h.List {
			if len(u.Steps) == 0 || u.Status != waptwua.StatusOK {
				continue
			}
			tools[u.Way.Tool]++
			restarts += expectWholeHistory(t, u)
		}
	}
	if tools["wua"] == 0 || tools["dism"]+tools["wusa"] == 0 || restarts == 0 {
		t.Errorf("updates by tool %v, %d of them through a restart: the test says little", tools, restarts)
	}
}

// expectWholeHistory checks the steps of an update that this fleet installed;
// it returns 1 when there was a restart among them.
func expectWholeHistory(t *testing.T, u server.HostUpdate) (restarts int) {
	t.Helper()
	var phases []waptwua.Phase
	for i, step := range u.Steps {
		if i > 0 && step.At.Before(u.Steps[i-1].At) {
			t.Errorf("%s on %s: %s comes before %s", u.ID, u.HostName, step.Phase, u.Steps[i-1].Phase)
		}
		phases = append(phases, step.Phase)
	}
	if phases[0] != waptwua.PhaseNeeded || phases[len(phases)-1] != waptwua.PhaseVerified {
		t.Errorf("%s on %s: %v", u.ID, u.HostName, phases)
	}
	if slices.Contains(phases, waptwua.PhaseFailed) || slices.Contains(phases, waptwua.PhaseRolledBack) {
		t.Errorf("%s on %s: %v, and nothing goes wrong here", u.ID, u.HostName, phases)
	}
	if slices.Contains(phases, waptwua.PhaseWaiting) {
		restarts = 1
	}
	return restarts
}
