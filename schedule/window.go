package schedule

import (
	"slices"
	"strings"
	"time"
)

// A Window is a span of hours that recurs on certain days. ParseWindows
// makes it.
type Window struct {
	days     []dayRule // none: every day
	from, to clock     // to is at most from when the window ends on the next day
}

// A dayRule picks days of the calendar.
type dayRule interface {
	on(date) bool
	String() string
}

// on tells whether a window begins on d.
func (w Window) on(d date) bool {
	return len(w.days) == 0 || slices.ContainsFunc(w.days, func(r dayRule) bool { return r.on(d) })
}

// span is the window that begins on d. A window of which the change to
// daylight saving time would leave nothing begins at the change and keeps
// its length, so that no night and no month goes without it.
func (w Window) span(d date, loc *time.Location) Span {
	end := d
	if w.to <= w.from {
		end++
	}
	s := Span{From: d.instant(w.from, loc), To: end.instant(w.to, loc)}
	if !s.To.After(s.From) {
		s.To = s.From.Add(w.length())
	}
	return s
}

// length is how long the window is where no clock is changed.
func (w Window) length() time.Duration {
	n := w.to - w.from
	if n <= 0 {
		n += endOfDay
	}
	return time.Duration(n) * time.Minute
}

// String is the form that ParseWindows reads.
func (w Window) String() string {
	return joined(w.days, ",", "daily") + " " + w.from.String() + "-" + w.to.String()
}

// Windows are all the windows of one setting.
type Windows []Window

// String is the form that ParseWindows reads; nothing for no windows.
func (w Windows) String() string { return joined(w, "; ", "") }

func joined[T interface{ String() string }](list []T, separator, none string) string {
	if len(list) == 0 {
		return none
	}
	texts := make([]string, len(list))
	for i, x := range list {
		texts[i] = x.String()
	}
	return strings.Join(texts, separator)
}
