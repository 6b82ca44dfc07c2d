package hostzone

import (
	"time"

	"golang.org/x/sys/windows"
)

// Now is the host's time zone. Where Windows does not tell it, it is the one
// that was in force when the program started.
func Now() *time.Location {
	var z windows.Timezoneinformation
	if _, err := windows.GetTimeZoneInformation(&z); err != nil {
		return time.Local
	}
	loc, err := Location(Rule{
		Bias: z.Bias, StandardBias: z.StandardBias, DaylightBias: z.DaylightBias,
		Standard: change(z.StandardDate), Daylight: change(z.DaylightDate),
	})
	if err != nil {
		return time.Local
	}
	return loc
}

func change(t windows.Systemtime) Change {
	return Change{
		Year: t.Year, Month: t.Month, Weekday: t.DayOfWeek, Day: t.Day,
		Hour: t.Hour, Minute: t.Minute, Second: t.Second, Milli: t.Milliseconds,
	}
}
