package schedule

import (
	"cmp"
	"slices"
	"time"
)

// A Calendar says when something may be done: in its windows, except on its
// frozen days. No calendar (nil) is always open; one without windows is never
// open. Its methods read windows and days by the clocks of loc, the host's
// zone, whatever the location of t.
type Calendar struct {
	Windows Windows
	Frozen  Freeze
}

// Always is open at every moment, except on the frozen days.
func Always(frozen Freeze) *Calendar {
	return &Calendar{Windows: Windows{{from: 0, to: endOfDay}}, Frozen: frozen}
}

// A Span of time contains From, but no longer To.
type Span struct{ From, To time.Time }

// Contains tells whether t lies in s.
func (s Span) Contains(t time.Time) bool { return !t.Before(s.From) && t.Before(s.To) }

// Length is how long s is.
func (s Span) Length() time.Duration { return s.To.Sub(s.From) }

// The bounds of a search, in days.
const (
	// reach is how far a window's moments can lie from the day on which it
	// begins: it may end on the next day, and a change of clocks may move it.
	reach = 2
	// horizon is how far ahead an opening is looked for. Every window recurs
	// at least each month, so only frozen days can use it up.
	horizon = 4 * 366
	// together is how long an opening of several windows is at most taken
	// together: more than a week, in which all weekly windows have had their
	// turn.
	together = 8
)

// Open is the opening at t: from the beginning of the window that opened
// last, to the moment at which no window is open any more, also where one
// follows upon another; at the latest eight days after t. It tells false when
// c is closed at t. Nil gives an opening that begins at t.
func (c *Calendar) Open(t time.Time, loc *time.Location) (Span, bool) {
	if c == nil {
		return Span{From: t, To: t.AddDate(0, 0, together)}, true
	}
	window, to := c.open(t, loc)
	return Span{From: window.From, To: to}, !to.IsZero()
}

// open is the window at t that opened last, and the moment at which none is
// open any more; no moment when c is closed at t.
func (c *Calendar) open(t time.Time, loc *time.Location) (window Span, to time.Time) {
	today := dateOf(t.In(loc))
	for d := today - reach; d <= max(today, dateOf(to.In(loc))) && d <= today+together; d++ {
		for _, s := range c.spans(d, loc) { // in the order of their beginning, also over the days
			if s.Contains(t) {
				window, to = s, latest(to, s.To)
			} else if s.From.After(t) && !s.From.After(to) {
				to = latest(to, s.To)
			}
		}
	}
	return window, earliest(to, t.AddDate(0, 0, together))
}

// Next is the first window that opens after t. It tells false when none does
// within about four years, and for nil, which never opens because it is never
// closed.
func (c *Calendar) Next(t time.Time, loc *time.Location) (Span, bool) {
	if c == nil || len(c.Windows) == 0 {
		return Span{}, false
	}
	// A later day's window never begins sooner, not even where frozen days or
	// a change of clocks move both.
	first := dateOf(t.In(loc))
	for d := first; d < first+horizon; d++ {
		for _, s := range c.spans(d, loc) {
			if s.From.After(t) {
				return s, true
			}
		}
	}
	return Span{}, false
}

// Missed is the first opening that began after since, if it was over at until:
// windows that overlap or follow upon one another are missed together. It
// tells false when there is none.
func (c *Calendar) Missed(since, until time.Time, loc *time.Location) (Span, bool) {
	s, ok := c.Next(since, loc)
	if !ok || s.To.After(until) {
		return Span{}, false
	}
	_, s.To = c.open(s.From, loc)
	return s, !s.To.After(until)
}

// FrozenAt tells whether t lies on a frozen day. Nil has none.
func (c *Calendar) FrozenAt(t time.Time, loc *time.Location) bool {
	return c != nil && slices.ContainsFunc(c.Frozen, func(d Dates) bool { return d.span(loc).Contains(t) })
}

// String is the windows and the frozen days, for people and to tell two
// calendars apart.
func (c *Calendar) String() string {
	switch {
	case c == nil:
		return "always"
	case len(c.Windows) == 0:
		return "never"
	case len(c.Frozen) > 0:
		return c.Windows.String() + " except " + c.Frozen.String()
	}
	return c.Windows.String()
}

// spans are the openings of the windows that begin on d, without frozen time,
// in the order of their beginning.
func (c *Calendar) spans(d date, loc *time.Location) []Span {
	var all []Span
	for _, w := range c.Windows {
		if w.on(d) {
			all = append(all, c.thaw(d, w.span(d, loc), loc)...)
		}
	}
	slices.SortFunc(all, func(a, b Span) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	return all
}

// thaw is what the frozen days leave of s, a window that begins on d.
func (c *Calendar) thaw(d date, s Span, loc *time.Location) []Span {
	left := []Span{s}
	for _, f := range c.Frozen {
		if f.last < d || f.first > d+reach {
			continue
		}
		var next []Span
		for _, s := range left {
			next = append(next, s.without(f.span(loc))...)
		}
		left = next
	}
	return left
}

// without is what f leaves of s: nothing, or one or two spans.
func (s Span) without(f Span) []Span {
	var out []Span
	if before := (Span{s.From, earliest(s.To, f.From)}); before.To.After(before.From) {
		out = append(out, before)
	}
	if after := (Span{latest(s.From, f.To), s.To}); after.To.After(after.From) {
		out = append(out, after)
	}
	return out
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
