package hostzone

import (
	"runtime"
	"testing"
	"time"
	_ "time/tzdata"
)

// TestLocationAgreesWithTheCity compares the rules as Windows gives them for
// 2026 with the zones of the cities, hour by hour over that year.
func TestLocationAgreesWithTheCity(t *testing.T) {
	tests := map[string]Rule{
		"Europe/Paris": {Bias: -60, DaylightBias: -60,
			Standard: Change{Month: 10, Day: 5, Hour: 3}, Daylight: Change{Month: 3, Day: 5, Hour: 2}},
		"America/New_York": {Bias: 300, DaylightBias: -60,
			Standard: Change{Month: 11, Day: 1, Hour: 2}, Daylight: Change{Month: 3, Day: 2, Hour: 2}},
		"Australia/Lord_Howe": {Bias: -630, DaylightBias: -30,
			Standard: Change{Month: 4, Day: 1, Hour: 2}, Daylight: Change{Month: 10, Day: 1, Hour: 2}},
		"America/Santiago": {Bias: 240, DaylightBias: -60,
			Standard: Change{Month: 4, Day: 1, Weekday: 6, Hour: 23, Minute: 59, Second: 59, Milli: 999},
			Daylight: Change{Month: 9, Day: 1, Weekday: 6, Hour: 23, Minute: 59, Second: 59, Milli: 999}},
		"America/St_Johns": {Bias: 210, DaylightBias: -60,
			Standard: Change{Month: 11, Day: 1, Hour: 2}, Daylight: Change{Month: 3, Day: 2, Hour: 2}},
		"Asia/Tokyo":   {Bias: -540, DaylightBias: -60},
		"Asia/Kolkata": {Bias: -330, DaylightBias: -60},
		"UTC":          {},
		"Africa/Cairo": {Bias: -120, DaylightBias: -60, // by the dates of this year
			Standard: Change{Year: 2026, Month: 10, Day: 29, Hour: 23, Minute: 59, Second: 59, Milli: 999},
			Daylight: Change{Year: 2026, Month: 4, Day: 23, Hour: 23, Minute: 59, Second: 59, Milli: 999}},
	}
	for city, rule := range tests {
		t.Run(city, func(t *testing.T) {
			want, err := time.LoadLocation(city)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Location(rule)
			if err != nil {
				t.Fatal(err)
			}
			for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() == 2026; at = at.Add(30 * time.Minute) {
				_, w := at.In(want).Zone()
				if _, g := at.In(got).Zone(); g != w {
					t.Fatalf("at %v the offset is %d, in the city %d (%s)", at, g, w, rule.posix())
				}
			}
			spring := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
			if a, b := spring.In(got).ZoneBounds(); rule.Standard.Month != 0 && (a.IsZero() || b.IsZero()) {
				t.Errorf("no changes of clocks around %v: %v, %v", spring, a, b)
			}
		})
	}
}

func TestZoneNames(t *testing.T) {
	paris, err := Location(Rule{Bias: -60, DaylightBias: -60, Standard: Change{Month: 10, Day: 5, Hour: 3}, Daylight: Change{Month: 3, Day: 5, Hour: 2}})
	if err != nil {
		t.Fatal(err)
	}
	for month, want := range map[time.Month]string{time.January: "+01", time.July: "+02"} {
		if got, _ := time.Date(2026, month, 1, 0, 0, 0, 0, paris).Zone(); got != want {
			t.Errorf("in %v the zone is called %s, want %s", month, got, want)
		}
	}
}

func TestRuleThatIsNone(t *testing.T) {
	good := Rule{Bias: -60, DaylightBias: -60, Standard: Change{Month: 10, Day: 5, Hour: 3}, Daylight: Change{Month: 3, Day: 5, Hour: 2}}
	for name, spoil := range map[string]func(*Rule){
		"bias":    func(r *Rule) { r.Bias = 2000 },
		"sum":     func(r *Rule) { r.Bias, r.DaylightBias = -1400, -60 },
		"month":   func(r *Rule) { r.Standard.Month = 13 },
		"day 0":   func(r *Rule) { r.Daylight.Day = 0 },
		"day 6":   func(r *Rule) { r.Daylight.Day = 6 },
		"weekday": func(r *Rule) { r.Daylight.Weekday = 7 },
		"hour":    func(r *Rule) { r.Standard.Hour = 25 },
	} {
		r := good
		spoil(&r)
		if loc, err := Location(r); err == nil {
			t.Errorf("%s: %+v is the zone %v", name, r, loc)
		}
	}
	if _, err := Location(good); err != nil {
		t.Error(err)
	}
}

func TestNow(t *testing.T) {
	if runtime.GOOS == "windows" && Now() == time.Local {
		t.Error("Windows gave no rule, or one that is none")
	}
	for _, month := range []time.Month{time.January, time.July} {
		at := time.Date(time.Now().Year(), month, 1, 0, 0, 0, 0, time.Local)
		_, want := at.Zone()
		if _, got := at.In(Now()).Zone(); got != want {
			t.Errorf("in %v the host is %d seconds east of Greenwich, by package time %d", month, got, want)
		}
	}
}
