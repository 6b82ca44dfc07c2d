package agent

import (
	"context"
	"fmt"
	"testing"
	"time"

	"waptwua/agent/settings"
)

// stopped is a time that stands still.
type stopped time.Time

func (s stopped) Now() time.Time                             { return time.Time(s) }
func (s stopped) Sleep(context.Context, time.Duration) error { return nil }

// fleetDue asks each host of a fleet, whose agents start with it, when a task
// is due.
func fleetDue(t *testing.T, name string, s *settings.Settings, now, booted time.Time, g func(*agenda)) []time.Time {
	t.Helper()
	var due []time.Time
	for n := range 100 {
		a := &Agent{opt: Options{Clock: stopped(now), Zone: func() *time.Location { return time.UTC }, Booted: booted}}
		a.agenda.host = fmt.Sprintf("4c4c4544-0001-4000-8000-%012d", n)
		g(&a.agenda)
		for _, task := range a.tasks(s, booted) {
			if task.name == name {
				due = append(due, task.due)
			}
		}
	}
	if len(due) != 100 {
		t.Fatalf("%d of 100 hosts have the task %s", len(due), name)
	}
	return due
}

// wantApart fails unless the hosts lie between from and to, and no tenth of
// that time has more than a quarter of them.
func wantApart(t *testing.T, due []time.Time, from, to time.Time) {
	t.Helper()
	var tenths [10]int
	for _, d := range due {
		if d.Before(from) || !d.Before(to) {
			t.Fatalf("due at %s, want between %s and %s", d, from, to)
		}
		tenths[10*d.Sub(from)/to.Sub(from)]++
	}
	for i, n := range tenths {
		if n > 25 {
			t.Errorf("%d of %d hosts come in the tenth %d of the time", n, len(due), i)
		}
	}
}

func parsed(t *testing.T, ini string) *settings.Settings {
	t.Helper()
	s, err := settings.Parse("wapt-get.ini", []byte("[global]\nwapt_server = https://wapt.example.org\n[waptwua]\nenabled = true\n"+ini))
	if err != nil || len(s.Problems) > 0 {
		t.Fatal(err, s.Problems)
	}
	return s
}

// Hosts that start together after a night, or a power cut, have all missed
// the same times.
func TestStartOfAFleetIsSpread(t *testing.T) {
	boot := time.Date(2026, 11, 30, 7, 0, 0, 0, time.UTC)
	s := parsed(t, "download_scheduling = 2h\ninstall_scheduling = 4h\n")
	ready := boot.Add(s.PostbootDelay)
	for name, last := range map[string]time.Time{"first time": {}, "overdue": boot.Add(-12 * time.Hour), "in the first minutes": boot.Add(-2*time.Hour + 5*time.Minute)} {
		t.Run(name, func(t *testing.T) {
			known := func(g *agenda) { g.update, g.download, g.install, g.pending = last, last, last, true }
			wantApart(t, fleetDue(t, taskDownload, s, boot, boot, known), ready, ready.Add(firstSpread))
			if name == "in the first minutes" {
				return // the others are not overdue
			}
			wantApart(t, fleetDue(t, taskUpdate, s, boot, boot, known), boot, boot.Add(firstSpread))
			wantApart(t, fleetDue(t, taskInstall, s, boot, boot, known), ready, ready.Add(firstSpread))
		})
	}
	missing := func(g *agenda) { g.download, g.missing = boot.Add(-time.Hour), boot.Add(-30*time.Minute) }
	wantApart(t, fleetDue(t, taskDownload, s, boot, boot, missing), ready, ready.Add(firstSpread))
}

// All hosts of a fleet have waited for the same end of the frozen days.
func TestThawIsSpread(t *testing.T) {
	thaw := time.Date(2027, 1, 5, 0, 0, 0, 0, time.UTC)
	due := func(g *agenda) { g.install, g.pending = thaw.AddDate(0, 0, -20), true }
	for ini, spread := range map[string]time.Duration{"": thawSpread, "install_spread = 2h\n": 2 * time.Hour} {
		s := parsed(t, "install_scheduling = 4h\nfreeze_dates = 2026-12-20..2027-01-04\n"+ini)
		booted := thaw.AddDate(0, 0, -1)
		for _, looked := range []time.Time{thaw.Add(-time.Hour), thaw} {
			wantApart(t, fleetDue(t, taskInstall, s, looked, booted, due), thaw, thaw.Add(spread))
		}
	}
}
