package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"waptwua/agent/settings"
	"waptwua/schedule"
)

// ErrWindowClosed says that the host may not be changed at this time.
var ErrWindowClosed = errors.New("outside of the installation windows")

// openingTime is the form of moments in messages.
const openingTime = "Mon 2006-01-02 15:04 MST"

// windows is what an agent remembers of its installation windows.
type windows struct {
	Calendar string    `json:"calendar,omitempty"` // the windows that Since is about
	Since    time.Time `json:"since,omitzero"`     // when they came into force
	Used     time.Time `json:"used,omitzero"`      // when the last installation began, or there was nothing to install in a window
}

// under is w with the windows of s in force: those that are new count from
// now on, so that none of them has been missed yet.
func (w windows) under(s *settings.Settings, now time.Time) windows {
	if s.InstallWindows == nil || s.Enabled != settings.True {
		return windows{Used: w.Used}
	}
	if c := s.InstallWindows.Windows.String(); w.Calendar != c || w.Since.IsZero() || w.Since.After(now) {
		w.Calendar, w.Since = c, now
	}
	return w
}

// maintenance is when the host installs, where windows are set.
func (a *Agent) maintenance(s *settings.Settings, host string) schedule.Maintenance {
	return schedule.Maintenance{
		Calendar: s.InstallWindows, Zone: a.opt.Zone(), Host: host, Spread: s.InstallSpread,
		CatchUp: s.MissedWindow, Repeat: s.InstallEvery,
	}
}

// record is what the agenda knows of the past.
func (g *agenda) record(s *settings.Settings, now, start time.Time) schedule.Record {
	w := g.windows.under(s, now)
	return schedule.Record{Since: w.Since, Used: w.Used, Tried: g.install, Up: start}
}

// inWindows are the tasks where windows are set: to install when they let it,
// at ready at the earliest, and to note that there was nothing to install.
func (a *Agent) inWindows(s *settings.Settings, start, ready time.Time) (install, attend task) {
	g, now := &a.agenda, a.opt.Clock.Now()
	if g.notYet.After(ready) {
		ready = g.notYet
	}
	m, r := a.maintenance(s, g.host), g.record(s, now, start)
	install, attend = task{name: taskInstall}, task{name: "attend window", run: a.attend}
	if slot, ok := m.Slot(r, now, ready); ok {
		o := InstallOptions{NotAfter: slot.To, Now: slot.Outside}
		install.due = slot.From
		install.run = func(ctx context.Context) error { return a.Install(ctx, o) }
	}
	if due, ok := m.Attend(r, now); ok && !g.pending {
		attend.due = notBefore(due, ready)
	}
	return install, attend
}

// thawSpread is the time over which the hosts of a fleet begin after frozen
// days, unless install_spread is set.
const thawSpread = 30 * time.Minute

// unfrozen moves an installation that no windows bind behind the frozen days,
// to the host's own place: all have waited for the same midnight.
func (a *Agent) unfrozen(s *settings.Settings, due time.Time) time.Time {
	if due.IsZero() {
		return due
	}
	spread := thawSpread
	if s.InstallSpread != nil {
		spread = *s.InstallSpread
	}
	place := schedule.Jitter(a.agenda.host+taskInstall, spread)
	at := notBefore(due, a.opt.Clock.Now())
	c := schedule.Calendar{Frozen: s.Freeze}
	for _, t := range []time.Time{at, at.Add(-place)} { // frozen, or not yet this host's turn
		if !c.FrozenAt(t, a.opt.Zone()) {
			continue
		}
		thaw, ok := schedule.Always(s.Freeze).Next(t, a.opt.Zone())
		if !ok {
			return time.Time{}
		}
		return thaw.From.Add(place)
	}
	return due
}

// attend notes that the host was there in the window that is open, with
// nothing to install.
func (a *Agent) attend(context.Context) error {
	return a.do("attend window", func(op *operation) error {
		op.use(op.now(), InstallOptions{})
		return op.save()
	})
}

// use notes that the window at the moment begun, if there is one, was used.
// An installation of some updates only does not count.
func (op *operation) use(begun time.Time, o InstallOptions) {
	if len(o.Only) == 0 {
		op.mem.Windows.Used = begun
	}
}

// calendar is what binds an installation; nil where nothing does.
func calendar(s *settings.Settings) *schedule.Calendar {
	if s.InstallWindows == nil && len(s.Freeze) > 0 {
		return schedule.Always(s.Freeze)
	}
	return s.InstallWindows
}

// enter refuses an installation outside of the windows, and bounds one
// within by the end of the window. o.Now and o.Force pass.
func (op *operation) enter(o *InstallOptions) error {
	c := calendar(op.settings)
	if c == nil || o.Now || o.Force {
		return nil
	}
	open, ok := c.Open(op.now(), op.opt.Zone())
	if !ok {
		return op.closed(op.settings, c)
	}
	if o.NotAfter.IsZero() {
		o.NotAfter = open.To
	}
	return nil
}

// closed is the error outside of the windows: it says when one opens, or why
// none does.
func (a *Agent) closed(s *settings.Settings, c *schedule.Calendar) error {
	const now = "wapt-get waptwua-install --now does not wait for it"
	if p, ok := unreadable(s); ok {
		return fmt.Errorf("%w: none opens before this option of wapt-get.ini is put right: %s; %s", ErrWindowClosed, p, now)
	}
	next := "none opens again"
	if span, ok := c.Next(a.opt.Clock.Now(), a.opt.Zone()); ok {
		next = "the next one opens " + span.From.In(a.opt.Zone()).Format(openingTime)
	}
	return fmt.Errorf("%w (%s): %s; %s", ErrWindowClosed, c, next, now)
}

// unreadable finds what is wrong with the options that close every window when
// they cannot be read.
func unreadable(s *settings.Settings) (settings.Problem, bool) {
	i := slices.IndexFunc(s.Problems, func(p settings.Problem) bool {
		return p.Section == settings.WaptWUA && (p.Name == "install_windows" || p.Name == "freeze_dates")
	})
	if i < 0 {
		return settings.Problem{}, false
	}
	return s.Problems[i], true
}

// stillOpen tells whether an installation may still begin. A window may close
// while files are being fetched.
func (op *operation) stillOpen(o InstallOptions) error {
	if o.NotAfter.IsZero() || op.now().Before(o.NotAfter) {
		return nil
	}
	return fmt.Errorf("the window closed before the installation could begin: %w", op.closed(op.settings, calendar(op.settings)))
}

// thawed bounds an installation that does not need a window: frozen days hold
// it all the same, and so do settings that could not be read.
func (a *Agent) thawed(s *settings.Settings) (InstallOptions, error) {
	c := schedule.Always(s.Freeze)
	if s.InstallWindows != nil && len(s.InstallWindows.Windows) == 0 {
		c = s.InstallWindows
	}
	open, ok := c.Open(a.opt.Clock.Now(), a.opt.Zone())
	if !ok {
		return InstallOptions{}, a.closed(s, c)
	}
	return InstallOptions{Now: true, NotAfter: open.To}, nil
}

// Window is what Status tells about the installation windows.
type Window struct {
	Calendar  string    `json:"calendar"`
	OpenUntil time.Time `json:"open_until,omitzero"` // zero: closed
	Next      time.Time `json:"next,omitzero"`       // the next one that opens; zero: none does
	Used      time.Time `json:"used,omitzero"`       // the last installation, or the last window without need of one
	Missed    time.Time `json:"missed,omitzero"`     // when the first window that was missed has closed
	CatchUp   time.Time `json:"catch_up,omitzero"`   // from when it is caught up outside of a window; zero: not at all
}

// window tells how the windows stand; nil where none are set, or the settings
// cannot be read.
func (a *Agent) window(m *memory) *Window {
	s, err := a.opt.Settings()
	if err != nil || calendar(s) == nil {
		return nil
	}
	c, now := calendar(s), a.opt.Clock.Now()
	v := &Window{Calendar: c.String(), Used: m.Windows.Used}
	if open, ok := c.Open(now, a.opt.Zone()); ok {
		v.OpenUntil = open.To
	}
	if next, ok := c.Next(now, a.opt.Zone()); ok {
		v.Next = next.From
	}
	if s.InstallWindows != nil {
		v.missed(a.maintenance(s, m.State.Host.UUID), m.Windows.under(s, now), now)
	}
	return v
}

// missed adds what was missed.
func (v *Window) missed(m schedule.Maintenance, w windows, now time.Time) {
	missed, ok := m.Missed(schedule.Record{Since: w.Since, Used: w.Used}, now)
	if !ok {
		return
	}
	v.Missed = missed.To
	if due, ok := m.CatchUp.Due(missed); ok {
		v.CatchUp = due
	}
}

// nextWindow is when the window that is open has opened, or else the next one
// opens: zero where none are set, or none opens.
func (op *operation) nextWindow() time.Time {
	c := op.settings.InstallWindows
	if c == nil {
		return time.Time{}
	}
	if open, ok := c.Open(op.now(), op.opt.Zone()); ok {
		return open.From.UTC()
	}
	next, _ := c.Next(op.now(), op.opt.Zone())
	return next.From.UTC()
}
