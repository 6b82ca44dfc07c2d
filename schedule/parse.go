package schedule

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"waptwua"
)

// The limits of a setting.
const (
	maxText    = 4096 // bytes
	maxEntries = 64   // windows, days of a window, or frozen spans
)

// ParseWindows reads windows as the package comment describes them. Nothing
// at all gives no windows. The error says what is wrong and how it should
// look; it wraps waptwua.ErrLimit when there is too much of something.
func ParseWindows(s string) (Windows, error) {
	entries, err := split(s, ";\n")
	if err != nil {
		return nil, fmt.Errorf("windows: %w", err)
	}
	var all Windows
	for _, entry := range entries {
		w, err := parseWindow(entry)
		if err != nil {
			return nil, fmt.Errorf("window %q: %w", entry, err)
		}
		all = append(all, w)
	}
	return all, nil
}

// split cuts s at any of the separators, drops empty entries, and writes
// what is left in one way: lower case, single blanks, none around signs.
func split(s, separators string) ([]string, error) {
	if len(s) > maxText {
		return nil, fmt.Errorf("%d bytes: %w of %d", len(s), waptwua.ErrLimit, maxText)
	}
	var out []string
	for _, entry := range strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune(separators, c) }) {
		if entry = tidy(entry); entry != "" {
			out = append(out, entry)
		}
	}
	if len(out) > maxEntries {
		return nil, fmt.Errorf("%d entries: %w of %d", len(out), waptwua.ErrLimit, maxEntries)
	}
	return out, nil
}

func tidy(s string) string {
	s = strings.ToLower(strings.Join(strings.Fields(s), " "))
	for _, sign := range []string{",", "-", "+", "..", ":"} {
		s = strings.ReplaceAll(strings.ReplaceAll(s, " "+sign, sign), sign+" ", sign)
	}
	return s
}

func parseWindow(s string) (w Window, err error) {
	days, hours := "", s
	if i := strings.LastIndexByte(s, ' '); i >= 0 {
		days, hours = s[:i], s[i+1:]
	}
	if w.from, w.to, err = parseHours(hours); err != nil {
		return w, err
	}
	w.days, err = parseDays(days)
	return w, err
}

var errHours = errors.New("want days and hours such as tue,thu 22:00-04:00")

// parseHours reads 22:00-04:00. An end at midnight is 24:00.
func parseHours(s string) (from, to clock, err error) {
	a, b, ok := strings.Cut(s, "-")
	if !ok {
		return 0, 0, fmt.Errorf("%q is not a span of hours: %w", s, errHours)
	}
	if from, err = parseClock(a); err != nil {
		return 0, 0, err
	}
	if to, err = parseClock(b); err != nil {
		return 0, 0, err
	}
	if from == endOfDay {
		return 0, 0, errors.New("a window cannot begin at 24:00; write 00:00, which is on the next day")
	}
	if to == 0 {
		to = endOfDay
	}
	return from, to, nil
}

func parseClock(s string) (clock, error) {
	hour, minute, ok := strings.Cut(s, ":")
	if !ok || !allDigits(hour) || !allDigits(minute) || len(hour) > 2 || len(minute) != 2 {
		return 0, fmt.Errorf("%q is not a time of day: %w", s, errHours)
	}
	h, _ := strconv.Atoi(hour) // digits only
	m, _ := strconv.Atoi(minute)
	if c := clock(h*60 + m); m < 60 && c <= endOfDay {
		return c, nil
	}
	return 0, fmt.Errorf("there is no time %s: a day has the times 00:00 to 24:00", s)
}

// parseDays reads the days of one window; none is every day.
func parseDays(s string) ([]dayRule, error) {
	if s == "" || s == "daily" {
		return nil, nil
	}
	var rules []dayRule
	for _, item := range strings.Split(s, ",") {
		r, err := parseDay(item)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r...)
	}
	if len(rules) > maxEntries {
		return nil, fmt.Errorf("%d days: %w of %d", len(rules), waptwua.ErrLimit, maxEntries)
	}
	return rules, nil
}

// parseDay reads one entry of the days; a span of weekdays gives several.
func parseDay(s string) ([]dayRule, error) {
	if n, ok := strings.CutPrefix(s, "patch-tuesday"); ok {
		r, err := parsePatchTuesday(n)
		return []dayRule{r}, err
	}
	if n, ok := strings.CutPrefix(s, "day "); ok {
		r, err := parseMonthDay(n)
		return []dayRule{r}, err
	}
	if s == "last day" {
		return []dayRule{monthDay(31)}, nil
	}
	if word, day, ok := strings.Cut(s, " "); ok {
		r, err := parseNth(word, day)
		return []dayRule{r}, err
	}
	return parseWeekdays(s)
}

func parsePatchTuesday(offset string) (patchTuesday, error) {
	if offset == "" {
		return 0, nil
	}
	digits, ok := strings.CutPrefix(offset, "+")
	n, err := strconv.Atoi(digits)
	if !ok || !allDigits(digits) || err != nil || n > maxAfterPatchTuesday {
		return 0, fmt.Errorf("%q after patch-tuesday: want 0 to %d days such as patch-tuesday+3", offset, maxAfterPatchTuesday)
	}
	return patchTuesday(n), nil
}

func parseMonthDay(s string) (monthDay, error) {
	n, err := strconv.Atoi(s)
	if !allDigits(s) || err != nil || n < 1 || n > 31 {
		return 0, fmt.Errorf("%q is not a day of a month: want day 1 to day 31, or last day", s)
	}
	return monthDay(n), nil
}

func parseNth(word, day string) (nthWeekday, error) {
	n, ok := ordinals[word]
	if !ok {
		hint := "want 1st, 2nd, 3rd, 4th or last, such as 2nd tue"
		if word == "5th" {
			hint = "not every month has a fifth; write last " + day
		}
		return nthWeekday{}, fmt.Errorf("%q: %s", word+" "+day, hint)
	}
	w, err := parseWeekday(day)
	return nthWeekday{n: n, day: w}, err
}

// parseWeekdays reads tue or mon-fri; a span may pass the end of the week.
func parseWeekdays(s string) ([]dayRule, error) {
	from, to, isSpan := strings.Cut(s, "-")
	first, err := parseWeekday(from)
	if err != nil || !isSpan {
		return []dayRule{first}, err
	}
	end, err := parseWeekday(to)
	if err != nil {
		return nil, err
	}
	rules := []dayRule{first}
	for w := first; w != end; {
		w = (w + 1) % 7
		rules = append(rules, w)
	}
	return rules, nil
}

// parseWeekday reads a weekday's English name, whole or its first three
// letters.
func parseWeekday(s string) (weekday, error) {
	for w := time.Sunday; w <= time.Saturday; w++ {
		if name := strings.ToLower(w.String()); s == name || s == name[:3] {
			return weekday(w), nil
		}
	}
	return 0, fmt.Errorf("%q is not a day: want daily, tue, mon-fri, 2nd tue, last sun, day 15, last day or patch-tuesday+3", s)
}
