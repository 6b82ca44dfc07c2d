package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/agent"
	"waptwua/transport"
)

func idOf(n int) waptwua.UpdateID {
	return waptwua.UpdateID{GUID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), Revision: 1}
}

// status is a status with these updates, titled "Update N".
func status(updates ...waptwua.OnHost) *agent.Status {
	s := &agent.Status{State: transport.State{Updates: map[waptwua.UpdateID]waptwua.OnHost{}}, Updates: map[waptwua.UpdateID]waptwua.Update{}}
	for n, u := range updates {
		u.ID = idOf(n)
		s.State.Updates[u.ID] = u
		s.Updates[u.ID] = waptwua.Update{Title: fmt.Sprintf("Update %d", n)}
	}
	return s
}

func failed(attempts int) waptwua.OnHost {
	return waptwua.OnHost{Status: waptwua.StatusError, Failure: &waptwua.Failure{HResult: 0x80070070, Name: "ERROR_DISK_FULL", Sentence: "The disk is full.", Remedy: "Free space.", Attempts: attempts}}
}

func with(s *agent.Status, f func(*transport.State)) *agent.Status { f(&s.State); return s }

func TestCompare(t *testing.T) {
	pending, ok := waptwua.OnHost{Status: waptwua.StatusPending}, waptwua.OnHost{Status: waptwua.StatusOK}
	reboot := func(s *transport.State) { s.Reboot = []string{"Windows Update"} }
	refused := func(s *transport.State) {
		s.Rules = []transport.RuleState{{Name: "servers", Error: "its signature is wrong"}, {Name: "good"}}
	}
	for name, c := range map[string]struct {
		before, after *agent.Status
		kind          string
		err           error
		want          []Event
	}{
		"installed":             {status(pending, ok), status(ok, ok), "install", nil, []Event{{Installed, Info, "Updates were installed.\r\nUpdate 0"}}},
		"nothing to do":         {status(ok), status(ok), "install", nil, nil},
		"failed":                {status(pending, pending), status(failed(1), ok), "install", nil, []Event{{InstallFailed, Error, "Updates could not be installed.\r\nUpdate 0: 0x80070070 ERROR_DISK_FULL: The disk is full. Free space."}}},
		"failed again":          {status(failed(1)), status(failed(2)), "install", nil, []Event{{InstallFailed, Error, "Updates could not be installed.\r\nUpdate 0: 0x80070070 ERROR_DISK_FULL: The disk is full. Free space."}}},
		"failed before":         {status(failed(1)), status(failed(1)), "install", nil, nil},
		"could not be done":     {status(), status(), "install", errors.New("no room"), []Event{{InstallFailed, Error, "The installation of updates could not be done: no room"}}},
		"only not reported yet": {status(pending), status(ok), "install", agent.ErrNotReported, []Event{{Installed, Info, "Updates were installed.\r\nUpdate 0"}}},
		"stopped":               {status(pending), status(pending), "install", fmt.Errorf("searching: %w", context.Canceled), nil},
		"window closed":         {status(pending), status(pending), "install", agent.ErrWindowClosed, nil},
		"a scan failed":         {status(), status(), "download", errors.New("no network"), nil},
		"restart":               {status(ok), with(status(ok), reboot), "download", nil, []Event{{RestartNeeded, Warning, "Windows must be restarted before the installation of updates is complete."}}},
		"restart known":         {with(status(ok), reboot), with(status(ok), reboot), "install", nil, nil},
		"rules refused":         {status(), with(status(), refused), "update", nil, []Event{{RulesRefused, Warning, "The rule package servers was refused: its signature is wrong."}}},
		"rules refused before":  {with(status(), refused), with(status(), refused), "update", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Compare(c.before, c.after, c.kind, c.err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestManyUpdates(t *testing.T) {
	before, after := make([]waptwua.OnHost, 100), make([]waptwua.OnHost, 100)
	for n := range after {
		before[n].Status, after[n].Status = waptwua.StatusPending, waptwua.StatusOK
	}
	list := Compare(status(before...), status(after...), "install", nil)
	if len(list) != 1 || !strings.HasSuffix(list[0].Text, "\r\nand 80 more") || strings.Count(list[0].Text, "\r\n") != maxListed+1 {
		t.Errorf("%+v", list)
	}
}

// TestNumbers: EventCreate.exe has texts for 1 to 1000 only.
func TestNumbers(t *testing.T) {
	for _, id := range []ID{Started, StoppedService, CannotWork, Installed, InstallFailed, RestartNeeded, RulesRefused, SelfUpdated, SelfUpdateBad} {
		if id < 1 || id > 1000 {
			t.Errorf("event %d", id)
		}
	}
}
