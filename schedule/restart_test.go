package schedule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"waptwua/schedule"
)

// calendar reads windows.
func calendar(t testing.TB, s string) *schedule.Calendar {
	w, err := schedule.ParseWindows(s)
	if err != nil {
		t.Fatal(err)
	}
	return &schedule.Calendar{Windows: w}
}

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func rules(t testing.TB) schedule.RestartRules {
	return schedule.RestartRules{
		Policy: schedule.RestartAsk, Deadline: 3 * schedule.Day, Snoozes: 2,
		SnoozeFor: []time.Duration{time.Hour, 4 * time.Hour}, Countdown: 15 * time.Minute,
		Quiet: calendar(t, "22:00-06:00"), Zone: time.UTC,
	}
}

func TestParseRestartPolicy(t *testing.T) {
	for _, p := range []schedule.RestartPolicy{schedule.RestartNever, schedule.RestartAsk, schedule.RestartWindow} {
		if got, err := schedule.ParseRestartPolicy(" " + p.String() + " "); err != nil || got != p {
			t.Errorf("%v: got %v, %v", p, got, err)
		}
	}
	for _, s := range []string{"", "always", "0"} {
		if _, err := schedule.ParseRestartPolicy(s); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
}

func TestRestartSteps(t *testing.T) {
	due := schedule.RestartState{Due: monday}
	asked := rules(t).Showed(due, monday)
	used := due
	for range 2 {
		used, _ = rules(t).Snooze(used, monday, time.Hour)
	}
	night, deadline := monday.Add(14*time.Hour), monday.Add(3*schedule.Day)
	window := rules(t)
	window.Policy, window.Deadline, window.Quiet, window.Windows = schedule.RestartWindow, 0, nil, calendar(t, "02:00-04:00")
	never, unattended := rules(t), rules(t)
	never.Policy, unattended.Unattended = schedule.RestartNever, true
	at2 := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)

	tests := map[string]struct {
		rules  schedule.RestartRules
		state  schedule.RestartState
		now    time.Time
		user   bool
		action schedule.RestartAction
		at     time.Time
	}{
		"no restart is due":              {rules(t), schedule.RestartState{}, monday, true, schedule.RestartNothing, time.Time{}},
		"never":                          {never, due, deadline.Add(time.Hour), true, schedule.RestartNothing, time.Time{}},
		"never, though accepted":         {never, due.Accept(), monday, true, schedule.RestartNothing, time.Time{}},
		"the user is asked":              {rules(t), due, monday, true, schedule.RestartQuestion, monday},
		"not in quiet hours":             {rules(t), due, night, true, schedule.RestartNothing, monday.Add(21 * time.Hour)},
		"nobody: the deadline":           {rules(t), due, monday, false, schedule.RestartNothing, deadline},
		"nobody, unattended":             {unattended, due, monday, false, schedule.RestartNow, monday},
		"nobody, unattended, quiet":      {unattended, due, night, false, schedule.RestartNothing, monday.Add(21 * time.Hour)},
		"no answer yet":                  {rules(t), asked, monday.Add(time.Minute), true, schedule.RestartNothing, monday.Add(time.Hour)},
		"no answer: a reminder":          {rules(t), asked, monday.Add(time.Hour), true, schedule.RestartReminder, monday.Add(time.Hour)},
		"snoozed":                        {rules(t), used, monday.Add(59 * time.Minute), true, schedule.RestartNothing, monday.Add(time.Hour)},
		"the budget is used up":          {rules(t), used, monday.Add(time.Hour), true, schedule.RestartCountdown, monday.Add(75 * time.Minute)},
		"budget ends before quiet hours": {rules(t), used, monday.Add(12*time.Hour + 50*time.Minute), true, schedule.RestartNothing, monday.Add(21 * time.Hour)},
		"accepted":                       {rules(t), due.Accept(), night, true, schedule.RestartNow, night},
		"before the deadline":            {rules(t), asked, deadline.Add(-15 * time.Minute), true, schedule.RestartCountdown, deadline},
		"after the deadline":             {rules(t), due, deadline.Add(24 * time.Hour), true, schedule.RestartCountdown, deadline.Add(24*time.Hour + 15*time.Minute)},
		"deadline, nobody":               {rules(t), due, deadline, false, schedule.RestartNow, deadline},
		"deadline in quiet hours":        {rules(t), schedule.RestartState{Due: night}, night.Add(3 * schedule.Day), false, schedule.RestartNow, night.Add(3 * schedule.Day)},
		"counting down":                  {rules(t), due.Announce(monday), monday.Add(14 * time.Minute), true, schedule.RestartCountdown, monday.Add(15 * time.Minute)},
		"counted down":                   {rules(t), due.Announce(monday), monday.Add(15 * time.Minute), true, schedule.RestartNow, monday.Add(15 * time.Minute)},
		"slept through the countdown":    {rules(t), due.Announce(monday), monday.Add(2 * time.Hour), true, schedule.RestartQuestion, monday.Add(2 * time.Hour)},
		"the clock was set back":         {rules(t), due.Announce(monday.Add(time.Hour)), monday, true, schedule.RestartQuestion, monday},
		"ordered":                        {rules(t), due.Announce(monday).Order(monday.Add(15 * time.Minute)), monday.Add(16 * time.Minute), true, schedule.RestartNothing, monday.Add(45 * time.Minute)},
		"before the window":              {window, due, monday, true, schedule.RestartNothing, at2},
		"window opens, a user":           {window, due, at2, true, schedule.RestartCountdown, at2.Add(15 * time.Minute)},
		"window opens, nobody":           {window, due, at2, false, schedule.RestartNow, at2},
		"too late for a countdown":       {window, due, at2.Add(110 * time.Minute), true, schedule.RestartNothing, at2.Add(24 * time.Hour)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := tt.rules.Next(tt.state, tt.now, tt.user)
			if got.Action != tt.action || !got.At.Equal(tt.at) {
				t.Errorf("got %d at %v, want %d at %v", got.Action, got.At, tt.action, tt.at)
			}
		})
	}
}

func TestSnoozing(t *testing.T) {
	r := rules(t)
	s := schedule.RestartState{Due: monday}
	if d := cmp.Diff(r.SnoozeFor, r.Next(s, monday, true).Choices); d != "" {
		t.Error(d)
	}
	late := monday.Add(3*schedule.Day - 90*time.Minute)
	if got := r.Next(s, late, true).Choices; len(got) != 1 || got[0] != time.Hour {
		t.Errorf("an hour and a half before the deadline: %v", got)
	}
	if _, ok := r.Snooze(s, late, 4*time.Hour); ok {
		t.Error("snoozed beyond the deadline")
	}
	if _, ok := r.Snooze(s, monday, 2*time.Hour); ok {
		t.Error("snoozed for a time that is not offered")
	}
	if _, ok := r.Snooze(s.Announce(monday), monday, time.Hour); ok {
		t.Error("snoozed during the countdown")
	}
	for left := 2; left > 0; left-- {
		if got := r.Next(s, monday, true).Left; got != left {
			t.Errorf("left %d, want %d", got, left)
		}
		next, ok := r.Snooze(s, monday, time.Hour)
		if !ok {
			t.Fatal("may not snooze")
		}
		s = next
	}
	if _, ok := r.Snooze(s, monday, time.Hour); ok {
		t.Error("snoozed beyond the budget")
	}
	r.Snoozes = -1
	if got := r.Next(s, monday, true); got.Left >= 0 || len(got.Choices) != 2 {
		t.Errorf("without a limit: %+v", got)
	}
}

func TestNeed(t *testing.T) {
	s := schedule.RestartState{}.Need(true, monday)
	if !s.Due.Equal(monday) {
		t.Fatalf("due %v", s.Due)
	}
	if again := s.Need(true, monday.Add(time.Hour)); again != s {
		t.Errorf("needed still: %+v", again)
	}
	if back := s.Need(true, monday.Add(-time.Hour)); !back.Due.Equal(monday.Add(-time.Hour)) {
		t.Errorf("the clock was set back: %+v", back)
	}
	if gone := s.Need(false, monday); gone != (schedule.RestartState{}) {
		t.Errorf("no longer needed: %+v", gone)
	}
	off := s.Accept().Order(monday).Need(true, monday.Add(schedule.RestartRetry))
	if off.Accepted || !off.Ordered.IsZero() || !off.Due.Equal(monday) {
		t.Errorf("called off: %+v", off)
	}
}

func TestHostsSpreadOverTheWindow(t *testing.T) {
	r := schedule.RestartRules{Policy: schedule.RestartWindow, Windows: calendar(t, "02:00-03:00"), Zone: time.UTC}
	open := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	for _, spread := range []time.Duration{0, time.Minute, 14 * time.Minute, 29 * time.Minute, 5 * time.Hour} {
		r.Spread = spread
		for now := open.Add(-time.Hour); ; now = now.Add(time.Minute) {
			step := r.Next(schedule.RestartState{Due: monday}, now, false)
			if step.Action == schedule.RestartNow {
				if want := open.Add(spread % (15 * time.Minute)); !now.Equal(want) {
					t.Errorf("spread %v: at %v, want %v", spread, now, want)
				}
				break
			}
			if now.After(open.Add(time.Hour)) {
				t.Errorf("spread %v: not in the window", spread)
				break
			}
		}
	}
}

// life is one host from the moment a restart is due, looked at every minute.
type life struct {
	rules   schedule.RestartRules
	state   schedule.RestartState
	user    bool
	accepts bool // had the user accepted when it happened
}

// minute does what an agent does, with a user who answers at random.
func (l *life) minute(t *rapid.T, now time.Time) (restarted bool) {
	l.state = l.state.Need(true, now)
	step := l.rules.Next(l.state, now, l.user)
	quiet := l.rules.Quiet != nil
	if quiet {
		_, quiet = l.rules.Quiet.Open(now, time.UTC)
	}
	beforeDeadline := step.Forced.IsZero() || now.Before(step.Forced.Add(-l.rules.Countdown))
	switch step.Action {
	case schedule.RestartQuestion, schedule.RestartReminder:
		if quiet || !l.user {
			t.Fatalf("asked at %v: quiet %t, user %t", now, quiet, l.user)
		}
		l.state = l.rules.Showed(l.state, now)
		switch answer := rapid.IntRange(0, 20).Draw(t, "answer"); {
		case answer == 0:
			l.state = l.state.Accept()
		case answer < 15 && len(step.Choices) > 0:
			var ok bool
			if l.state, ok = l.rules.Snooze(l.state, now, rapid.SampledFrom(step.Choices).Draw(t, "snooze")); !ok {
				t.Fatalf("an offered snooze is refused at %v", now)
			}
		}
	case schedule.RestartCountdown:
		if l.state.Announced.IsZero() || step.At.Equal(now.Add(l.rules.Countdown)) {
			if len(step.Choices) > 0 && beforeDeadline && l.rules.Policy == schedule.RestartAsk {
				t.Fatalf("announced at %v though the user may still snooze: %+v", now, l.state)
			}
			l.state = l.state.Announce(now)
		}
	case schedule.RestartNow:
		if quiet && beforeDeadline && !l.state.Accepted {
			t.Fatalf("restarts in quiet hours at %v", now)
		}
		l.accepts = l.state.Accepted
		return true
	}
	return false
}

func TestRestartPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hours := func(name string, lo, hi int) time.Duration {
			return time.Duration(rapid.IntRange(lo, hi).Draw(t, name)) * time.Hour
		}
		l := life{rules: schedule.RestartRules{
			Policy:    rapid.SampledFrom([]schedule.RestartPolicy{schedule.RestartNever, schedule.RestartAsk, schedule.RestartWindow}).Draw(t, "policy"),
			Deadline:  hours("deadline", 0, 72),
			Snoozes:   rapid.IntRange(-1, 4).Draw(t, "snoozes"),
			SnoozeFor: rapid.SampledFrom([][]time.Duration{nil, {time.Hour}, {time.Hour, 4 * time.Hour}, {30 * time.Minute}}).Draw(t, "choices"),
			Countdown: time.Duration(rapid.IntRange(0, 60).Draw(t, "countdown")) * time.Minute,
			Quiet:     drawCalendar(t, "quiet"), Windows: drawCalendar(t, "windows"), Zone: time.UTC,
			Unattended: rapid.Bool().Draw(t, "unattended"), Spread: time.Duration(rapid.IntRange(0, 1800).Draw(t, "spread")) * time.Second,
		}, user: rapid.Bool().Draw(t, "user")}
		start := monday.Add(hours("start", 0, 24))
		end := start.Add(4 * schedule.Day)
		changes := rapid.SliceOfN(rapid.IntRange(0, 4*24*60), 0, 4).Draw(t, "comes and goes")
		for now := start; now.Before(end); now = now.Add(time.Minute) {
			for _, c := range changes {
				if start.Add(time.Duration(c) * time.Minute).Equal(now) {
					l.user = !l.user
				}
			}
			if !l.minute(t, now) {
				continue
			}
			l.check(t, now)
			return
		}
		if l.rules.Policy != schedule.RestartNever && l.rules.Deadline > 0 {
			t.Fatalf("no restart by the deadline: %+v", l.state)
		}
	})
}

func drawCalendar(t *rapid.T, name string) *schedule.Calendar {
	from, length := rapid.IntRange(0, 23).Draw(t, name+" from"), rapid.IntRange(0, 23).Draw(t, name+" hours")
	if length == 0 {
		return nil
	}
	w, err := schedule.ParseWindows(fmt.Sprintf("%02d:00-%02d:00", from, (from+length)%24))
	if err != nil {
		t.Fatal(err)
	}
	return &schedule.Calendar{Windows: w}
}

// check judges a restart.
func (l *life) check(t *rapid.T, at time.Time) {
	forced := l.state.Due.Add(l.rules.Deadline)
	switch {
	case l.rules.Policy == schedule.RestartNever:
		t.Fatal("restarted under never")
	case l.rules.Deadline > 0 && at.After(forced.Add(l.rules.Countdown+time.Minute)):
		t.Fatalf("restarted at %v, the deadline was %v", at, forced)
	case l.accepts || l.rules.Deadline > 0 && !at.Before(forced):
	case l.user && l.state.Announced.IsZero() && l.rules.Countdown > 0:
		t.Fatalf("restarted at %v without a warning", at)
	case l.rules.Policy == schedule.RestartWindow:
		if _, open := l.rules.Windows.Open(at, time.UTC); !open {
			t.Fatalf("restarted at %v outside its windows", at)
		}
	}
}
