package main

import (
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/transport"
)

// TestTold: a command claims what happened, and no more.
func TestTold(t *testing.T) {
	began := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	on := func(s waptwua.Status, p waptwua.Phase, at time.Duration) waptwua.OnHost {
		return waptwua.OnHost{Status: s, Steps: []waptwua.Step{{Phase: p, At: began.Add(at)}}}
	}
	before, after := on(waptwua.StatusOK, waptwua.PhaseVerified, -time.Hour), on(waptwua.StatusOK, waptwua.PhaseVerified, time.Minute)
	restart := on(waptwua.StatusReboot, waptwua.PhaseWaiting, time.Minute)
	missing, ready := on(waptwua.StatusMissing, waptwua.PhaseNeeded, 0), on(waptwua.StatusPending, waptwua.PhaseDownloaded, 0)
	for name, c := range map[string]struct {
		told    told
		updates []waptwua.OnHost
		want    string
	}{
		"nothing to download":    {toldDownload, []waptwua.OnHost{before, {Status: waptwua.StatusOK}}, "nothing to download"},
		"downloaded":             {toldDownload, []waptwua.OnHost{ready, ready}, "downloaded: the files of 2 updates"},
		"missing":                {toldDownload, []waptwua.OnHost{missing}, "nothing could be downloaded: 1 update waits for files that the server does not have yet"},
		"some missing":           {toldDownload, []waptwua.OnHost{ready, missing, missing}, "downloaded: the files of 1 update; 2 updates wait for files that the server does not have yet"},
		"nothing installed":      {toldInstall, []waptwua.OnHost{before, {Status: waptwua.StatusOK}}, "nothing was installed"},
		"installed":              {toldInstall, []waptwua.OnHost{before, after, restart}, "installed: 2 updates"},
		"not installed, missing": {toldInstall, []waptwua.OnHost{before, missing}, "nothing was installed: 1 update waits for files that the server does not have yet"},
		"one, and one missing":   {toldInstall, []waptwua.OnHost{after, missing}, "installed: 1 update; 1 update waits for files that the server does not have yet"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &agent.Status{State: transport.State{Updates: map[waptwua.UpdateID]waptwua.OnHost{}}}
			for i, u := range c.updates {
				u.ID = waptwua.UpdateID{GUID: "00000000-0000-0000-0000-000000000001", Revision: i}
				s.State.Updates[u.ID] = u
			}
			if got := c.told(s, began); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
