package server

import (
	"fmt"
	"time"
)

// Settings are the choices of an operator. DefaultSettings has the defaults.
type Settings struct {
	ApproveHosts      bool          // a new host waits for an administrator
	CertValidity      time.Duration // of a host's certificate
	HostSilentAfter   time.Duration // a host not seen for so long counts as silent
	CleanUp           bool          // remove payloads that no host needs
	CleanUpGrace      time.Duration // how long they stay
	KeepRuns          time.Duration // how long runs and downloads are remembered
	MaxReportUpdates  int           // updates in one report
	MaxUpdateBytes    int           // what a host may say about one update, as JSON
	MaxHeadBytes      int           // what a host may say besides, as JSON
	MinPasswordLength int           // characters
	SessionLifetime   time.Duration // from signing in
}

// DefaultSettings returns the defaults.
func DefaultSettings() Settings {
	const day = 24 * time.Hour
	return Settings{
		CertValidity:      3650 * day,
		HostSilentAfter:   7 * day,
		CleanUp:           true,
		CleanUpGrace:      7 * day,
		KeepRuns:          30 * day,
		MaxReportUpdates:  20_000,
		MaxUpdateBytes:    64 << 10,
		MaxHeadBytes:      1 << 20,
		MinPasswordLength: 10,
		SessionLifetime:   12 * time.Hour,
	}
}

func (s Settings) check() error {
	for _, v := range []struct {
		name string
		ok   bool
	}{
		{"the validity of host certificates", s.CertValidity > 0},
		{"the time after which a host is silent", s.HostSilentAfter > 0},
		{"the grace period of clean-up", s.CleanUpGrace >= 0},
		{"the time that runs are kept", s.KeepRuns > 0},
		{"the limits of reports", s.MaxReportUpdates > 0 && s.MaxUpdateBytes > 0 && s.MaxHeadBytes > 0},
		{"the least length of passwords", s.MinPasswordLength > 0},
		{"the lifetime of sessions", s.SessionLifetime > 0},
	} {
		if !v.ok {
			return fmt.Errorf("server settings: %s must be positive", v.name)
		}
	}
	return nil
}
