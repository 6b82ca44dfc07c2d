package dialog_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waptwua/dialog"
)

var start = time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)

func exitOptions() dialog.ExitOptions {
	return dialog.ExitOptions{Updates: []string{"KB1 One", "KB2 Two"}, Countdown: 10 * time.Second, AllowCancel: true, Limit: time.Hour}
}

// press presses the button that stands for c.
func press(t testing.TB, m dialog.Machine, c dialog.Choice) {
	t.Helper()
	v := m.View()
	for i, b := range v.Buttons {
		if b.Choice == c {
			m.Press(v.Page, i)
			return
		}
	}
	t.Fatalf("no button %q in %+v", c, v.Buttons)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func wantOutcome(t *testing.T, e *dialog.Exit, want dialog.Outcome) {
	t.Helper()
	if got, _ := e.Outcome(); got != want {
		t.Errorf("outcome %d, want %d", got, want)
	}
}

func TestCountdownInstalls(t *testing.T) {
	e := dialog.NewExit(exitOptions())
	e.Tick(start)
	if got := e.View().Status; got != "The installation starts in 10 seconds." {
		t.Errorf("status %q", got)
	}
	e.Tick(start.Add(9*time.Second + 200*time.Millisecond))
	if got := e.View().Status; got != "The installation starts in 1 second." || isClosed(e.Begin()) {
		t.Errorf("status %q", got)
	}
	e.Tick(start.Add(10 * time.Second))
	if !isClosed(e.Begin()) {
		t.Fatal("not begun")
	}
	e.Progress("download", 40)
	v := e.View()
	if len(v.Buttons) != 0 || v.Percent != 40 || v.Status != "Downloading: 40 %" {
		t.Errorf("view %+v", v)
	}
	e.Finish(nil)
	if v := e.View(); v.Closed || v.Heading != "The updates are installed" {
		t.Errorf("view %+v", v)
	}
	press(t, e, dialog.Close)
	if !e.View().Closed {
		t.Error("still open")
	}
	wantOutcome(t, e, dialog.Installed)
}

func TestAnswersAtShutdown(t *testing.T) {
	t.Run("not now", func(t *testing.T) {
		e := dialog.NewExit(exitOptions())
		press(t, e, dialog.NotNow)
		wantOutcome(t, e, dialog.Declined)
		if !e.View().Closed || isClosed(e.Begin()) {
			t.Error("not closed, or begun")
		}
	})
	t.Run("skip", func(t *testing.T) {
		e := dialog.NewExit(exitOptions())
		e.Check(true)
		e.Tick(start)
		e.Tick(start.Add(time.Minute))
		wantOutcome(t, e, dialog.Skipped)
		if isClosed(e.Begin()) {
			t.Error("begun")
		}
	})
	t.Run("stop the countdown, then install", func(t *testing.T) {
		e := dialog.NewExit(exitOptions())
		e.Tick(start)
		press(t, e, dialog.Wait)
		e.Tick(start.Add(30 * time.Minute))
		if v := e.View(); v.Status != "" || v.Closed {
			t.Errorf("view %+v", v)
		}
		press(t, e, dialog.Install)
		if !isClosed(e.Begin()) {
			t.Error("not begun")
		}
	})
	t.Run("a button of an earlier page", func(t *testing.T) {
		e := dialog.NewExit(exitOptions())
		old := e.View()
		press(t, e, dialog.Wait)
		e.Press(old.Page, 1)
		wantOutcome(t, e, dialog.Undecided)
	})
	t.Run("nothing may be cancelled", func(t *testing.T) {
		o := exitOptions()
		o.AllowCancel = false
		e := dialog.NewExit(o)
		e.Check(true)
		v := e.View()
		if _, ok := v.Dismiss(); ok || v.Check != "" || len(v.Buttons) != 2 {
			t.Errorf("view %+v", v)
		}
		press(t, e, dialog.Install)
		if !isClosed(e.Begin()) {
			t.Error("a check box that is not there keeps from installing")
		}
	})
	t.Run("nobody answers", func(t *testing.T) {
		o := exitOptions()
		o.Countdown = -1
		e := dialog.NewExit(o)
		e.Tick(start)
		e.Tick(start.Add(time.Hour))
		wantOutcome(t, e, dialog.TimedOut)
	})
}

func TestTheLimitStopsTheInstallation(t *testing.T) {
	e := dialog.NewExit(exitOptions())
	e.Tick(start)
	press(t, e, dialog.Install)
	e.Tick(start.Add(time.Hour - time.Second))
	if isClosed(e.Stop()) {
		t.Fatal("stopped before the limit")
	}
	e.Tick(start.Add(time.Hour))
	if v := e.View(); !isClosed(e.Stop()) || v.Closed || len(v.Buttons) != 0 {
		t.Fatalf("not stopping: %+v", v)
	}
	e.Finish(errors.New("stopped"))
	if v := e.View(); v.Heading != "Not everything could be installed: stopped" {
		t.Errorf("view %+v", v)
	}
	e.Tick(start.Add(time.Hour + time.Second))
	e.Tick(start.Add(time.Hour + time.Minute))
	if !e.View().Closed {
		t.Error("the result stays for ever")
	}
	wantOutcome(t, e, dialog.Stopped)
}

func TestAnInstallationThatDoesNotStopIsAbandoned(t *testing.T) {
	e := dialog.NewExit(exitOptions())
	e.Tick(start)
	press(t, e, dialog.Install)
	e.Tick(start.Add(time.Hour))
	e.Tick(start.Add(time.Hour + dialog.Grace - time.Second))
	if e.View().Closed {
		t.Fatal("closed before the installation had its time to stop")
	}
	e.Tick(start.Add(time.Hour + dialog.Grace))
	if !e.View().Closed {
		t.Error("does not end")
	}
	wantOutcome(t, e, dialog.Abandoned)
	e.Finish(nil)
	wantOutcome(t, e, dialog.Abandoned)
}

// TestExitPromises: whatever happens in whatever order, the dialog never
// closes while the installation runs, except after limit and grace; it always
// ends; it never installs after the user has declined.
func TestExitPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := exitOptions()
		o.Limit = time.Duration(rapid.IntRange(0, 10).Draw(t, "limit")) * time.Minute
		o.Countdown = time.Duration(rapid.IntRange(-1, 900).Draw(t, "countdown")) * time.Second
		o.AllowCancel = rapid.Bool().Draw(t, "cancel")
		e := dialog.NewExit(o)
		now, finished := start, false
		e.Tick(now)
		limit := max(o.Limit, time.Minute)
		for range rapid.IntRange(0, 60).Draw(t, "events") {
			switch v := e.View(); rapid.IntRange(0, 4).Draw(t, "event") {
			case 0:
				now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "seconds")) * time.Second)
				e.Tick(now)
			case 1:
				e.Press(v.Page-rapid.IntRange(0, 1).Draw(t, "old page"), rapid.IntRange(-1, 3).Draw(t, "button"))
			case 2:
				e.Check(rapid.Bool().Draw(t, "check"))
			case 3:
				e.Progress("install", rapid.IntRange(-5, 200).Draw(t, "percent"))
			case 4:
				if isClosed(e.Begin()) && !finished {
					finished = true
					e.Finish(nil)
				}
			}
			outcome, _ := e.Outcome()
			running := isClosed(e.Begin()) && !finished
			if e.View().Closed && running && now.Before(start.Add(limit+dialog.Grace)) {
				t.Fatalf("closed while the installation runs, after %v", now.Sub(start))
			}
			if isClosed(e.Begin()) && (outcome == dialog.Declined || outcome == dialog.Skipped || outcome == dialog.TimedOut) {
				t.Fatalf("installs with outcome %d", outcome)
			}
			if p := e.View().Percent; p > 100 {
				t.Fatalf("%d percent", p)
			}
		}
		for _, d := range []time.Duration{limit, limit + dialog.Grace, time.Hour} {
			e.Tick(later(now, start.Add(d)))
		}
		outcome, _ := e.Outcome()
		if !e.View().Closed || outcome == dialog.Undecided {
			t.Fatalf("has not ended: outcome %d", outcome)
		}
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
