package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/transport"
	"waptwua/wua"
)

// failedStatus is the status of a host on which one update failed.
func failedStatus() *agent.Status {
	id := waptwua.UpdateID{GUID: "00000000-0000-4000-8000-000000000001", Revision: 1}
	f := wua.Failure(wua.IncorrectFileHash, time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC), 2)
	return &agent.Status{
		State:   transport.State{Updates: map[waptwua.UpdateID]waptwua.OnHost{id: {ID: id, Status: waptwua.StatusError, Failure: &f}}},
		Updates: map[waptwua.UpdateID]waptwua.Update{id: {Title: "An update", KBs: []waptwua.KB{5031234}}},
	}
}

// TestFailuresAreWhole: whoever reads the status or a support bundle sees the
// code and the name of a failure, what happened and what to do.
func TestFailuresAreWhole(t *testing.T) {
	s := failedStatus()
	var status bytes.Buffer
	if err := table(&status, s, false); err != nil {
		t.Fatal(err)
	}
	m := wua.Lookup(wua.IncorrectFileHash)
	for name, text := range map[string]string{"status": status.String(), "bundle": failures(s)} {
		if want := "0x80246002 WU_E_DM_INCORRECTFILEHASH: " + m.Sentence + " " + m.Remedy; !strings.Contains(text, want) {
			t.Errorf("%s says %q, want %q", name, text, want)
		}
	}
}
