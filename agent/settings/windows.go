package settings

import (
	"fmt"
	"strings"
	"time"

	"waptwua/schedule"
)

// windows reads when the host may be changed. A value that cannot be read
// closes: windows that cannot be read never open, and while the frozen days
// are not known, no window does.
func (r *reader) windows() {
	s := r.s
	install, restart := openings{}, openings{}
	r.option(WaptWUA, "install_windows", install.read, install.show)
	r.option(WaptWUA, "restart_windows", restart.read, restart.show)
	unknown := false
	r.option(WaptWUA, "freeze_dates", func(v string) (err error) {
		if !strings.EqualFold(v, "none") {
			s.Freeze, err = schedule.ParseFreeze(v)
		}
		unknown = err != nil
		return err
	}, func() string {
		if unknown {
			return "always"
		}
		return s.Freeze.String()
	})
	r.option(WaptWUA, "missed_window", catchUp(&s.MissedWindow), func() string { return s.MissedWindow.String() })
	r.option(WaptWUA, "install_spread", spread(&s.InstallSpread), func() string { return showSpread(s.InstallSpread) })
	s.InstallWindows, s.RestartWindows = install.calendar(s.Freeze, unknown), restart.calendar(s.Freeze, unknown)
	if unknown && s.InstallWindows == nil {
		s.InstallWindows = &schedule.Calendar{}
	}
}

// openings are the windows of one option.
type openings struct {
	set     bool
	windows schedule.Windows // none, though they are set: they could not be read
}

func (o *openings) read(v string) (err error) {
	if strings.EqualFold(v, "none") {
		return nil
	}
	o.set = true
	o.windows, err = schedule.ParseWindows(v)
	if err == nil && len(o.windows) == 0 {
		return fmt.Errorf("there is no window in %q: want days and hours such as tue,thu 22:00-04:00", v)
	}
	return err
}

func (o *openings) show() string {
	if o.set && len(o.windows) == 0 {
		return "never open"
	}
	return o.windows.String()
}

// calendar is nil where the option is not set.
func (o *openings) calendar(frozen schedule.Freeze, unknown bool) *schedule.Calendar {
	switch {
	case !o.set:
		return nil
	case unknown:
		return &schedule.Calendar{}
	}
	return &schedule.Calendar{Windows: o.windows, Frozen: frozen}
}

func catchUp(into *schedule.CatchUp) func(string) error {
	return func(v string) error {
		if strings.EqualFold(v, "none") {
			return nil
		}
		c, err := schedule.ParseCatchUp(v)
		*into = c // the next window, when it cannot be read
		return err
	}
}

func spread(into **time.Duration) func(string) error {
	return func(v string) error {
		if strings.EqualFold(v, "none") {
			return nil
		}
		d, err := schedule.ParseDuration(v, time.Minute)
		if err == nil {
			*into = &d
		}
		return err
	}
}

func showSpread(d *time.Duration) string {
	if d == nil {
		return ""
	}
	return schedule.Format(*d)
}
