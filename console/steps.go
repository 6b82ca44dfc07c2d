package console

import (
	"waptwua"
	"waptwua/console/text"
)

// phaseWord is what a phase of an update is called; one that this server
// does not know stays as the host says it.
func (f frame) phaseWord(p waptwua.Phase) string {
	switch p {
	case waptwua.PhaseNeeded:
		return f.Say(text.PhaseNeeded)
	case waptwua.PhaseDownloading:
		return f.Say(text.PhaseDownloading)
	case waptwua.PhaseDownloaded:
		return f.Say(text.PhaseDownloaded)
	case waptwua.PhaseInstalling:
		return f.Say(text.PhaseInstalling)
	case waptwua.PhaseWaiting:
		return f.Say(text.PhaseWaiting)
	case waptwua.PhaseVerified:
		return f.Say(text.PhaseVerified)
	case waptwua.PhaseFailed:
		return f.Say(text.PhaseFailed)
	case waptwua.PhaseRolledBack:
		return f.Say(text.PhaseRolledBack)
	}
	return string(p)
}

// noteWord is the note of a step: a code stays as it is.
func (f frame) noteWord(note string) string {
	if note == waptwua.NoteInterrupted {
		return f.Say(text.NoteInterrupted)
	}
	return note
}

// wayWord says by what an update was installed, and why; empty: not known.
func (f frame) wayWord(w waptwua.Way) string {
	switch w.Why {
	case waptwua.WayTakesFiles:
		return f.Say(text.WayTakesFiles)
	case waptwua.WayOtherFiles:
		return f.Say(text.WayOtherFiles)
	case waptwua.WaySingleMSU:
		return f.Say(text.WaySingleMSU)
	case waptwua.WaySeveralPackages:
		return f.Say(text.WaySeveralPackages)
	case waptwua.WayCabinet:
		return f.Say(text.WayCabinet)
	}
	return ""
}
