package agent_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"waptwua"
	"waptwua/agent"
)

func inUTC() *time.Location { return time.UTC }

// nextTuesday is the first Tuesday after now, two weeks ahead at most, as the
// rig's clock must not fall behind the machine's.
func nextTuesday(t time.Time) time.Time {
	t = t.AddDate(0, 0, 1)
	for t.Weekday() != time.Tuesday {
		t = t.AddDate(0, 0, 1)
	}
	return t
}

// atTuesday sets the clock to a time of day on a coming Tuesday in UTC.
func (r *rig) atTuesday(hour time.Duration) {
	r.t.Helper()
	tuesday := nextTuesday(r.clock.Now()).Truncate(24 * time.Hour)
	r.clock.Advance(tuesday.Add(hour).Sub(r.clock.Now()))
	r.change = func(o *agent.Options) { o.Zone = inUTC }
}

func TestServiceInstallsOnlyInWindows(t *testing.T) {
	r := newRig(t)
	r.atTuesday(12 * time.Hour)
	r.ini += "download_scheduling = 2h\ninstall_windows = tue 22:00-04:00\n"
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.serve(10*time.Hour - time.Minute)
	r.wantStatus(id, waptwua.StatusPending)
	if u := r.held().Updates[id]; !u.Downloaded {
		t.Error("nothing was fetched outside of the window")
	}
	if next := r.held().NextWindow; next.Hour() != 22 || next.Weekday() != time.Tuesday {
		t.Errorf("reported next window: %v", next)
	}
	r.serve(time.Hour) // the host's place is within the first half hour
	r.wantStatus(id, waptwua.StatusOK)
}

func TestInstallScheduleWaitsForTheThaw(t *testing.T) {
	r := newRig(t)
	r.atTuesday(12 * time.Hour)
	tuesday := r.clock.Now()
	r.ini += "download_scheduling = 2h\ninstall_scheduling = 2h\nfreeze_dates = " + tuesday.Format(time.DateOnly) + ".." + tuesday.AddDate(0, 0, 3).Format(time.DateOnly) + "\n"
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.serve(3*24*time.Hour + 12*time.Hour - time.Minute)
	r.wantStatus(id, waptwua.StatusPending)
	r.serve(time.Hour)
	r.wantStatus(id, waptwua.StatusOK)
}

// A host that was off in its window installs when the administrator chose.
func TestMissedWindow(t *testing.T) {
	tests := map[string]struct {
		choice string
		after  time.Duration // from Wednesday 08:00, when the host comes up: not yet installed
		then   time.Duration // some time later: installed
	}{
		"next":     {"next", 6*24*time.Hour + 13*time.Hour, 2 * time.Hour}, // Tuesday 22:00 is 6 days and 14 hours later
		"now":      {"now", 5 * time.Minute, time.Hour},
		"deadline": {"deadline 3d", 2*24*time.Hour + 19*time.Hour, 2 * time.Hour}, // Saturday 04:00
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.atTuesday(12 * time.Hour)
			r.ini += "download_scheduling = 2h\npostboot_delay = 10m\ninstall_windows = tue 22:00-04:00\nmissed_window = " + tt.choice + "\n"
			r.register()
			id := r.offer(1, waptwua.Update{})
			r.serve(time.Hour) // the windows are in force, and the update is known
			r.wantStatus(id, waptwua.StatusPending)
			r.clock.Advance(19 * time.Hour) // off from 13:00 to 08:00
			booted, before := r.clock.Now(), r.change
			r.change = func(o *agent.Options) { before(o); o.Booted = booted }
			if w := r.status().Window; w.Missed.IsZero() || w.CatchUp.IsZero() != (tt.choice == "next") {
				t.Errorf("status: %+v", w)
			}
			r.serve(tt.after)
			r.wantStatus(id, waptwua.StatusPending)
			r.serve(tt.then)
			r.wantStatus(id, waptwua.StatusOK)
			if w := r.status().Window; !w.Missed.IsZero() {
				t.Errorf("still missed: %+v", w)
			}
		})
	}
}

func (r *rig) status() *agent.Status {
	r.t.Helper()
	s, err := r.agent().Status()
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// An update that comes out after a window in which there was nothing to do
// does not make that window a missed one.
func TestWindowWithNothingToDoIsNotMissed(t *testing.T) {
	r := newRig(t)
	r.atTuesday(12 * time.Hour)
	r.ini += "download_scheduling = 2h\ninstall_windows = tue 22:00-04:00\nmissed_window = now\n"
	r.register()
	r.serve(17 * time.Hour) // through the window
	r.server.SetArchive([]byte("the scan archive of August"))
	id := r.offer(1, waptwua.Update{})
	r.serve(24 * time.Hour)
	r.wantStatus(id, waptwua.StatusPending)
}

// Windows that are set today were not missed yesterday.
func TestNewWindowsWereNotMissed(t *testing.T) {
	r := newRig(t)
	r.atTuesday(12 * time.Hour)
	r.ini += "download_scheduling = 2h\nmissed_window = now\n"
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.serve(time.Hour)
	r.ini += "install_windows = mon 22:00-04:00\n"
	r.serve(24 * time.Hour)
	r.wantStatus(id, waptwua.StatusPending)
}

func TestCommandsKeepToWindows(t *testing.T) {
	r := newRig(t)
	r.atTuesday(12 * time.Hour)
	r.ini += "install_windows = tue 22:00-04:00\ninstall_at_shutdown = true\n"
	r.register()
	first := r.offer(1, waptwua.Update{})
	err := r.agent().Install(t.Context(), agent.InstallOptions{})
	if !errors.Is(err, agent.ErrWindowClosed) || !strings.Contains(err.Error(), "the next one opens Tue ") {
		t.Fatalf("at noon: %v", err)
	}
	if r.host.Searches() != 0 {
		t.Error("searched before refusing")
	}
	r.do(func(ctx context.Context) error { return r.agent().Install(ctx, agent.InstallOptions{Now: true}) })
	r.wantStatus(first, waptwua.StatusOK)
	second := r.offer(2, waptwua.Update{})
	r.do(r.agent().Shutdown) // is a moment of its own
	r.wantStatus(second, waptwua.StatusOK)
	third := r.offer(3, waptwua.Update{})
	r.clock.Advance(10 * time.Hour)
	r.install()
	r.wantStatus(third, waptwua.StatusOK)
}

// Windows that cannot be read are not called windows that never open.
func TestUnreadableWindowsAreNamed(t *testing.T) {
	for option, value := range map[string]string{"install_windows": "tue 25:00-04:00", "freeze_dates": "soon"} {
		r := newRig(t)
		r.ini += "install_at_shutdown = true\n" + option + " = " + value + "\n"
		r.register()
		r.offer(1, waptwua.Update{})
		for name, install := range map[string]func(context.Context) error{
			"by command":  func(ctx context.Context) error { return r.agent().Install(ctx, agent.InstallOptions{}) },
			"at shutdown": r.agent().Shutdown,
		} {
			err := install(t.Context())
			if !errors.Is(err, agent.ErrWindowClosed) || !strings.Contains(err.Error(), "[waptwua] "+option) || !strings.Contains(err.Error(), "--now") {
				t.Errorf("%s, %s: %v", option, name, err)
			}
		}
	}
}

func TestFreezeHoldsTheShutdown(t *testing.T) {
	for name, ini := range map[string]string{
		"frozen":             "freeze_dates = 2000-01-01..9999-12-31\n",
		"unreadable freeze":  "freeze_dates = never\n",
		"unreadable windows": "install_windows = tue\n",
	} {
		r := newRig(t)
		r.ini += "install_at_shutdown = true\n" + ini
		r.register()
		r.offer(1, waptwua.Update{})
		if err := r.agent().Shutdown(t.Context()); !errors.Is(err, agent.ErrWindowClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// No batch is begun after the window, one under way is not cut off, and what
// is left waits.
func TestWindowEndsBetweenBatches(t *testing.T) {
	r := newRig(t)
	r.atTuesday(22 * time.Hour)
	r.ini += "install_windows = tue 22:00-23:00\n"
	r.register()
	first := r.offer(1, waptwua.Update{Title: "Servicing Stack Update"})
	second := r.offer(2, waptwua.Update{})
	r.host.Reached = func(what string) {
		if what == "wua installing" {
			r.clock.Advance(2 * time.Hour)
		}
	}
	r.install()
	r.wantStatus(first, waptwua.StatusOK)
	r.wantStatus(second, waptwua.StatusPending)
}

// A window that closes while files are fetched was missed, not used.
func TestWindowEndsBeforeTheInstallation(t *testing.T) {
	r := newRig(t)
	r.atTuesday(12 * time.Hour)
	r.ini += "install_windows = tue 22:00-23:00\n"
	r.register()
	r.scan() // the windows are in force
	id := r.offer(1, waptwua.Update{})
	r.clock.Advance(10 * time.Hour)
	before := r.change
	r.change = func(o *agent.Options) {
		before(o)
		o.Reached = func(step string) {
			if step == "download file" {
				r.clock.Advance(2 * time.Hour)
			}
		}
	}
	if err := r.agent().Install(t.Context(), agent.InstallOptions{}); !errors.Is(err, agent.ErrWindowClosed) {
		t.Fatalf("got %v", err)
	}
	r.wantStatus(id, waptwua.StatusPending)
	if w := r.status().Window; w.Missed.IsZero() {
		t.Errorf("the window counts as used: %+v", w)
	}
}

// A kill in the middle of an installation does not use up the window.
func TestKillDoesNotUseTheWindow(t *testing.T) {
	r := newRig(t)
	r.atTuesday(12 * time.Hour)
	r.ini += "install_windows = tue 22:00-04:00\nmissed_window = now\n"
	r.register()
	r.scan() // the windows are in force
	id := r.offer(1, waptwua.Update{})
	r.clock.Advance(10 * time.Hour)
	r.dieWhileInstalling()
	r.clock.Advance(7 * time.Hour) // off until 05:00
	r.serve(time.Hour)
	r.wantStatus(id, waptwua.StatusOK)
}
