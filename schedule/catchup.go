package schedule

import (
	"fmt"
	"strings"
	"time"
)

// CatchUp is what becomes of the work of a window that was missed. The zero
// CatchUp waits for the next window.
type CatchUp struct {
	outside bool
	after   time.Duration
}

// ParseCatchUp reads "next": wait for the next window; "now": outside of a
// window, as soon as possible; or "deadline 3d": at the next window, but
// outside of one when so much time has passed since the missed one closed. A
// bare number counts days.
func ParseCatchUp(s string) (CatchUp, error) {
	word, after, _ := strings.Cut(tidy(s), " ")
	switch {
	case word == "next" && after == "":
		return CatchUp{}, nil
	case word == "now" && after == "":
		return CatchUp{outside: true}, nil
	case word == "deadline":
		d, err := ParseDuration(after, Day)
		if err == nil && d > 0 {
			return CatchUp{outside: true, after: d}, nil
		}
	}
	return CatchUp{}, fmt.Errorf("%q: want next, now, or a deadline such as deadline 3d", s)
}

// Due is the moment from which the work of the missed window may be done
// outside of a window. It tells false when only a window will do.
func (c CatchUp) Due(missed Span) (time.Time, bool) {
	return missed.To.Add(c.after), c.outside
}

// String is the form that ParseCatchUp reads.
func (c CatchUp) String() string {
	switch {
	case c.after > 0:
		return "deadline " + Format(c.after)
	case c.outside:
		return "now"
	}
	return "next"
}
