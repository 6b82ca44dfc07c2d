package settings

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua/schedule"
)

func TestRestarts(t *testing.T) {
	s := parse(t, `[waptwua]
restart_policy = Ask
restart_snooze = 30, 2h
restart_snoozes = 5
restart_countdown = 20
restart_unattended = true
restart_quiet_hours = daily 22:00-06:00
restart_windows = sun 02:00-04:00
`)
	if len(s.Problems) != 0 {
		t.Fatal(s.Problems)
	}
	quiet, err := schedule.ParseWindows("22:00-06:00")
	if err != nil {
		t.Fatal(err)
	}
	want := schedule.RestartRules{Policy: schedule.RestartAsk, Deadline: 3 * schedule.Day, Snoozes: 5, SnoozeFor: []time.Duration{30 * time.Minute, 2 * time.Hour},
		Countdown: 20 * time.Minute, Unattended: true, Quiet: &schedule.Calendar{Windows: quiet}}
	got := s.Restart
	if got.Windows != s.RestartWindows || got.Windows == nil {
		t.Error("not in the restart windows")
	}
	got.Windows = nil
	if d := cmp.Diff(want.Quiet.String(), got.Quiet.String()); d != "" {
		t.Error(d)
	}
	want.Quiet, got.Quiet = nil, nil
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What cannot be read never makes a restart come sooner.
func TestRestartsThatCannotBeRead(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		lines string
		check func(schedule.RestartRules) bool
		name  string
	}{
		"policy":     {"restart_policy = always", func(r schedule.RestartRules) bool { return r.Policy == schedule.RestartNever }, "restart_policy"},
		"deadline":   {"restart_policy = ask\nrestart_deadline = soon", func(r schedule.RestartRules) bool { return r.Deadline == 0 }, "restart_deadline"},
		"countdown":  {"restart_countdown = 2d", func(r schedule.RestartRules) bool { return r.Countdown == 15*time.Minute }, "restart_countdown"},
		"snooze":     {"restart_snooze = 1h, x", func(r schedule.RestartRules) bool { return len(r.SnoozeFor) == 2 }, "restart_snooze"},
		"too short":  {"restart_snooze = 5s", func(r schedule.RestartRules) bool { return len(r.SnoozeFor) == 2 }, "restart_snooze"},
		"too many":   {"restart_snooze = 1,2,3,4,5,6", func(r schedule.RestartRules) bool { return len(r.SnoozeFor) == 2 }, "restart_snooze"},
		"snoozes":    {"restart_snoozes = -1", func(r schedule.RestartRules) bool { return r.Snoozes < 0 }, "restart_snoozes"},
		"quiet":      {"restart_quiet_hours = at night", func(r schedule.RestartRules) bool { _, q := r.Quiet.Open(at, time.UTC); return q }, "restart_quiet_hours"},
		"unattended": {"restart_unattended = perhaps", func(r schedule.RestartRules) bool { return !r.Unattended }, "restart_unattended"},
		"no windows": {"restart_policy = window", func(r schedule.RestartRules) bool {
			return r.Next(schedule.RestartState{Due: at}, at.Add(9000*time.Hour), false).Action == schedule.RestartNothing
		}, "restart_policy"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := parse(t, "[waptwua]\n"+tt.lines+"\n")
			if !tt.check(s.Restart) {
				t.Errorf("in force: %+v", s.Restart)
			}
			if len(s.Problems) != 1 || s.Problems[0].Name != tt.name {
				t.Errorf("problems %v", s.Problems)
			}
		})
	}
}

func TestExit(t *testing.T) {
	def := Exit{Countdown: 10 * time.Second, AllowCancel: true, Limit: time.Hour, ScriptWait: 70 * time.Minute}
	tests := map[string]struct {
		lines    string
		want     Exit
		problems int
	}{
		"defaults":     {"", def, 0},
		"as in WAPT":   {"waptexit_countdown = 25\nallow_cancel_upgrade = 0\nwaptexit_disable_upgrade = True\npre_shutdown_timeout = 180\nmax_gpo_script_wait = 200\nhiberboot_enabled = 0\n", Exit{Countdown: 25 * time.Second, Disabled: true, Limit: 3 * time.Hour, ScriptWait: 200 * time.Minute, Hiberboot: False}, 0},
		"no countdown": {"waptexit_countdown = None\n", Exit{Countdown: -1, AllowCancel: true, Limit: time.Hour, ScriptWait: 70 * time.Minute}, 0},
		"unreadable":   {"waptexit_countdown = soon\npre_shutdown_timeout = 2d\nhiberboot_enabled = x\n", def, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := parse(t, "[global]\n"+tt.lines)
			if d := cmp.Diff(tt.want, s.Exit); d != "" || len(s.Problems) != tt.problems {
				t.Errorf("problems %v\n%s", s.Problems, d)
			}
		})
	}
}
