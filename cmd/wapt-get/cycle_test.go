package main

import (
	"errors"
	"path/filepath"
	"testing"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/agenttest"
	"waptwua/agent/journal"
	"waptwua/agent/local"
	"waptwua/agent/settings"
	"waptwua/transport"
)

// The exit code of a command for some updates is about these.
func TestFailedIsAboutTheUpdatesAskedFor(t *testing.T) {
	dir := t.TempDir()
	good := waptwua.UpdateID{GUID: "00000000-0000-4000-8000-000000000001", Revision: 1}
	bad := waptwua.UpdateID{GUID: "00000000-0000-4000-8000-000000000002", Revision: 1}
	state := transport.State{Updates: map[waptwua.UpdateID]waptwua.OnHost{
		good: {ID: good, Status: waptwua.StatusOK}, bad: {ID: bad, Status: waptwua.StatusError},
	}}
	if err := journal.Save(filepath.Join(dir, "state.json"), map[string]any{"state": state}); err != nil {
		t.Fatal(err)
	}
	ag, err := agent.New(agent.Options{Dir: dir, WUA: &agenttest.Host{Dir: dir}, Settings: func() (*settings.Settings, error) { return &settings.Settings{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ids  []waptwua.UpdateID
		want error
	}{
		{nil, local.ErrUpdateFailed},
		{[]waptwua.UpdateID{good}, nil},
		{[]waptwua.UpdateID{good, bad}, local.ErrUpdateFailed},
	} {
		if err := failed(ag, c.ids); !errors.Is(err, c.want) {
			t.Errorf("%v: %v, want %v", c.ids, err, c.want)
		}
	}
}
