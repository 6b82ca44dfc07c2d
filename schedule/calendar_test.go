package schedule

import (
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"waptwua"
)

func TestParseWindows(t *testing.T) {
	tests := map[string]struct {
		in   string
		want string // as String gives it; with ! before it: the error has this
	}{
		"none":                    {"", ""},
		"only separators":         {" ; \n;", ""},
		"every day":               {"22:00-04:00", "daily 22:00-04:00"},
		"daily":                   {"Daily 1:30 - 5:00", "daily 01:30-05:00"},
		"weekdays":                {"tue, thu 22:00-04:00", "tue,thu 22:00-04:00"},
		"whole names":             {"Tuesday,FRIDAY 22:00-23:59", "tue,fri 22:00-23:59"},
		"span of weekdays":        {"mon-wed 12:00-13:00", "mon,tue,wed 12:00-13:00"},
		"over the week's end":     {"sat - mon 00:00-24:00", "sat,sun,mon 00:00-24:00"},
		"n-th weekday":            {"2nd tue,last sun 22:00-04:00", "2nd tue,last sun 22:00-04:00"},
		"patch tuesday":           {"patch-tuesday 22:00-04:00", "patch-tuesday 22:00-04:00"},
		"after patch tuesday":     {"Patch-Tuesday + 3 22:00-04:00", "patch-tuesday+3 22:00-04:00"},
		"days of the month":       {"day 1, day 15,last day 22:00-04:00", "day 1,day 15,last day 22:00-04:00"},
		"day 31 is the last":      {"day 31 22:00-04:00", "last day 22:00-04:00"},
		"midnight is the end":     {"sun 22:00-00:00", "sun 22:00-24:00"},
		"several":                 {"tue 22:00-04:00;\nlast sun 08:00-20:00\n", "tue 22:00-04:00; last sun 08:00-20:00"},
		"no hours":                {"tue", `!"tue" is not a span of hours: want days and hours such as tue,thu 22:00-04:00`},
		"hours without minutes":   {"tue 22-04", `!"22" is not a time of day`},
		"no such time":            {"tue 22:60-23:00", "!there is no time 22:60"},
		"after the day's end":     {"tue 22:00-24:01", "!there is no time 24:01"},
		"begins at the day's end": {"tue 24:00-04:00", "!write 00:00"},
		"no such day":             {"die 22:00-04:00", `!"die" is not a day: want daily, tue, mon-fri`},
		"fifth":                   {"5th tue 22:00-04:00", "!write last tue"},
		"no such ordinal":         {"second tue 22:00-04:00", "!want 1st, 2nd"},
		"day 32":                  {"day 32 22:00-04:00", "!want day 1 to day 31"},
		"day 0":                   {"day 0 22:00-04:00", "!want day 1 to day 31"},
		"before patch tuesday":    {"patch-tuesday-1 22:00-04:00", "!want 0 to 27 days"},
		"far after patch tuesday": {"patch-tuesday+28 22:00-04:00", "!want 0 to 27 days"},
		"one of several":          {"tue 22:00-04:00; wen 22:00-04:00", `!window "wen 22:00-04:00"`},
		"empty entry of days":     {"tue,,thu 22:00-04:00", `!"" is not a day`},
		"other digits":            {"tue ٢٢:00-04:00", "!is not a time of day"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseWindows(tt.in)
			if want, ok := strings.CutPrefix(tt.want, "!"); ok {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("ParseWindows(%q) = %q, %v; want an error with %q", tt.in, got, err, want)
				}
				return
			}
			if err != nil || got.String() != tt.want {
				t.Fatalf("ParseWindows(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
			}
		})
	}
}

func TestParseFreeze(t *testing.T) {
	tests := map[string]string{
		"":                       "",
		"2026-12-24":             "2026-12-24",
		"2026-12-24..2026-12-24": "2026-12-24",
		"2026-12-20 .. 2027-01-04, 2027-05-01\n2028-02-29": "2026-12-20..2027-01-04, 2027-05-01, 2028-02-29",
		"2027-01-04..2026-12-20":                           "!2026-12-20 is before 2027-01-04; example:",
		"24.12.2026":                                       "!is not a date such as 2026-12-20",
		"2027-02-29":                                       "!is not a date",
		"2026-12-20..":                                     `!"" is not a date`,
	}
	for in, want := range tests {
		got, err := ParseFreeze(in)
		if want, ok := strings.CutPrefix(want, "!"); ok {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("ParseFreeze(%q) = %q, %v; want an error with %q", in, got, err, want)
			}
		} else if err != nil || got.String() != want {
			t.Errorf("ParseFreeze(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestSettingsAreBounded(t *testing.T) {
	for name, s := range map[string]string{
		"bytes":   strings.Repeat(" ", maxText+1),
		"entries": strings.Repeat("1:00-2:00;", maxEntries+1),
		"days":    strings.Repeat("tue,", maxEntries) + "tue 1:00-2:00",
	} {
		if _, err := ParseWindows(s); !errors.Is(err, waptwua.ErrLimit) {
			t.Errorf("too many %s: %v", name, err)
		}
	}
	if _, err := ParseFreeze(strings.Repeat("2026-01-01,", maxEntries+1)); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("too many frozen spans: %v", err)
	}
}

func TestParseCatchUp(t *testing.T) {
	tests := map[string]string{
		"next": "next", "NOW": "now", " deadline  3d ": "deadline 3d", "deadline 3": "deadline 3d", "deadline 36h": "deadline 36h",
		"": "", "deadline": "", "deadline 0": "", "later": "", "now 3d": "", "next now": "", "deadline soon": "",
	}
	for in, want := range tests {
		got, err := ParseCatchUp(in)
		if (err != nil) != (want == "") || err == nil && got.String() != want {
			t.Errorf("ParseCatchUp(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

// zone loads a zone by its name.
func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// calendar parses what is known to be good.
func calendar(t testing.TB, windows, freeze string) *Calendar {
	t.Helper()
	w, err := ParseWindows(windows)
	if err != nil {
		t.Fatal(err)
	}
	f, err := ParseFreeze(freeze)
	if err != nil {
		t.Fatal(err)
	}
	return &Calendar{Windows: w, Frozen: f}
}

// clockTime is the form of moments in the tables below.
const clockTime = "2006-01-02 15:04 -0700"

func at(t testing.TB, s string, loc *time.Location) time.Time {
	t.Helper()
	v, err := time.Parse(clockTime, s)
	if err != nil {
		v, err = time.ParseInLocation("2006-01-02 15:04", s, loc)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v.In(loc)
}

func TestNextOpening(t *testing.T) {
	tests := map[string]struct {
		zone, windows, freeze string
		after                 string
		from, to              string // empty: never
	}{
		"weekly":                       {"Europe/Paris", "tue,thu 22:00-04:00", "", "2026-11-23 12:00", "2026-11-24 22:00 +0100", "2026-11-25 04:00 +0100"},
		"strictly after":               {"Europe/Paris", "tue,thu 22:00-04:00", "", "2026-11-24 22:00", "2026-11-26 22:00 +0100", "2026-11-27 04:00 +0100"},
		"second tuesday":               {"Europe/Paris", "2nd tue 22:00-04:00", "", "2026-11-23 12:00", "2026-12-08 22:00 +0100", "2026-12-09 04:00 +0100"},
		"second tuesday on the 14th":   {"Europe/Paris", "2nd tue 22:00-04:00", "", "2026-07-01 12:00", "2026-07-14 22:00 +0200", "2026-07-15 04:00 +0200"},
		"last sunday of february":      {"Europe/Paris", "last sun 08:00-20:00", "", "2026-02-01 12:00", "2026-02-22 08:00 +0100", "2026-02-22 20:00 +0100"},
		"third thursday after patches": {"Asia/Tokyo", "patch-tuesday+9 22:00-04:00", "", "2026-11-01 00:00", "2026-11-19 22:00 +0900", "2026-11-20 04:00 +0900"},
		"patch tuesday of last month":  {"Asia/Tokyo", "patch-tuesday+25 22:00-04:00", "", "2026-12-01 00:00", "2026-12-05 22:00 +0900", "2026-12-06 04:00 +0900"},
		"day 31 in april":              {"Asia/Tokyo", "day 31 22:00-04:00", "", "2026-04-01 00:00", "2026-04-30 22:00 +0900", "2026-05-01 04:00 +0900"},
		"day 30 in february":           {"Asia/Tokyo", "day 30 22:00-04:00", "", "2027-02-01 00:00", "2027-02-28 22:00 +0900", "2027-03-01 04:00 +0900"},
		"last day of a leap year":      {"Asia/Tokyo", "last day 22:00-04:00", "", "2028-02-01 00:00", "2028-02-29 22:00 +0900", "2028-03-01 04:00 +0900"},
		"over the year's end":          {"Asia/Tokyo", "day 31 22:00-04:00", "", "2026-12-30 00:00", "2026-12-31 22:00 +0900", "2027-01-01 04:00 +0900"},
		"freeze":                       {"Europe/Paris", "tue,thu 22:00-04:00", "2026-11-24..2026-12-25", "2026-11-23 12:00", "2026-12-29 22:00 +0100", "2026-12-30 04:00 +0100"},
		"freeze begins within":         {"Europe/Paris", "tue 22:00-04:00", "2026-11-25", "2026-11-23 12:00", "2026-11-24 22:00 +0100", "2026-11-25 00:00 +0100"},
		"freeze ends within":           {"Europe/Paris", "tue 22:00-04:00", "2026-11-24", "2026-11-23 12:00", "2026-11-25 00:00 +0100", "2026-11-25 04:00 +0100"},
		"never without windows":        {"Europe/Paris", "", "", "2026-11-23 12:00", "", ""},
		"frozen for ever":              {"Europe/Paris", "daily 00:00-24:00", "2026-01-01..9999-12-31", "2026-11-23 12:00", "", ""},

		"the change shortens":            {"Europe/Paris", "sat 22:00-04:00", "", "2026-03-28 00:00", "2026-03-28 22:00 +0100", "2026-03-29 04:00 +0200"},
		"the change lengthens":           {"Europe/Paris", "sat 22:00-04:00", "", "2026-10-24 00:00", "2026-10-24 22:00 +0200", "2026-10-25 04:00 +0100"},
		"begins at a skipped time":       {"Europe/Paris", "sun 02:30-05:00", "", "2026-03-28 12:00", "2026-03-29 03:00 +0200", "2026-03-29 05:00 +0200"},
		"ends at a skipped time":         {"Europe/Paris", "sun 00:00-02:30", "", "2026-03-28 12:00", "2026-03-29 00:00 +0100", "2026-03-29 03:00 +0200"},
		"skipped as a whole":             {"Europe/Paris", "last sun 02:00-03:00", "", "2026-03-01 12:00", "2026-03-29 03:00 +0200", "2026-03-29 04:00 +0200"},
		"begins at a time shown twice":   {"Europe/Paris", "sun 02:30-05:00", "", "2026-10-24 12:00", "2026-10-25 02:30 +0200", "2026-10-25 05:00 +0100"},
		"ends at a time shown twice":     {"Europe/Paris", "sun 00:00-02:30", "", "2026-10-24 12:00", "2026-10-25 00:00 +0200", "2026-10-25 02:30 +0200"},
		"within a time shown twice":      {"Europe/Paris", "sun 02:10-02:40", "", "2026-10-24 12:00", "2026-10-25 02:10 +0200", "2026-10-25 02:40 +0200"},
		"New York in spring":             {"America/New_York", "sun 02:00-03:00", "", "2026-03-07 12:00", "2026-03-08 03:00 -0400", "2026-03-08 04:00 -0400"},
		"half an hour skipped":           {"Australia/Lord_Howe", "sun 02:10-04:00", "", "2026-10-03 12:00", "2026-10-04 02:30 +1100", "2026-10-04 04:00 +1100"},
		"half an hour twice":             {"Australia/Lord_Howe", "sun 01:45-03:00", "", "2026-04-04 12:00", "2026-04-05 01:45 +1100", "2026-04-05 03:00 +1030"},
		"midnight is skipped":            {"America/Santiago", "sun 00:00-04:00", "", "2026-09-05 12:00", "2026-09-06 01:00 -0300", "2026-09-06 04:00 -0300"},
		"freeze from a skipped midnight": {"America/Santiago", "sat 22:00-04:00", "2026-09-06", "2026-09-05 12:00", "2026-09-05 22:00 -0400", "2026-09-06 01:00 -0300"},
		"a day is skipped":               {"Pacific/Apia", "fri 08:00-10:00", "", "2011-12-29 12:00", "2011-12-31 00:00 +1400", "2011-12-31 02:00 +1400"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			loc := zone(t, tt.zone)
			got, ok := calendar(t, tt.windows, tt.freeze).Next(at(t, tt.after, loc), loc)
			if !ok {
				if tt.from != "" {
					t.Fatal("never opens")
				}
				return
			}
			if from, to := got.From.In(loc).Format(clockTime), got.To.In(loc).Format(clockTime); from != tt.from || to != tt.to {
				t.Fatalf("opens %s to %s, want %s to %s", from, to, tt.from, tt.to)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	tests := map[string]struct {
		windows, freeze string
		at              string
		from, to        string // empty: closed
	}{
		"at the beginning":         {"tue 22:00-04:00", "", "2026-11-24 22:00", "2026-11-24 22:00", "2026-11-25 04:00"},
		"after midnight":           {"tue 22:00-04:00", "", "2026-11-25 03:59", "2026-11-24 22:00", "2026-11-25 04:00"},
		"at the end":               {"tue 22:00-04:00", "", "2026-11-25 04:00", "", ""},
		"other day":                {"tue 22:00-04:00", "", "2026-11-24 03:00", "", ""},
		"one follows upon another": {"sat 20:00-24:00; sun 00:00-06:00", "", "2026-11-28 23:50", "2026-11-28 20:00", "2026-11-29 06:00"},
		"one within another":       {"sat 20:00-06:00; sat 21:00-22:00", "", "2026-11-28 21:30", "2026-11-28 21:00", "2026-11-29 06:00"},
		"always":                   {"daily 00:00-24:00", "", "2026-11-28 23:50", "2026-11-28 00:00", "2026-12-06 23:50"},
		"always, until it freezes": {"daily 00:00-24:00", "2026-11-30", "2026-11-28 23:50", "2026-11-28 00:00", "2026-11-30 00:00"},
		"frozen":                   {"daily 00:00-24:00", "2026-11-28..2026-11-29", "2026-11-28 23:50", "", ""},
		"frozen since midnight":    {"tue 22:00-04:00", "2026-11-25", "2026-11-25 00:00", "", ""},
		"thawed since midnight":    {"tue 22:00-04:00", "2026-11-24", "2026-11-25 00:00", "2026-11-25 00:00", "2026-11-25 04:00"},
		"the first is behind":      {"mon 20:00-21:00; mon 20:30-23:00", "", "2026-11-23 22:00", "2026-11-23 20:30", "2026-11-23 23:00"},
	}
	loc := zone(t, "Europe/Paris")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			now := at(t, tt.at, loc).UTC() // the location of the moment does not matter
			got, ok := calendar(t, tt.windows, tt.freeze).Open(now, loc)
			if ok != (tt.from != "") {
				t.Fatalf("open: %v %v", ok, got)
			}
			if ok && (!got.From.Equal(at(t, tt.from, loc)) || !got.To.Equal(at(t, tt.to, loc))) {
				t.Fatalf("open from %v to %v, want %s to %s", got.From, got.To, tt.from, tt.to)
			}
		})
	}
}
