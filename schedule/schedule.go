// Package schedule says when something is due. It is pure: it never asks
// for the time, the caller gives it.
//
// # Durations
//
// A duration is written as in WAPT's settings: a whole number and one of
// the units s, m, h, d or w, as in "90s", "120m", "2h", "7d" or "1w", blanks
// and case ignored. Without a unit the number counts the unit that the
// setting defaults to: minutes in general, days for the options of the
// [waptwua] section. "None" or nothing at all means never; only ParsePeriod
// reads that. A day is 24 hours and a week 7 days: these are spans of time,
// not dates of a calendar. The longest duration is MaxDuration.
//
// # Due
//
// A thing with a period is due when the period has passed since it was last
// done, when it was never done, and when the last time lies in the future:
// then the clock was set back, and waiting for it to catch up could take
// years. Jitter spreads the hosts of a fleet over a span of time; it is a
// function of the host, so that a host keeps its place across restarts.
//
// # Windows
//
// A Calendar is a list of windows, and days on which all of them are closed:
//
//	windows = window { ( ";" | line end ) window }
//	window  = [ days ] hours              without days: daily
//	days    = "daily" | day { "," day }
//	day     = weekday [ "-" weekday ]     tue   mon-fri   sat-mon
//	        | nth weekday                 2nd tue   last sun
//	        | "day" number | "last day"   day 15   day 31
//	        | "patch-tuesday" [ "+" n ]   patch-tuesday   patch-tuesday+3
//	hours   = time "-" time               22:00-04:00   00:00-24:00
//	nth     = "1st" | "2nd" | "3rd" | "4th" | "last"
//	freeze  = dates { ( "," | ";" | line end ) dates }
//	dates   = date [ ".." date ]          2026-12-20..2027-01-04   2027-05-01
//
// Case and blanks do not matter; weekdays are English, whole or their first
// three letters. The days are those on which a window begins: one that does
// not end after it begins ends on the next day, so that "tue 22:00-04:00"
// closes on Wednesday and "sun 22:00-22:00" lasts 24 hours. A day 29 to 31
// that a month does not have is its last day, so that no month is left out.
// Patch Tuesday is the second Tuesday in the host's calendar; Microsoft
// publishes at 10:00 in Seattle, which east of India is on Wednesday.
//
// Frozen days count whole, the first and the last included, from midnight to
// midnight of the host. They close a window that is open.
//
// # Changes of clocks
//
// Windows open and close by the clocks of the host, so that one over a change
// of clocks is longer or shorter by the change. A time that is shown twice is
// the first of the two, for both ends. A time that is skipped is the moment
// of the change. A window of which that would leave nothing, such as
// 02:00-03:00 in the night in which two o'clock becomes three, opens at the
// change and keeps its length: otherwise "last sun 02:00-03:00" would have
// no window in March.
//
// # Limits
//
// A setting has at most 4096 bytes and 64 windows or frozen spans. Next looks
// four years ahead. There are no windows of whole weeks, no public holidays
// and no zones but the host's.
package schedule

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"waptwua"
)

// The units of durations that are longer than an hour.
const (
	Day  = 24 * time.Hour
	Week = 7 * Day
)

// MaxDuration is the longest duration that is read: ten years.
const MaxDuration = 3650 * Day

// ParseDuration reads a duration; unit is what a bare number counts, such
// as time.Minute or Day. A duration beyond MaxDuration gives an error that
// wraps waptwua.ErrLimit.
func ParseDuration(s string, unit time.Duration) (time.Duration, error) {
	number := strings.ToLower(strings.TrimSpace(s))
	if u, ok := unitOf(number); ok {
		number, unit = strings.TrimSpace(number[:len(number)-1]), u
	}
	if !allDigits(number) {
		return 0, fmt.Errorf("duration %q: want a whole number and a unit, such as 90s, 120m, 2h, 7d or 1w", s)
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n > int64(MaxDuration/unit) {
		return 0, fmt.Errorf("duration %q: %w of ten years", s, waptwua.ErrLimit)
	}
	return time.Duration(n) * unit, nil
}

func unitOf(s string) (time.Duration, bool) {
	if s == "" {
		return 0, false
	}
	switch s[len(s)-1] {
	case 's':
		return time.Second, true
	case 'm':
		return time.Minute, true
	case 'h':
		return time.Hour, true
	case 'd':
		return Day, true
	case 'w':
		return Week, true
	}
	return 0, false
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Format writes d in the largest unit that gives a whole number: the inverse
// of ParseDuration for whole seconds.
func Format(d time.Duration) string {
	for _, u := range []struct {
		size time.Duration
		name string
	}{{Week, "w"}, {Day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d != 0 && d%u.size == 0 {
			return strconv.FormatInt(int64(d/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}

// A Period is how often something is done. The zero Period is never.
type Period struct{ every time.Duration }

// Every is the period d. A period that is not positive is never.
func Every(d time.Duration) Period { return Period{every: max(d, 0)} }

// ParsePeriod reads a duration, or "None" or nothing for never. A period of
// zero is refused: it would do nothing else any more.
func ParsePeriod(s string, unit time.Duration) (Period, error) {
	t := strings.TrimSpace(s)
	if t == "" || strings.EqualFold(t, "none") {
		return Period{}, nil
	}
	d, err := ParseDuration(t, unit)
	if err != nil {
		return Period{}, err
	}
	if d == 0 {
		return Period{}, fmt.Errorf("period %q: want None (never) or more than zero, such as 2h", s)
	}
	return Every(d), nil
}

// Never tells whether p never comes round.
func (p Period) Never() bool { return p.every <= 0 }

// Duration is the length of the period; zero for never.
func (p Period) Duration() time.Duration { return p.every }

// String is "None" for never, and else the form that ParsePeriod reads.
func (p Period) String() string {
	if p.Never() {
		return "None"
	}
	return Format(p.every)
}

// Due tells whether what was last done at last (zero: not yet) is to be done
// again at now.
func Due(last, now time.Time, p Period) bool {
	if p.Never() {
		return false
	}
	return last.After(now) || !now.Before(last.Add(p.every)) || last.IsZero()
}

// Next is the moment from which the thing is due: now when it is due
// already, the zero time when it never is.
func Next(last, now time.Time, p Period) time.Time {
	if p.Never() {
		return time.Time{}
	}
	if Due(last, now, p) {
		return now
	}
	return last.Add(p.every)
}

// Jitter is the place of a host within a span of time: at least 0, less than
// spread, the same each time. host is the host's UUID; what is spread apart
// from other things of the same host has its name added to it.
func Jitter(host string, spread time.Duration) time.Duration {
	if spread <= 0 {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(strings.ToLower(host)))
	return time.Duration(mix(h.Sum64()) % uint64(spread))
}

// mix spreads similar inputs over all bits (the finalizer of MurmurHash3):
// FNV alone leaves UUIDs that differ in their last digit close together.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
