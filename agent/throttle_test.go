package agent

import (
	"context"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"waptwua/agent/settings"
)

type fixedClock struct{ t time.Time }

func (c *fixedClock) Now() time.Time                             { return c.t }
func (c *fixedClock) Sleep(context.Context, time.Duration) error { return nil }

func TestThrottleFollowsTheTimeOfDay(t *testing.T) {
	s, err := settings.Parse("wapt-get.ini", []byte("[global]\nlimit_bandwidth = 8\nlimit_bandwidth_hours = mon-fri 08:00-18:00 = 2 Mbit/s; 22:00-06:00 = None\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := &fixedClock{}
	th := newThrottle(c, func() *time.Location { return time.UTC })
	for _, tc := range []struct {
		at   string
		want rate.Limit
	}{
		{"2026-11-20T07:59:30Z", 1_000_000}, // a Friday
		{"2026-11-20T08:00:00Z", 250_000},
		{"2026-11-20T17:59:59Z", 250_000},
		{"2026-11-20T18:00:00Z", 1_000_000},
		{"2026-11-20T22:00:00Z", rate.Inf},
		{"2026-11-21T09:00:00Z", 1_000_000},
		{"2026-11-20T09:00:00Z", 250_000}, // the clock was set back
	} {
		if c.t, err = time.Parse(time.RFC3339, tc.at); err != nil {
			t.Fatal(err)
		}
		if th.settings == nil {
			th.use(s)
		}
		if err := th.WaitN(t.Context(), 1); err != nil || th.Limit() != tc.want {
			t.Errorf("%s: %v bytes per second, want %v (%v)", tc.at, th.Limit(), tc.want, err)
		}
	}
	th.use(&settings.Settings{})
	if th.Limit() != rate.Inf {
		t.Errorf("other settings: %v", th.Limit())
	}
}
