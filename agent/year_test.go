package agent_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/settings"
)

// TestYearOfWindows lets a host live through a year, with an update every
// three weeks: nothing is ever installed outside of a window or on a frozen
// day unless missed_window says so, every update is installed once, and a
// host that is there finds a window in every month.
func TestYearOfWindows(t *testing.T) {
	tests := map[string]struct {
		zone, missed string
		off          time.Duration // longest time of being off; 0: always on
	}{
		"always on":         {"Asia/Tokyo", "next", 0},
		"waits":             {"Europe/Paris", "next", 60 * time.Hour},
		"catches up":        {"America/New_York", "now", 200 * time.Hour},
		"after three days":  {"Australia/Lord_Howe", "deadline 3d", 200 * time.Hour},
		"always on, in DST": {"Europe/Paris", "now", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYear(t, tt.zone, tt.missed)
			y.live(tt.off)
			y.check(tt.missed != "next" && tt.off > 0, tt.off == 0)
		})
	}
}

// year is a rig in the year after this one: the rig's certificates are valid
// for some years from now on.
type year struct {
	*rig
	loc      *time.Location
	freeze   [2]time.Time
	rng      *rand.Rand
	offered  []waptwua.UpdateID
	installs []time.Time // in the host's zone
}

func newYear(t *testing.T, zone, missed string) *year {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(time.Now().Year()+1, time.January, 1, 0, 0, 0, 0, loc)
	y := &year{rig: newRig(t), loc: loc, rng: rand.New(rand.NewPCG(1, 2))}
	y.freeze = [2]time.Time{start.AddDate(0, 6, 0), start.AddDate(0, 6, 13)}
	y.clock.Advance(start.Sub(y.clock.Now()))
	y.global = "waptupdate_task_period = 1d"
	y.ini += fmt.Sprintf("download_scheduling = 12h\nmissed_window = %s\nfreeze_dates = %s..%s\n"+
		"install_windows = tue 22:00-04:00; sun 01:00-05:00; patch-tuesday+3 20:00-23:00\n",
		missed, y.freeze[0].Format(time.DateOnly), y.freeze[1].Format(time.DateOnly))
	s, err := y.settings()
	if err != nil || len(s.Problems) > 0 {
		t.Fatal(err, s.Problems)
	}
	y.change = func(o *agent.Options) {
		o.Zone = func() *time.Location { return loc }
		o.Settings = func() (*settings.Settings, error) { return s, nil }
	}
	y.host.Reached = func(what string) {
		if what == "wua installing" {
			y.installs = append(y.installs, y.clock.Now().In(loc))
		}
	}
	y.register()
	return y
}

// live is the year: the host is up for some time and off for some time, and
// a new archive with a new update comes out every three weeks.
func (y *year) live(off time.Duration) {
	end := y.clock.Now().AddDate(1, 0, 0)
	for n := 1; y.clock.Now().Before(end); n++ {
		y.server.SetArchive(fmt.Appendf(nil, "scan archive %d", n))
		for _, id := range y.offered {
			y.publish(id)
		}
		if y.clock.Now().Before(end.AddDate(0, -2, 0)) {
			y.offered = append(y.offered, y.offer(n, waptwua.Update{}))
		}
		y.until(y.clock.Now().AddDate(0, 0, 21), off)
	}
}

// until lets the host come and go until t.
func (y *year) until(t time.Time, off time.Duration) {
	for y.clock.Now().Before(t) {
		up := t.Sub(y.clock.Now())
		if off > 0 {
			up = min(up, time.Duration(2+y.rng.IntN(30))*time.Hour)
		}
		y.coarsely(up)
		if off > 0 {
			y.clock.Advance(time.Duration(y.rng.Int64N(int64(off))))
		}
	}
}

// coarsely is serve on a clock of which each nap takes a quarter of an hour.
func (y *year) coarsely(d time.Duration) {
	ctx, cancel := context.WithCancel(y.t.Context())
	defer cancel()
	end := y.clock.Now().Add(d)
	y.clock.sleep = func(nap time.Duration) error {
		if y.clock.Now().Add(nap).After(end) {
			cancel()
			return context.Canceled
		}
		if nap == time.Minute {
			y.clock.Advance(14 * time.Minute)
		}
		return nil
	}
	defer func() { y.clock.sleep = nil }()
	if err := y.agent().Run(ctx); err != nil {
		y.t.Fatal(err)
	}
}

// inWindow reads the clock on the wall.
func inWindow(t time.Time) bool {
	day, hour := t.Weekday(), t.Hour()
	return day == time.Tuesday && hour >= 22 || day == time.Wednesday && hour < 4 ||
		day == time.Sunday && hour >= 1 && hour < 5 ||
		day == time.Friday && hour >= 20 && hour < 23 && t.Day() >= 8+3 && t.Day() <= 14+3
}

func (y *year) check(mayCatchUp, everyMonth bool) {
	y.t.Helper()
	outside, months := 0, map[time.Month]bool{}
	for _, t := range y.installs {
		if !t.Before(y.freeze[0]) && t.Before(y.freeze[1].AddDate(0, 0, 1)) {
			y.t.Errorf("installed at %v, which is frozen", t)
		}
		if !inWindow(t) {
			outside++
		}
		months[t.Month()] = true
	}
	if outside > 0 && !mayCatchUp {
		y.t.Errorf("%d of %d installations outside of the windows: %v", outside, len(y.installs), y.installs)
	}
	if outside == 0 && mayCatchUp {
		y.t.Error("nothing was caught up; the test is about that")
	}
	if everyMonth && len(months) < 10 { // nothing new comes out in the last two
		y.t.Errorf("installed in %d months", len(months))
	}
	count, err := y.host.Log()
	if err != nil {
		y.t.Fatal(err)
	}
	for _, id := range y.offered {
		y.wantStatus(id, waptwua.StatusOK)
		if count[id.String()] != 1 {
			y.t.Errorf("%s was installed %d times", id, count[id.String()])
		}
	}
	if len(y.offered) < 12 {
		y.t.Errorf("%d updates in the year", len(y.offered))
	}
}
