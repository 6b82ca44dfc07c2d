// Package eventlog is what the agent's service tells the administrators of
// one computer in the Windows event log: few events with fixed numbers, so
// that monitoring can wait for them. The log files hold everything else.
//
// Events are written to the log Application under the source waptwua. Their
// numbers lie between 1 and 1000, since Windows' own EventCreate.exe gives
// the messages their text. docs/agent.md lists them; a number never changes
// its meaning. On other systems nothing is written.
package eventlog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waptwua"
	"waptwua/agent"
)

// Level is how serious an event is.
type Level int

// The levels.
const (
	Info Level = iota
	Warning
	Error
)

// ID is the number of an event.
type ID uint32

// The events.
const (
	Started        ID = 100 // Info
	StoppedService ID = 101 // Info
	CannotWork     ID = 102 // Error: settings or folder unusable
	Installed      ID = 110 // Info: an installation ended, every update went well
	InstallFailed  ID = 111 // Error: an installation ended, an update failed; or it could not be done
	RestartNeeded  ID = 120 // Warning: updates wait for a restart
	RulesRefused   ID = 130 // Warning: a rule package was refused
	SelfUpdated    ID = 140 // Info: the agent was replaced by a newer version
	SelfUpdateBad  ID = 141 // Error: a newer version of the agent was refused, or taken back
)

// Event is one entry.
type Event struct {
	ID    ID
	Level Level
	Text  string
}

// Writer writes events.
type Writer interface {
	Write(e Event) error
	Close() error
}

// maxListed bounds how many updates an event names.
const maxListed = 20

// Compare returns what an operation of the given kind has to tell: before
// and after are the agent's status around it, err what it ended with.
func Compare(before, after *agent.Status, kind string, err error) []Event {
	var list []Event
	if kind == "install" {
		list = append(list, installed(before, after, err)...)
	}
	if waits(after) && !waits(before) {
		list = append(list, Event{RestartNeeded, Warning, "Windows must be restarted before the installation of updates is complete." + names(after, waptwua.StatusReboot, nil)})
	}
	known := map[string]bool{}
	for _, r := range before.State.Rules {
		known[r.Name+"\n"+r.Error] = true
	}
	for _, r := range after.State.Rules {
		if r.Error != "" && !known[r.Name+"\n"+r.Error] {
			list = append(list, Event{RulesRefused, Warning, fmt.Sprintf("The rule package %s was refused: %s.", r.Name, strings.TrimSuffix(r.Error, "."))})
		}
	}
	return list
}

// installed tells how an installation ended. One that had nothing to do
// tells nothing.
func installed(before, after *agent.Status, err error) []Event {
	changed := func(u waptwua.OnHost) bool { return before.State.Updates[u.ID].Status != u.Status }
	failed := names(after, waptwua.StatusError, func(u waptwua.OnHost) bool {
		b := before.State.Updates[u.ID].Failure
		return b == nil || u.Failure != nil && u.Failure.Attempts > b.Attempts
	})
	switch {
	case failed != "":
		return []Event{{InstallFailed, Error, "Updates could not be installed." + failed}}
	case err != nil && !harmless(err):
		return []Event{{InstallFailed, Error, "The installation of updates could not be done: " + err.Error()}}
	}
	done := names(after, waptwua.StatusOK, changed) + names(after, waptwua.StatusReboot, changed)
	if done == "" {
		return nil
	}
	return []Event{{Installed, Info, "Updates were installed." + done}}
}

func waits(s *agent.Status) bool { return len(s.State.Reboot) > 0 }

// names lists the updates of one status that fit, a line each.
func names(s *agent.Status, status waptwua.Status, fits func(waptwua.OnHost) bool) string {
	var lines []string
	for _, u := range s.State.Updates {
		if u.Status != status || fits != nil && !fits(u) {
			continue
		}
		line := "\r\n" + cmp.Or(s.Updates[u.ID].Title, u.ID.String())
		if u.Failure != nil && status == waptwua.StatusError {
			line += ": " + u.Failure.String()
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	if n := len(lines) - maxListed; n > 0 {
		lines = append(lines[:maxListed], fmt.Sprintf("\r\nand %d more", n))
	}
	return strings.Join(lines, "")
}
