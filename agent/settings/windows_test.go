package settings

import "testing"

func TestWindows(t *testing.T) {
	tests := map[string]struct {
		text             string
		install, restart string // the calendars
		problems         int
	}{
		"nothing":      {"", "always", "always", 0},
		"none":         {"install_windows = None\nrestart_windows = none\nfreeze_dates = NONE\nmissed_window = None\ninstall_spread=None\n", "always", "always", 0},
		"windows":      {"install_windows = tue,thu 22:00-04:00\n", "tue,thu 22:00-04:00", "always", 0},
		"on lines":     {"install_windows = tue 22:00-04:00\n  last sun 08:00-20:00\n", "tue 22:00-04:00; last sun 08:00-20:00", "always", 0},
		"restart":      {"restart_windows = daily 03:00-05:00\n", "always", "daily 03:00-05:00", 0},
		"both frozen":  {"install_windows = tue 22:00-04:00\nrestart_windows = daily 03:00-05:00\nfreeze_dates = 2026-12-20..2027-01-04\n", "tue 22:00-04:00 except 2026-12-20..2027-01-04", "daily 03:00-05:00 except 2026-12-20..2027-01-04", 0},
		"freeze alone": {"freeze_dates = 2026-12-24\n", "always", "always", 0},

		"windows that cannot be read": {"install_windows = tue 22-04\nrestart_windows = x\n", "never", "never", 2},
		"freeze that cannot be read":  {"install_windows = tue 22:00-04:00\nrestart_windows = daily 03:00-05:00\nfreeze_dates = Christmas\n", "never", "never", 1},
		"it closes without windows":   {"freeze_dates = Christmas\n", "never", "always", 1},
		"only separators":             {"install_windows = ;\n", "never", "always", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := parse(t, "[waptwua]\n"+tt.text)
			if got := s.InstallWindows.String(); got != tt.install {
				t.Errorf("installs %q, want %q", got, tt.install)
			}
			if got := s.RestartWindows.String(); got != tt.restart {
				t.Errorf("restarts %q, want %q", got, tt.restart)
			}
			if len(s.Problems) != tt.problems {
				t.Errorf("problems: %v", s.Problems)
			}
		})
	}
}

func TestWindowsAreShown(t *testing.T) {
	got := parse(t, "[waptwua]\ninstall_windows = Tue 22:00 - 4:00\nrestart_windows = x\nfreeze_dates = y\nmissed_window = deadline 3\ninstall_spread = 20\n").Effective()
	for name, want := range map[string]string{
		"install_windows": "tue 22:00-04:00", "restart_windows": "never open", "freeze_dates": "always",
		"missed_window": "deadline 3d", "install_spread": "20m",
	} {
		if got[name] != want {
			t.Errorf("%s is shown as %q, want %q", name, got[name], want)
		}
	}
	if got := parse(t, "[waptwua]\nmissed_window = later\ninstall_spread = much\n"); got.MissedWindow.String() != "next" || got.InstallSpread != nil || len(got.Problems) != 2 {
		t.Errorf("unreadable: %v, %v, problems %v", got.MissedWindow, got.InstallSpread, got.Problems)
	}
}
