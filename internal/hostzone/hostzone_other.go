//go:build !windows

package hostzone

import "time"

// Now is the host's time zone.
func Now() *time.Location { return time.Local }
