package main

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"waptwua/agent/settings"
)

// Windows is told of pre_shutdown_timeout when it changes, and only then; a
// Windows that does not listen keeps nobody from working.
func TestShutdownLimitFollowsTheSettings(t *testing.T) {
	var told []time.Duration
	l := &shutdownLimit{tell: func(d time.Duration) error { told = append(told, d); return errors.New("access denied") }}
	if d := l.now(); d != preShutdown {
		t.Errorf("%v before the settings were read", d)
	}
	s := &settings.Settings{}
	read := l.follow(func() (*settings.Settings, error) { return s, nil }, slog.New(slog.DiscardHandler))
	for _, minutes := range []time.Duration{60, 60, 480, 480, 1} {
		s.Exit.Limit = minutes * time.Minute
		if got, err := read(); got != s || err != nil {
			t.Fatalf("read %v, %v", got, err)
		}
		if l.now() != s.Exit.Limit {
			t.Errorf("%v, want %v", l.now(), s.Exit.Limit)
		}
	}
	if len(told) != 3 || told[1] != 8*time.Hour {
		t.Errorf("told Windows %v", told)
	}
}
