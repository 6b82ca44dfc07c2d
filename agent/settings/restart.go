package settings

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"waptwua"
	"waptwua/schedule"
)

// The defaults about restarts and shutdowns.
const (
	defaultRestartDeadline = 3 * schedule.Day // under restart_policy = ask
	defaultSnoozes         = 3
	defaultRestartWarning  = 15 * time.Minute
	defaultExitCountdown   = 10 * time.Second
	defaultPreShutdown     = time.Hour
)

// The limits of these options.
const (
	maxSnoozeChoices = 5 // buttons of a dialog
	maxPreShutdown   = 8 * time.Hour
	// scriptMargin is how much longer than the installation Windows lets the
	// shutdown script run, unless max_gpo_script_wait is set.
	scriptMargin = 10 * time.Minute
)

// Exit are the settings of what happens at shutdown, named as in WAPT.
type Exit struct {
	Countdown   time.Duration // until the installation begins by itself; negative: it waits for an answer
	AllowCancel bool          // the user may refuse
	Disabled    bool          // nothing is offered
	Limit       time.Duration // for the installation
	ScriptWait  time.Duration // how long Windows waits for the shutdown script
	Hiberboot   Tristate      // fast startup, as add-upgrade-shutdown sets it; Unset: left alone
}

// restarts reads who decides when the host restarts. What cannot be read
// never makes a restart come sooner.
func (r *reader) restarts() {
	s := r.s
	s.Restart = schedule.RestartRules{
		Snoozes: defaultSnoozes, SnoozeFor: []time.Duration{time.Hour, 4 * time.Hour}, Countdown: defaultRestartWarning,
	}
	p := &s.Restart
	r.option(WaptWUA, "restart_policy", restartPolicy(&p.Policy), func() string { return p.Policy.String() })
	if p.Policy == schedule.RestartAsk {
		p.Deadline = defaultRestartDeadline
	}
	r.option(WaptWUA, "restart_deadline", deadline(&p.Deadline), func() string { return orNever(p.Deadline) })
	r.option(WaptWUA, "restart_countdown", duration(&p.Countdown, time.Minute, schedule.Day), func() string { return schedule.Format(p.Countdown) })
	r.option(WaptWUA, "restart_snooze", snoozeChoices(&p.SnoozeFor), func() string { return join(p.SnoozeFor, schedule.Format) })
	r.option(WaptWUA, "restart_snoozes", snoozes(&p.Snoozes), func() string { return showSnoozes(p.Snoozes) })
	r.option(WaptWUA, "restart_unattended", boolean(&p.Unattended), showBool(&p.Unattended))
	quiet := openings{}
	r.option(WaptWUA, "restart_quiet_hours", quiet.read, func() string {
		if quiet.set && len(quiet.windows) == 0 {
			return "always"
		}
		return quiet.windows.String()
	})
	if p.Quiet = quiet.calendar(nil, false); p.Quiet != nil && len(quiet.windows) == 0 {
		p.Quiet = schedule.Always(nil) // they could not be read
	}
	if p.Policy == schedule.RestartWindow && s.RestartWindows == nil && p.Deadline == 0 {
		r.problem(WaptWUA, "restart_policy", "window needs restart_windows; without them the host never restarts")
	}
	p.Windows = s.RestartWindows
}

// exit reads what happens at shutdown.
func (r *reader) exit() {
	e := &r.s.Exit
	*e = Exit{Countdown: defaultExitCountdown, AllowCancel: true, Limit: defaultPreShutdown}
	r.option(Global, "waptexit_countdown", exitCountdown(&e.Countdown), func() string {
		if e.Countdown < 0 {
			return "None"
		}
		return schedule.Format(e.Countdown)
	})
	r.option(Global, "allow_cancel_upgrade", boolean(&e.AllowCancel), showBool(&e.AllowCancel))
	r.option(Global, "waptexit_disable_upgrade", boolean(&e.Disabled), showBool(&e.Disabled))
	r.option(Global, "pre_shutdown_timeout", duration(&e.Limit, time.Minute, maxPreShutdown), func() string { return schedule.Format(e.Limit) })
	e.ScriptWait = e.Limit + scriptMargin
	r.option(Global, "max_gpo_script_wait", duration(&e.ScriptWait, time.Minute, maxPreShutdown+time.Hour), func() string { return schedule.Format(e.ScriptWait) })
	r.option(Global, "hiberboot_enabled", tristate(&e.Hiberboot), func() string { return e.Hiberboot.String() })
}

func restartPolicy(into *schedule.RestartPolicy) func(string) error {
	return func(v string) error {
		if strings.EqualFold(v, "none") {
			return nil
		}
		p, err := schedule.ParseRestartPolicy(v)
		*into = p
		return err
	}
}

// deadline reads a duration in days, or None. One that cannot be read forces
// nothing.
func deadline(into *time.Duration) func(string) error {
	return func(v string) error {
		*into = 0
		p, err := schedule.ParsePeriod(v, schedule.Day)
		*into = p.Duration()
		return err
	}
}

func orNever(d time.Duration) string { return schedule.Every(d).String() }

// duration reads a duration from zero to most.
func duration(into *time.Duration, unit, most time.Duration) func(string) error {
	return func(v string) error {
		d, err := schedule.ParseDuration(v, unit)
		switch {
		case err != nil:
			return err
		case d > most:
			return fmt.Errorf("%s: more than %s: %w", v, schedule.Format(most), waptwua.ErrLimit)
		}
		*into = d
		return nil
	}
}

// exitCountdown reads seconds, or None for no countdown.
func exitCountdown(into *time.Duration) func(string) error {
	return func(v string) error {
		if strings.EqualFold(v, "none") {
			*into = -1
			return nil
		}
		return duration(into, time.Second, time.Hour)(v)
	}
}

// snoozeChoices reads durations in minutes, separated by commas. A list that
// cannot be read leaves the default.
func snoozeChoices(into *[]time.Duration) func(string) error {
	return func(v string) error {
		var list []time.Duration
		for _, entry := range strings.Split(v, ",") {
			d, err := schedule.ParseDuration(entry, time.Minute)
			if err != nil {
				return err
			}
			if d < time.Minute {
				return errors.New("a snooze lasts at least a minute")
			}
			list = append(list, d)
		}
		if len(list) > maxSnoozeChoices {
			return fmt.Errorf("%d choices, at most %d: %w", len(list), maxSnoozeChoices, waptwua.ErrLimit)
		}
		*into = list
		return nil
	}
}

// snoozes reads a number; None, and what cannot be read, is no limit.
func snoozes(into *int) func(string) error {
	return func(v string) error {
		*into = -1
		if strings.EqualFold(v, "none") {
			return nil
		}
		n, err := strconv.ParseUint(v, 10, 16)
		if err != nil {
			return fmt.Errorf("%q is not a number from 0 to 65535, or None", v)
		}
		*into = int(n)
		return nil
	}
}

func showSnoozes(n int) string {
	if n < 0 {
		return "None"
	}
	return strconv.Itoa(n)
}
