package schedule

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waptwua"
)

func TestParseDuration(t *testing.T) {
	tests := map[string]struct {
		in   string
		unit time.Duration
		want time.Duration // negative: an error
	}{
		"seconds":                {"90s", Day, 90 * time.Second},
		"minutes":                {"120m", Day, 2 * time.Hour},
		"hours":                  {"2h", Day, 2 * time.Hour},
		"days":                   {"7d", time.Minute, 7 * Day},
		"weeks":                  {"1w", time.Minute, Week},
		"upper case and blanks":  {" 2 H ", Day, 2 * time.Hour},
		"bare number of minutes": {"10", time.Minute, 10 * time.Minute},
		"bare number of days":    {"7", Day, 7 * Day},
		"zero":                   {"0", Day, 0},
		"ten years":              {"3650d", Day, MaxDuration},
		"more than ten years":    {"3651d", Day, -1},
		"more than 64 bits":      {"99999999999999999999s", Day, -1},
		"overflow of the unit":   {"9223372036854775807w", Day, -1},
		"empty":                  {"", Day, -1},
		"unit alone":             {"d", Day, -1},
		"negative":               {"-7d", Day, -1},
		"signed":                 {"+7d", Day, -1},
		"fraction":               {"1.5h", Day, -1},
		"two units":              {"1h30m", Day, -1},
		"other unit":             {"7y", Day, -1},
		"words":                  {"7 days", Day, -1},
		"none":                   {"None", Day, -1},
		"other digits":           {"٧d", Day, -1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseDuration(tt.in, tt.unit)
			if (err != nil) != (tt.want < 0) || err == nil && got != tt.want {
				t.Fatalf("ParseDuration(%q) = %v, %v; want %v", tt.in, got, err, tt.want)
			}
		})
	}
}

func TestParseDurationNamesTheLimit(t *testing.T) {
	if _, err := ParseDuration("4000d", Day); !errors.Is(err, waptwua.ErrLimit) {
		t.Fatalf("got %v, want waptwua.ErrLimit", err)
	}
}

func TestFormatIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(MaxDuration/time.Second)).Draw(t, "seconds")) * time.Second
		got, err := ParseDuration(Format(d), Day)
		if err != nil || got != d {
			t.Fatalf("%v as %q reads as %v, %v", d, Format(d), got, err)
		}
	})
}

func TestParsePeriod(t *testing.T) {
	for _, s := range []string{"", "None", "none", " NONE "} {
		if p, err := ParsePeriod(s, Day); err != nil || !p.Never() || p.String() != "None" {
			t.Errorf("ParsePeriod(%q) = %v, %v; want never", s, p, err)
		}
	}
	if p, err := ParsePeriod("120m", Day); err != nil || p.Duration() != 2*time.Hour || p.String() != "2h" {
		t.Errorf("ParsePeriod(120m) = %v, %v", p, err)
	}
	for _, s := range []string{"0", "0d", "soon"} {
		if p, err := ParsePeriod(s, Day); err == nil {
			t.Errorf("ParsePeriod(%q) = %v, want an error", s, p)
		}
	}
}

func TestDue(t *testing.T) {
	now := time.Date(2026, 3, 29, 2, 30, 0, 0, time.UTC)
	tests := map[string]struct {
		last time.Time
		p    Period
		want bool
	}{
		"never done":                {time.Time{}, Every(time.Hour), true},
		"never done, never wanted":  {time.Time{}, Period{}, false},
		"just done":                 {now, Every(time.Hour), false},
		"a moment too early":        {now.Add(-time.Hour + 1), Every(time.Hour), false},
		"exactly one period ago":    {now.Add(-time.Hour), Every(time.Hour), true},
		"long ago":                  {now.AddDate(-3, 0, 0), Every(Week), true},
		"long ago, never wanted":    {now.AddDate(-3, 0, 0), Period{}, false},
		"in the future: clock back": {now.AddDate(1, 0, 0), Every(time.Hour), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Due(tt.last, now, tt.p); got != tt.want {
				t.Fatalf("Due(%v, every %v) = %v, want %v", tt.last, tt.p, got, tt.want)
			}
		})
	}
}

func TestNextAgreesWithDue(t *testing.T) {
	base := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		last := base.Add(time.Duration(rapid.Int64Range(-1e6, 1e6).Draw(t, "last")) * time.Second)
		p := Every(time.Duration(rapid.Int64Range(1, 1e6).Draw(t, "period")) * time.Second)
		next := Next(last, base, p)
		if !Due(last, next, p) {
			t.Fatalf("not due at %v, which Next gives", next)
		}
		if next.After(base) && Due(last, next.Add(-1), p) {
			t.Fatalf("due before %v, which Next gives", next)
		}
	})
	if next := Next(base, base, Period{}); !next.IsZero() {
		t.Errorf("Next of never is %v", next)
	}
}

func TestJitterSpreadsNeighbours(t *testing.T) {
	const hosts, slots = 4000, 20
	var count [slots]int
	for i := range hosts {
		j := Jitter(fmt.Sprintf("00000000-0000-4000-8000-%012d", i), time.Hour)
		if j < 0 || j >= time.Hour {
			t.Fatalf("host %d: %v is outside the hour", i, j)
		}
		count[int(j*slots/time.Hour)]++
	}
	for i, n := range count {
		if n < hosts/slots/2 || n > hosts/slots*2 {
			t.Errorf("slot %d of %d holds %d of %d hosts", i, slots, n, hosts)
		}
	}
}

func TestJitterIsAFunctionOfTheHost(t *testing.T) {
	const host = "6C209660-AAAA-4bbb-8ccc-0123456789ab"
	if a, b := Jitter(host, time.Hour), Jitter("6c209660-aaaa-4bbb-8ccc-0123456789ab", time.Hour); a != b {
		t.Errorf("the case of the UUID changes it: %v, %v", a, b)
	}
	if j := Jitter(host, 0); j != 0 {
		t.Errorf("no spread gives %v", j)
	}
}
