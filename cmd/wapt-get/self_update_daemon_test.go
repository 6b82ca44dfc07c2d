package main

import (
	"context"
	"testing"
	"time"

	"waptwua/agent"
	"waptwua/agent/agenttest"
	"waptwua/agent/settings"
	"waptwua/agent/upgrade"
	"waptwua/schedule"
	"waptwua/signing"
)

// network is a host whose network is metered, or not.
type network struct{ metered bool }

func (n network) OnBattery(context.Context) (bool, error) { return true, nil }
func (n network) Metered(context.Context) (bool, error)   { return n.metered, nil }

func TestReleaseWaitsForItsTurnAndTheNetwork(t *testing.T) {
	made := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	offer := &upgrade.Offer{Release: signing.Release{Version: "2.0", Created: made}}
	for _, c := range []struct {
		name                       string
		metered, download, waiting bool
		after, spread              time.Duration
	}{
		{name: "free network"},
		{name: "metered", metered: true, waiting: true},
		{name: "metered, allowed", metered: true, download: true},
		{name: "before its turn", spread: schedule.Day, waiting: true},
		{name: "after its turn", spread: schedule.Day, after: schedule.Day},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := &settings.Settings{DownloadOnMetered: c.download, SelfUpdate: settings.SelfUpdate{Spread: c.spread}}
			ag, err := agent.New(agent.Options{Dir: dir, WUA: &agenttest.Host{Dir: dir}, Conditions: network{c.metered}, Settings: func() (*settings.Settings, error) { return s, nil }})
			if err != nil {
				t.Fatal(err)
			}
			defer ag.Close()
			d := newDaemon(&app{now: func() time.Time { return made.Add(c.after) }}, false)
			d.agent = ag
			r := renewal{daemon: d, host: "pc1"}
			if why := r.waits(t.Context(), s, offer); (why != "") != c.waiting {
				t.Errorf("waits: %q", why)
			}
		})
	}
}
