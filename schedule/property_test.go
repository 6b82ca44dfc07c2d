package schedule

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// zones are those that the properties are tried in: clocks that change in
// both hemispheres, by an hour and by half an hour, at night and at midnight,
// and clocks that never do.
var zones = []string{
	"Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo", "Pacific/Chatham", "Asia/Tokyo", "UTC",
}

func drawZone(t *rapid.T) *time.Location {
	loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// drawTime gives any moment of ten years, with changes of clocks as often as
// all the rest.
func drawTime(t *rapid.T, loc *time.Location) time.Time {
	at := time.Unix(rapid.Int64Range(1735689600, 2051222400).Draw(t, "moment"), 0) // 2025 to 2034
	if _, change := at.In(loc).ZoneBounds(); !change.IsZero() && rapid.Bool().Draw(t, "near a change") {
		at = change.Add(time.Duration(rapid.IntRange(-2*86400, 2*86400).Draw(t, "from the change")) * time.Second)
	}
	return at
}

func drawHours(t *rapid.T) string {
	minute := rapid.IntRange(0, 95)
	a, b := minute.Draw(t, "from")*15, minute.Draw(t, "to")*15
	return fmt.Sprintf("%02d:%02d-%02d:%02d", a/60, a%60, b/60, b%60)
}

func drawDay(t *rapid.T) string {
	weekday := rapid.SampledFrom([]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
	switch rapid.IntRange(0, 4).Draw(t, "kind of day") {
	case 0:
		return weekday.Draw(t, "weekday")
	case 1:
		return weekday.Draw(t, "first") + "-" + weekday.Draw(t, "last")
	case 2:
		return rapid.SampledFrom([]string{"1st", "2nd", "3rd", "4th", "last"}).Draw(t, "n") + " " + weekday.Draw(t, "weekday")
	case 3:
		return fmt.Sprintf("day %d", rapid.IntRange(1, 31).Draw(t, "day"))
	}
	return fmt.Sprintf("patch-tuesday+%d", rapid.IntRange(0, maxAfterPatchTuesday).Draw(t, "days after"))
}

func drawWindows(t *rapid.T) Windows {
	var text []string
	for range rapid.IntRange(1, 3).Draw(t, "windows") {
		days := rapid.SliceOfN(rapid.Custom(drawDay), 0, 3).Draw(t, "days")
		text = append(text, strings.Join(days, ",")+" "+drawHours(t))
	}
	w, err := ParseWindows(strings.Join(text, ";"))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// drawFreeze gives none, or up to two spans within the ten years.
func drawFreeze(t *rapid.T) Freeze {
	var f Freeze
	for range rapid.IntRange(0, 2).Draw(t, "frozen spans") {
		first := newDate(2025, time.January, 1) + date(rapid.IntRange(0, 3650).Draw(t, "first"))
		f = append(f, Dates{first: first, last: first + date(rapid.IntRange(0, 60).Draw(t, "length"))})
	}
	return f
}

func drawCalendar(t *rapid.T) *Calendar {
	return &Calendar{Windows: drawWindows(t), Frozen: drawFreeze(t)}
}

func TestWindowsAreReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, f := drawWindows(t), drawFreeze(t)
		if got, err := ParseWindows(w.String()); err != nil || !reflect.DeepEqual(got, w) {
			t.Fatalf("%q is read as %q, %v", w, got, err)
		}
		if got, err := ParseFreeze(f.String()); err != nil || !reflect.DeepEqual(got, f) {
			t.Fatalf("%q is read as %q, %v", f, got, err)
		}
	})
}

// TestInstantAgreesWithTheClocks compares instant with clocks that are looked
// at every quarter of an hour over a year.
func TestInstantAgreesWithTheClocks(t *testing.T) {
	for _, name := range zones {
		loc := zone(t, name)
		begin := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
		shows := map[string]time.Time{} // the first moment at which the clocks show this
		var moments []time.Time
		for m := begin.AddDate(0, 0, -2); m.Before(begin.AddDate(1, 0, 2)); m = m.Add(15 * time.Minute) {
			moments = append(moments, m)
			if s := m.In(loc).Format("2006-01-02 15:04"); shows[s].IsZero() {
				shows[s] = m
			}
		}
		skipped := 0
		for d := newDate(2026, time.January, 1); d < newDate(2027, time.January, 1); d++ {
			for c := clock(0); c < endOfDay; c += 15 {
				want, ok := shows[d.String()+" "+c.String()]
				if !ok {
					skipped++
					want = firstAfter(moments, d.String()+" "+c.String(), loc)
				}
				if got := d.instant(c, loc); !got.Equal(want) {
					t.Fatalf("%s: %v %v is %v, want %v", name, d, c, got, want.In(loc))
				}
			}
		}
		if _, offset := begin.In(loc).Zone(); skipped == 0 && name != "UTC" && name != "Asia/Tokyo" {
			t.Errorf("%s (%d): no time was skipped; the test is about those", name, offset)
		}
	}
}

// firstAfter is the first moment at which the clocks show more than s.
func firstAfter(moments []time.Time, s string, loc *time.Location) time.Time {
	for _, m := range moments {
		if m.In(loc).Format("2006-01-02 15:04") > s {
			return m
		}
	}
	return time.Time{}
}

// oracle tells by the clock on the wall whether a window is open; it knows
// nothing of changes of clocks.
func (c *Calendar) oracle(t time.Time) bool {
	today := t.Format(time.DateOnly)
	for _, f := range c.Frozen {
		if today >= f.first.String() && today <= f.last.String() {
			return false
		}
	}
	now := clock(t.Hour()*60 + t.Minute())
	for _, w := range c.Windows {
		overnight := w.to <= w.from
		if w.oracle(t) && now >= w.from && (overnight || now < w.to) {
			return true
		}
		if w.oracle(t.AddDate(0, 0, -1)) && overnight && now < w.to {
			return true
		}
	}
	return false
}

// oracle reads the words of the days again, and counts by package time.
func (w Window) oracle(t time.Time) bool {
	for _, item := range strings.Split(w.String(), ",") {
		if dayOracle(item, t) {
			return true
		}
	}
	return false
}

// dayOracle tells whether t is on the day that the text names; hours behind
// it do not matter.
func dayOracle(item string, t time.Time) bool {
	words := strings.Fields(item)
	short := strings.ToLower(t.Format("Mon"))
	switch {
	case words[0] == "daily":
		return true
	case words[0] == "last" && words[1] == "day":
		return t.AddDate(0, 0, 1).Day() == 1
	case words[0] == "last":
		return words[1] == short && t.AddDate(0, 0, 7).Month() != t.Month()
	case words[0] == "day":
		var n int
		_, _ = fmt.Sscan(words[1], &n)
		return t.Day() == n || t.Day() < n && t.AddDate(0, 0, 1).Day() == 1
	case strings.HasPrefix(words[0], "patch-tuesday"):
		var n int
		_, _ = fmt.Sscanf(words[0], "patch-tuesday+%d", &n)
		second := t.AddDate(0, 0, -n)
		return second.Weekday() == time.Tuesday && second.Day() >= 8 && second.Day() <= 14
	case len(words) > 1 && strings.Contains("1st 2nd 3rd 4th", words[0]):
		return words[1] == short && t.Day() > 7*int(words[0][0]-'1') && t.Day() <= 7*int(words[0][0]-'0')
	}
	return words[0] == short
}

func TestOpenAgreesWithTheClockOnTheWall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc, c := drawZone(t), drawCalendar(t)
		now := drawTime(t, loc).In(loc)
		_, before := now.AddDate(0, 0, -3).Zone()
		_, after := now.AddDate(0, 0, 3).Zone()
		if before != after {
			t.Skip("a change of clocks is near")
		}
		noon := time.Date(now.Year(), now.Month(), now.Day(), now.Hour(), now.Minute(), now.Second(), 0, time.UTC)
		if _, open := c.Open(now, loc); open != c.oracle(noon) {
			t.Fatalf("%v at %v: open is %v", c, now, open)
		}
	})
}

// Whatever the clocks do: an opening is open from its beginning to its end
// and not longer, and never on a frozen day.
func TestOpeningIsOpenToItsEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc, c := drawZone(t), drawCalendar(t)
		now := drawTime(t, loc)
		s, open := c.Open(now, loc)
		if !open {
			return
		}
		if !s.Contains(now) || c.FrozenAt(now, loc) {
			t.Fatalf("%v at %v is open in %v", c, now, s)
		}
		within := now.Add(time.Duration(rapid.Int64Range(0, int64(s.To.Sub(now)-1)).Draw(t, "later")))
		if _, open := c.Open(within, loc); !open {
			t.Fatalf("%v: open at %v to %v, closed at %v", c, now, s.To, within)
		}
		if _, open := c.Open(s.To, loc); open && s.To.Before(now.AddDate(0, 0, together)) {
			t.Fatalf("%v: still open at its end %v", c, s.To)
		}
		if _, open := c.Open(s.From, loc); !open {
			t.Fatalf("%v: not open at its beginning %v", c, s.From)
		}
	})
}

// Nothing opens between a moment and the opening that Next gives for it.
func TestNextIsTheFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc, c := drawZone(t), drawCalendar(t)
		now := drawTime(t, loc)
		s, ok := c.Next(now, loc)
		if !ok || !s.From.After(now) || !s.To.After(s.From) || s.Length() > 26*time.Hour {
			t.Fatalf("%v: after %v comes %v %v", c, now, s, ok)
		}
		between := now.Add(time.Duration(rapid.Int64Range(0, int64(s.From.Sub(now)-1)).Draw(t, "later")))
		if again, _ := c.Next(between, loc); !again.From.Equal(s.From) {
			t.Fatalf("%v: after %v comes %v, but after %v comes %v", c, now, s, between, again)
		}
		if open, ok := c.Open(between, loc); ok && open.From.After(now) {
			t.Fatalf("%v: %v opens after %v and before %v", c, open, now, s)
		}
		whole, _ := c.Open(s.From, loc)
		if missed, ok := c.Missed(now, whole.To, loc); !ok || missed != (Span{s.From, whole.To}) {
			t.Fatalf("%v: missed at its end %v: %v %v", c, whole.To, missed, ok)
		}
		if _, ok := c.Missed(now, whole.To.Add(-1), loc); ok {
			t.Fatalf("%v: missed before its end %v", c, whole.To)
		}
	})
}

// Every window opens in every month, on exactly the days that it names: none
// is lost to a short month or to a change of clocks, and none doubled.
func TestEveryMonthHasItsWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := drawZone(t)
		w := drawWindows(t)[:1]
		c := &Calendar{Windows: w}
		year := rapid.IntRange(2024, 2033).Draw(t, "year")
		for month := time.January; month <= time.December; month++ {
			named := 0
			for day := time.Date(year, month, 1, 12, 0, 0, 0, time.UTC); day.Month() == month; day = day.AddDate(0, 0, 1) {
				if w[0].oracle(day) {
					named++
				}
			}
			got := 0
			for d := newDate(year, month, 1); d < newDate(year, month+1, 1); d++ {
				got += len(c.spans(d, loc))
			}
			if got != named || got == 0 && !strings.Contains(w.String(), "patch-tuesday") {
				t.Fatalf("%v in %v %d: %d openings on %d days", c, month, year, got, named)
			}
		}
	})
}

// A search ends, whatever is frozen.
func TestNextEnds(t *testing.T) {
	c := calendar(t, "daily 00:00-24:00;last sun 02:00-03:00", "2026-01-01..9999-12-31")
	if s, ok := c.Next(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), time.UTC); ok {
		t.Errorf("opens %v", s)
	}
	c = calendar(t, "last day 23:00-24:00", "2026-01-01..2029-11-30")
	if s, ok := c.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.UTC); !ok || s.From != time.Date(2029, 12, 31, 23, 0, 0, 0, time.UTC) {
		t.Errorf("after almost four years: %v %v", s, ok)
	}
}

func FuzzParseWindows(f *testing.F) {
	for _, s := range []string{"tue,thu 22:00-04:00", "2nd tue,last sun 0:00-24:00;patch-tuesday + 3 1:15-1:15\n", "day 31, last day 22:00-00:00", "mon-sun 5:00-4:59", "5th fri 1:00-2:00"} {
		f.Add(s)
	}
	at := time.Date(2026, time.March, 28, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		w, err := ParseWindows(s)
		if err != nil {
			return
		}
		again, err := ParseWindows(w.String())
		if err != nil && len(w.String()) <= maxText || err == nil && !reflect.DeepEqual(again, w) {
			t.Fatalf("%q is %q, which is read as %q, %v", s, w, again, err)
		}
		next, ok := (&Calendar{Windows: w}).Next(at, zone(t, "Europe/Paris"))
		if ok != (len(w) > 0) || ok && !next.From.After(at) {
			t.Fatalf("%q: opens %v %v", w, next, ok)
		}
	})
}

func FuzzParseFreeze(f *testing.F) {
	f.Add("2026-12-20..2027-01-04, 2027-05-01")
	f.Add("2028-02-29;\n9999-12-31")
	f.Fuzz(func(t *testing.T, s string) {
		dates, err := ParseFreeze(s)
		if err != nil {
			return
		}
		if again, err := ParseFreeze(dates.String()); len(dates.String()) <= maxText && (err != nil || !reflect.DeepEqual(again, dates)) {
			t.Fatalf("%q is %q, which is read as %q, %v", s, dates, again, err)
		}
		for _, d := range dates {
			if s := d.span(time.UTC); s.Length() < Day || !(&Calendar{Frozen: dates}).FrozenAt(s.From, time.UTC) {
				t.Fatalf("%q: %v", d, s)
			}
		}
	})
}
