package schedule

import (
	"fmt"
	"time"
)

// date is a day of the calendar, counted from 1970-01-01. It knows no zone:
// only instant ties it to one.
type date int

// dateOf is the day of t in t's own location.
func dateOf(t time.Time) date { return newDate(t.Date()) }

// newDate takes months and days beyond their ends, as time.Date does.
func newDate(year int, month time.Month, day int) date {
	return date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func (d date) civil() (year int, month time.Month, day int) {
	return time.Unix(int64(d)*86400, 0).UTC().Date()
}

func (d date) weekday() time.Weekday {
	return time.Unix(int64(d)*86400, 0).UTC().Weekday()
}

// monthEnd is the number of the last day of d's month: 28 to 31.
func (d date) monthEnd() int {
	year, month, _ := d.civil()
	_, _, last := newDate(year, month+1, 0).civil()
	return last
}

// String is the form that parseDate reads: 2026-12-20.
func (d date) String() string {
	year, month, day := d.civil()
	return fmt.Sprintf("%04d-%02d-%02d", year, month, day)
}

func parseDate(s string) (date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date such as 2026-12-20", s)
	}
	return dateOf(t), nil
}

// clock is a time of day in minutes since midnight, 0 to 1440 (24:00).
type clock int

const endOfDay clock = 24 * 60

// String is the form that parseClock reads: 04:00.
func (c clock) String() string { return fmt.Sprintf("%02d:%02d", c/60, c%60) }

// instant is the moment at which the clocks in loc show c on d. A time that
// they show twice is the first of the two; a time that they skip is the
// moment of the change. So a later time of day never comes out earlier.
func (d date) instant(c clock, loc *time.Location) time.Time {
	year, month, day := d.civil()
	want := time.Date(year, month, day, 0, int(c), 0, 0, time.UTC) // what the clocks shall show
	got := time.Date(year, month, day, 0, int(c), 0, 0, loc)
	begin, end := got.ZoneBounds()
	switch shown := showing(got); {
	case shown.After(want): // skipped, and read by the offset before the change
		return begin.In(loc)
	case shown.Before(want): // skipped, and read by the offset after the change
		return end.In(loc)
	}
	if begin.IsZero() {
		return got
	}
	_, offset := begin.Add(-time.Nanosecond).Zone()
	if first := want.Add(-time.Duration(offset) * time.Second); first.Before(begin) {
		return first.In(loc)
	}
	return got
}

// showing is the date and time that t's clocks show, as if they were UTC's.
func showing(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}
