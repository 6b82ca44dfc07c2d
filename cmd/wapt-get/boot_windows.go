package main

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// timeOfDay is SYSTEM_TIMEOFDAY_INFORMATION as far as Windows documents its
// size (48 bytes); times are in units of 100 ns since 1601, UTC.
type timeOfDay struct {
	bootTime windows.Filetime
	_        [40]byte
}

// bootTime is when this Windows was started. Windows moves it when the clock
// is set, but not when the clock is made to run faster or slower, as time
// synchronisation does all the time: "now less the time since" would drift by
// seconds a day, and each start looks like another one to the agent then.
func bootTime() (time.Time, error) {
	var t timeOfDay
	err := windows.NtQuerySystemInformation(windows.SystemTimeOfDayInformation, unsafe.Pointer(&t), uint32(unsafe.Sizeof(t)), nil)
	if err != nil {
		return time.Time{}, fmt.Errorf("when Windows was started: %w", err)
	}
	return time.Unix(0, t.bootTime.Nanoseconds()), nil
}
