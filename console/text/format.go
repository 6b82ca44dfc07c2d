package text

import (
	"strconv"
	"strings"
	"time"
)

// Number writes n with groups of three digits.
func (t Texts) Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	separator := ","
	if t.lang == French {
		separator = "\u202f" // narrow no-break space
	}
	return sign + strings.Join(append([]string{digits}, groups...), separator)
}

// Size writes a number of bytes in decimal units, with one decimal below ten.
func (t Texts) Size(bytes int64) string {
	units := [languages][]string{English: {"B", "kB", "MB", "GB", "TB"}, French: {"o", "ko", "Mo", "Go", "To"}}[t.lang]
	value, unit := float64(bytes), 0
	for value >= 999.5 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	decimals := 0
	if unit > 0 && value < 9.95 {
		decimals = 1
	}
	s := strconv.FormatFloat(value, 'f', decimals, 64)
	if t.lang == French {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s + "\u00a0" + units[unit]
}

// Speed writes bytes per second.
func (t Texts) Speed(bytes int64) string { return t.Size(bytes) + "/s" }

// Percent writes part of whole, rounded down so that only all is 100.
func (t Texts) Percent(part, whole int) string {
	if whole <= 0 {
		return "–"
	}
	s := strconv.Itoa(100 * part / whole)
	if t.lang == French {
		return s + "\u202f%"
	}
	return s + "%"
}

// Duration writes how long something took, in its two largest units.
func (t Texts) Duration(d time.Duration) string {
	day := [languages]string{"d", "j"}[t.lang]
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "\u00a0ms"
	case d < time.Minute:
		return count(d, time.Second, "s")
	case d < time.Hour:
		return count(d, time.Minute, "min") + rest(d, time.Minute, time.Second, "s")
	case d < 24*time.Hour:
		return count(d, time.Hour, "h") + rest(d, time.Hour, time.Minute, "min")
	}
	return count(d, 24*time.Hour, day) + rest(d, 24*time.Hour, time.Hour, "h")
}

func count(d, unit time.Duration, name string) string {
	return strconv.FormatInt(int64(d/unit), 10) + "\u00a0" + name
}

func rest(d, whole, unit time.Duration, name string) string {
	if d %= whole; d < unit {
		return ""
	}
	return " " + count(d, unit, name)
}

// Age writes how long ago at was, seen from now, or how far ahead it lies.
func (t Texts) Age(now, at time.Time) string {
	d := now.Sub(at)
	key := Ago
	if d < 0 {
		d, key = -d, Ahead
	}
	if d < time.Second {
		return t.Say(JustNow)
	}
	return t.Say(key, t.largest(d))
}

func (t Texts) largest(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return count(d, time.Second, "s")
	case d < time.Hour:
		return count(d, time.Minute, "min")
	case d < 2*day:
		return count(d, time.Hour, "h")
	}
	return t.Count(Days, int(d/day))
}

// Moment writes a time to the second, with its zone.
func (t Texts) Moment(at time.Time) string { return at.Format("2006-01-02 15:04:05 MST") }

// Clock writes the time of day of a time, with its zone.
func (t Texts) Clock(at time.Time) string { return at.Format("15:04:05 MST") }

// Date writes a day.
func (t Texts) Date(at time.Time) string { return at.Format("2006-01-02") }
