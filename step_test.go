package waptwua

import (
	"testing"
	"time"
)

func TestSteps(t *testing.T) {
	start := time.Date(2026, 11, 10, 18, 0, 0, 0, time.UTC)
	var u OnHost
	u.Reach(PhaseNeeded, start, "")
	before := u
	u.Reach(PhaseNeeded, start.Add(time.Hour), "again")
	u.Reach(PhaseDownloading, start.Add(time.Hour), "")
	if len(u.Steps) != 2 || !u.Steps[0].At.Equal(start) || u.Phase() != PhaseDownloading {
		t.Fatalf("steps %v", u.Steps)
	}
	other := before
	other.Reach(PhaseFailed, start, "")
	if u.Steps[1].Phase != PhaseDownloading || before.Phase() != PhaseNeeded {
		t.Error("copies share their steps")
	}
	u.Leave(PhaseInstalling)
	u.Leave(PhaseDownloading)
	if u.Phase() != PhaseNeeded {
		t.Errorf("phase %q after leaving", u.Phase())
	}
}

func TestStepsAreBounded(t *testing.T) {
	start := time.Date(2026, 11, 10, 18, 0, 0, 0, time.UTC)
	var u OnHost
	u.Reach(PhaseNeeded, start, "")
	for n := range 100 {
		u.Reach(PhaseInstalling, start.Add(time.Duration(2*n+1)*time.Minute), "")
		u.Reach(PhaseFailed, start.Add(time.Duration(2*n+2)*time.Minute), "")
	}
	if len(u.Steps) != MaxSteps || u.Steps[0].Phase != PhaseNeeded {
		t.Fatalf("%d steps, the first is %v", len(u.Steps), u.Steps[0])
	}
	for i := 1; i < len(u.Steps); i++ {
		if !u.Steps[i].At.After(u.Steps[i-1].At) {
			t.Errorf("step %d is not after the one before", i)
		}
	}
	if last := u.Steps[MaxSteps-1]; !last.At.Equal(start.Add(200 * time.Minute)) {
		t.Errorf("the newest step is lost: %v", last)
	}
}
