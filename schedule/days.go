package schedule

import (
	"strconv"
	"strings"
	"time"
)

// weekday is one day of every week.
type weekday time.Weekday

func (w weekday) on(d date) bool { return d.weekday() == time.Weekday(w) }
func (w weekday) String() string { return strings.ToLower(time.Weekday(w).String()[:3]) }

// nthWeekday is one day of every month; n is 1 to 4, or last.
type nthWeekday struct {
	n   int
	day weekday
}

// lastOfMonth is the n of the last one.
const lastOfMonth = -1

// ordinals are the words for n.
var ordinals = map[string]int{"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "last": lastOfMonth}

func (r nthWeekday) on(d date) bool {
	if !r.day.on(d) {
		return false
	}
	_, _, day := d.civil()
	if r.n == lastOfMonth {
		return day > d.monthEnd()-7
	}
	return (day-1)/7+1 == r.n
}

func (r nthWeekday) String() string {
	for word, n := range ordinals {
		if n == r.n {
			return word + " " + r.day.String()
		}
	}
	return ""
}

// monthDay is a day of every month; a month that is shorter has it on its
// last day. So 31 is the last day of every month.
type monthDay int

func (n monthDay) on(d date) bool {
	_, _, day := d.civil()
	return day == min(int(n), d.monthEnd())
}

func (n monthDay) String() string {
	if n == 31 {
		return "last day"
	}
	return "day " + strconv.Itoa(int(n))
}

// patchTuesday is so many days after the second Tuesday of a month, the day
// on which Microsoft publishes its monthly updates.
type patchTuesday int

// maxAfterPatchTuesday keeps the day before the next Patch Tuesday, which is
// four or five weeks later.
const maxAfterPatchTuesday = 27

func (n patchTuesday) on(d date) bool {
	return nthWeekday{n: 2, day: weekday(time.Tuesday)}.on(d - date(n))
}

func (n patchTuesday) String() string {
	if n == 0 {
		return "patch-tuesday"
	}
	return "patch-tuesday+" + strconv.Itoa(int(n))
}
