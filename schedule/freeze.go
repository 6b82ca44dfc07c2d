package schedule

import (
	"fmt"
	"strings"
	"time"
)

// Dates are the days from one to another, both included. ParseFreeze makes
// them.
type Dates struct{ first, last date }

// span is from the beginning of the first day to the end of the last.
func (d Dates) span(loc *time.Location) Span {
	return Span{From: d.first.instant(0, loc), To: (d.last + 1).instant(0, loc)}
}

// String is the form that ParseFreeze reads.
func (d Dates) String() string {
	if d.first == d.last {
		return d.first.String()
	}
	return d.first.String() + ".." + d.last.String()
}

// Freeze are days on which every window is closed.
type Freeze []Dates

// String is the form that ParseFreeze reads; nothing for no days.
func (f Freeze) String() string { return joined(f, ", ", "") }

// ParseFreeze reads days such as 2026-12-20..2027-01-04, 2027-05-01. Nothing
// at all gives no days. The error says what is wrong and how it should look;
// it wraps waptwua.ErrLimit when there is too much of something.
func ParseFreeze(s string) (Freeze, error) {
	entries, err := split(s, ",;\n")
	if err != nil {
		return nil, fmt.Errorf("freeze dates: %w", err)
	}
	var all Freeze
	for _, entry := range entries {
		d, err := parseDates(entry)
		if err != nil {
			return nil, fmt.Errorf("freeze dates %q: %w; example: 2026-12-20..2027-01-04", entry, err)
		}
		all = append(all, d)
	}
	return all, nil
}

func parseDates(s string) (d Dates, err error) {
	first, last, isSpan := strings.Cut(s, "..")
	if d.first, err = parseDate(first); err != nil {
		return d, err
	}
	if d.last = d.first; !isSpan {
		return d, nil
	}
	if d.last, err = parseDate(last); err != nil {
		return d, err
	}
	if d.last < d.first {
		return d, fmt.Errorf("%s is before %s", d.last, d.first)
	}
	return d, nil
}
