package waptwua

import (
	"slices"
	"time"
)

// Phase is how far an update has come on one host. Unlike the Status, which
// says what is to be done now, the phases of an update are its history.
type Phase string

// The phases. An update goes through them from top to bottom; it may leave
// out what it does not need, and begins again at PhaseDownloading or
// PhaseInstalling after a failure.
const (
	PhaseNeeded      Phase = "needed"                       // a scan offers it
	PhaseDownloading Phase = "downloading"                  // its files are being fetched
	PhaseDownloaded  Phase = "downloaded"                   // its files are verified in the host's cache
	PhaseInstalling  Phase = "installing"                   // it was given to the installer
	PhaseWaiting     Phase = "installed-waiting-for-reboot" // the installer has done its part; the restart decides
	PhaseVerified    Phase = "verified"                     // a scan, after the restart where one was needed, no longer offers it
	PhaseFailed      Phase = "failed"                       // the installer failed, or said so wrongly; see Failure
	PhaseRolledBack  Phase = "rolled-back"                  // offered again after the restart
)

// Step says when an update reached a phase.
type Step struct {
	Phase Phase     `json:"phase"`
	At    time.Time `json:"at"`
	Note  string    `json:"note,omitempty"` // a code or a few words, e.g. 0x800F0922, interrupted
}

// NoteInterrupted is the note of a step: the installation before it was cut
// off, and the update is offered again.
const NoteInterrupted = "interrupted"

// MaxSteps bounds the steps that are kept of one update: the first one, which
// says since when it is needed, and the newest others.
const MaxSteps = 16

// The ways in which an update is put on a host. A Way names the tool (wua,
// dism, wusa: see package wua) and why it was chosen.
const (
	WayTakesFiles      = "takes-files"      // wua: the update's files can be given to the Windows Update Agent
	WayOtherFiles      = "other-files"      // wua: a part of the update is no Windows package
	WaySingleMSU       = "single-msu"       // wusa: one .msu and nothing that it builds upon
	WaySeveralPackages = "several-packages" // dism: a cumulative update and its checkpoints in one folder
	WayCabinet         = "cabinet"          // dism: packages as .cab
)

// Way is how an update is installed, and why so.
type Way struct {
	Tool string `json:"tool"` // wua, dism, wusa
	Why  string `json:"why"`  // one of the words above
}

// Phase is the last phase reached; empty: the update was installed before the
// host reported for the first time.
func (o *OnHost) Phase() Phase {
	if n := len(o.Steps); n > 0 {
		return o.Steps[n-1].Phase
	}
	return ""
}

// Reach notes that the update has come to a phase. In the phase in which it
// is already it stays, with the time and note of the first time. Steps of
// other copies of o are not changed.
func (o *OnHost) Reach(p Phase, at time.Time, note string) {
	if o.Phase() == p {
		return
	}
	o.Steps = append(slices.Clip(o.Steps), Step{Phase: p, At: at, Note: note})
	if n := len(o.Steps); n > MaxSteps {
		o.Steps = slices.Delete(slices.Clone(o.Steps), 1, 1+n-MaxSteps)
	}
}

// Leave takes back the last step when it is p, because what it announced did
// not come to pass.
func (o *OnHost) Leave(p Phase) {
	if o.Phase() == p {
		o.Steps = slices.Clip(o.Steps[:len(o.Steps)-1])
	}
}
