package schedule

import "time"

// The rules about beginning within a window that no setting changes.
const (
	// least is what must be left of a window for an installation to begin in
	// it, or half of a window that is shorter than an hour.
	least = 30 * time.Minute
	// widest is how far the hosts of a fleet are spread over a window, or a
	// tenth of a window that is shorter than five hours.
	widest = 30 * time.Minute
	// again is the longest wait before the next attempt in the same window.
	again = time.Hour
)

// Maintenance says when one host installs, where windows are set.
//
// The first attempt in a window is at the host's own place in it; another
// follows after each Repeat, as long as something is left to be installed and
// least is left of the window. A window is used when an installation was
// begun in it and ran to its end, or when there was nothing to install. One
// that passed unused, because the host was off or the installation did not
// succeed in beginning, is missed, and CatchUp says what becomes of it.
type Maintenance struct {
	Calendar *Calendar
	Zone     *time.Location
	Host     string         // UUID
	Spread   *time.Duration // nil: a tenth of the window, at most half an hour
	CatchUp  CatchUp
	Repeat   Period // longer than an hour, or never: an hour
}

// Record is what is known of the past. A moment in the future, where the
// clock was set back, counts as none.
type Record struct {
	Since time.Time // windows that opened earlier count neither as used nor as missed
	Used  time.Time // when the last installation began, or there was nothing to install in a window
	Tried time.Time // end of the last attempt
	Up    time.Time // since when the host has been working without a break
}

// A Slot is the time for one installation.
type Slot struct {
	Span         // From may have passed; nothing more is begun from To on
	Outside bool // of every window: it makes up for a missed one
}

// Slot is the next time for an installation, at ready or later. It tells
// false when there is none. The slot has come when its From has.
func (m Maintenance) Slot(r Record, now, ready time.Time) (Slot, bool) {
	at := latest(now, ready)
	if window, to := m.Calendar.open(at, m.Zone); !to.IsZero() {
		if slot, ok := m.within(window, to, r, at); ok {
			return slot, true
		}
		at = to
	}
	slot, ok := m.next(at)
	if late, found := m.late(r, now, at); found && (!ok || late.From.Before(slot.From)) {
		return late, true
	}
	return slot, ok
}

// within is the next time in the window that is open, where none is from the
// moment to on; false when too little would be left until then.
func (m Maintenance) within(window Span, to time.Time, r Record, at time.Time) (Slot, bool) {
	begin := latest(at, m.place(window))
	if r.tried(at).After(window.From) {
		begin = latest(at, r.Tried.Add(m.repeat()))
	}
	enough := to.Sub(begin) >= leastOf(Span{From: window.From, To: to})
	return Slot{Span: Span{From: begin, To: to}}, enough
}

// next is the time in the next window that opens.
func (m Maintenance) next(at time.Time) (Slot, bool) {
	s, ok := m.Calendar.Next(at, m.Zone)
	return Slot{Span: Span{From: m.place(s), To: s.To}}, ok
}

// late is the next time outside of a window, where a window was missed and
// its work may be done outside; never on a frozen day.
func (m Maintenance) late(r Record, now, at time.Time) (Slot, bool) {
	missed, ok := m.Missed(r, now)
	if !ok {
		return Slot{}, false
	}
	due, ok := m.CatchUp.Due(missed)
	if !ok {
		return Slot{}, false
	}
	spread := widest
	if m.Spread != nil {
		spread = *m.Spread
	}
	begin := latest(at, latest(due, r.Up).Add(Jitter(m.Host, spread)))
	if tried := r.tried(at); tried.After(missed.To) {
		begin = latest(begin, tried.Add(m.repeat()))
	}
	thawed := Always(m.Calendar.Frozen)
	if open, ok := thawed.Open(begin, m.Zone); ok {
		return Slot{Span: Span{From: begin, To: open.To}, Outside: true}, true
	}
	next, ok := thawed.Next(begin, m.Zone)
	return Slot{Span: next, Outside: true}, ok
}

// Missed is the first window that closed unused; false when there is none.
// Windows that overlap or follow upon one another are used together.
func (m Maintenance) Missed(r Record, now time.Time) (Span, bool) {
	since := notAfter(r.Since, now)
	if since.IsZero() {
		return Span{}, false
	}
	used := notAfter(r.Used, now)
	if open, ok := m.Calendar.Open(used, m.Zone); ok {
		used = open.To
	}
	return m.Calendar.Missed(latest(since, used), now, m.Zone)
}

// Attend is the moment from which the window that is open at now counts as
// used although there is nothing to install. It tells false when no window
// is open, or the one that is has been used.
func (m Maintenance) Attend(r Record, now time.Time) (time.Time, bool) {
	window, to := m.Calendar.open(now, m.Zone)
	if to.IsZero() || !notAfter(r.Used, now).Before(window.From) {
		return time.Time{}, false
	}
	return m.place(window), true
}

// place is when the host's turn comes in the window s: before its end, also
// where another window follows.
func (m Maintenance) place(s Span) time.Time {
	spread := min(s.Length()/10, widest)
	if m.Spread != nil {
		spread = min(*m.Spread, s.Length()-leastOf(s))
	}
	return s.From.Add(Jitter(m.Host, spread))
}

func (m Maintenance) repeat() time.Duration {
	if m.Repeat.Never() {
		return again
	}
	return min(m.Repeat.Duration(), again)
}

func leastOf(s Span) time.Duration { return min(least, s.Length()/2) }

// tried is the end of the last attempt before now.
func (r Record) tried(now time.Time) time.Time { return notAfter(r.Tried, now) }

// notAfter is t, or no time where t is after now.
func notAfter(t, now time.Time) time.Time {
	if t.After(now) {
		return time.Time{}
	}
	return t
}
