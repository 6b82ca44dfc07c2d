// Package hostzone tells the time zone of the host as it is now.
//
// Package time reads it once, when a program starts: a service that runs for
// weeks on a laptop would keep the clocks of the city it was started in, and
// open its maintenance windows by them. On Windows this package asks the
// system each time, and makes a zone of the rule that it gives, by way of the
// footer of a TZif file (RFC 9636, section 3.3), which package time reads.
// Elsewhere the zone is time.Local.
//
// # Limits
//
// Windows gives the rule of the current year; where governments announce each
// year anew, the change of next year is known next year. A rule for one date
// of one year counts for that day of every year.
package hostzone

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// A Rule is a zone as Windows describes it (TIME_ZONE_INFORMATION): minutes
// that are added to local time to get UTC, and when daylight saving time
// begins and ends.
type Rule struct {
	Bias         int32
	StandardBias int32
	DaylightBias int32
	Standard     Change // to standard time; Month 0: the clocks never change
	Daylight     Change // to daylight saving time
}

// A Change of clocks, in the local time before it (SYSTEMTIME).
type Change struct {
	Year    uint16 // 0: every year
	Month   uint16
	Weekday uint16 // 0 is Sunday; of no meaning where Year is set
	Day     uint16 // of the month where Year is set, else 1 to 5: the n-th weekday, 5 is the last
	Hour    uint16
	Minute  uint16
	Second  uint16
	Milli   uint16
}

// Location is the zone that r describes. It gives an error for a rule that is
// none, such as one with a thirteenth month.
func Location(r Rule) (*time.Location, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	loc, err := time.LoadLocationFromTZData("host", tzif(r))
	if err != nil {
		return nil, fmt.Errorf("time zone %q: %w", r.posix(), err)
	}
	return loc, nil
}

// changes tells whether there is daylight saving time.
func (r Rule) changes() bool { return r.Standard.Month != 0 && r.Daylight.Month != 0 }

// check refuses what package time would pass over in silence.
func (r Rule) check() error {
	for _, bias := range []int32{r.Bias, r.Bias + r.StandardBias, r.Bias + r.DaylightBias} {
		if bias < -maxBias || bias > maxBias {
			return fmt.Errorf("time zone with a bias of %d minutes", bias)
		}
	}
	if r.changes() && !(r.Standard.valid() && r.Daylight.valid()) {
		return fmt.Errorf("time zone whose clocks change at %+v and %+v", r.Daylight, r.Standard)
	}
	return nil
}

// maxBias is a day, in minutes.
const maxBias = 24 * 60

func (c Change) valid() bool {
	lastDay := uint16(5)
	if c.Year != 0 {
		lastDay = 31
	}
	return c.Month <= 12 && c.Day >= 1 && c.Day <= lastDay && c.Weekday <= 6 && c.Hour <= 24 && c.Minute <= 59 && c.Second <= 59
}

// posix is r in the form of the POSIX variable TZ.
func (r Rule) posix() string {
	standard := -(r.Bias + r.StandardBias)
	if !r.changes() {
		return zoneName(-r.Bias) + offset(r.Bias)
	}
	daylight := -(r.Bias + r.DaylightBias)
	return zoneName(standard) + offset(-standard) + zoneName(daylight) + offset(-daylight) + "," + r.Daylight.posix() + "," + r.Standard.posix()
}

// posix is M3.5.0/02:00:00, or J85/02:00:00 for a day of one year.
func (c Change) posix() string {
	second := int(c.Second) + (int(c.Milli)+500)/1000 // 23:59:59.999 stands for midnight
	clock := fmt.Sprintf("/%d:%02d:%02d", int(c.Hour)+(int(c.Minute)+second/60)/60, (int(c.Minute)+second/60)%60, second%60)
	if c.Year != 0 {
		day := time.Date(2026, time.Month(c.Month), int(c.Day), 0, 0, 0, 0, time.UTC).YearDay() // J counts without leap days
		return fmt.Sprintf("J%d", day) + clock
	}
	return fmt.Sprintf("M%d.%d.%d", c.Month, c.Day, c.Weekday) + clock
}

// zoneName names a zone by its minutes east of Greenwich: <+01>.
func zoneName(east int32) string {
	sign := "+"
	if east < 0 {
		sign, east = "-", -east
	}
	name := fmt.Sprintf("<%s%02d", sign, east/60)
	if east%60 != 0 {
		name += fmt.Sprintf("%02d", east%60)
	}
	return name + ">"
}

// offset is minutes west of Greenwich, as POSIX counts.
func offset(west int32) string {
	sign := ""
	if west < 0 {
		sign, west = "-", -west
	}
	return fmt.Sprintf("%s%d:%02d", sign, west/60, west%60)
}

// tzif is a TZif file of version 2 without a transition: all is in the footer.
func tzif(r Rule) []byte {
	header := func(types, chars uint32) []byte {
		b := append([]byte("TZif2"), make([]byte, 15)...)
		for _, n := range []uint32{0, 0, 0, 0, types, chars} { // is-UT, is-standard, leap seconds, transitions
			b = binary.BigEndian.AppendUint32(b, n)
		}
		return b
	}
	footer := r.posix()
	east := -(r.Bias + r.StandardBias)
	if !r.changes() {
		east = -r.Bias
	}
	name := strings.Trim(zoneName(east), "<>") + "\x00"
	b := append(header(0, 0), header(1, uint32(len(name)))...)
	b = binary.BigEndian.AppendUint32(b, uint32(east*60))
	b = append(b, 0, 0) // not daylight saving time, the name at 0
	return append(append(b, name...), "\n"+footer+"\n"...)
}
