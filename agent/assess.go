package agent

import (
	"slices"
	"time"

	"waptwua"
	"waptwua/policy"
	"waptwua/wua"
)

// assessment is what the statuses are decided from.
type assessment struct {
	found   map[waptwua.UpdateID]wua.Update // what the search gave
	lost    bool                            // the search could not read every update: one that is absent may be there
	old     map[waptwua.UpdateID]waptwua.OnHost
	policy  *policy.Policy
	now     time.Time
	restart bool               // the host waits for one
	cut     []waptwua.UpdateID // being installed when the agent was last killed
	stopped map[string]int     // installations during which the agent was killed

	notRestarted func(waptwua.UpdateID) bool // the host runs since before the update began to wait; nil: not known
	removing     map[string]bool             // updates whose removal waits for the restart
	history      []wua.HistoryEntry          // newest first; says why an update was rolled back
}

// maxStopped is how many installations of one update may end with the
// agent's death before the update is blamed.
const maxStopped = 3

// assess decides the status of every update that is installed or needed.
// Allowed and needed updates come out as PENDING; whether their files are
// missing is found out afterwards.
func assess(a assessment) map[waptwua.UpdateID]waptwua.OnHost {
	out := make(map[waptwua.UpdateID]waptwua.OnHost, len(a.found))
	for id, u := range a.found {
		out[id] = a.one(u, a.old[id])
	}
	for id, o := range a.old {
		_, found := a.found[id]
		switch {
		case found:
		case a.lost:
			out[id] = o
		case !o.Installed.IsZero() || slices.Contains(a.cut, id):
			out[id] = a.gone(o)
		}
	}
	supersede(out, a.found)
	return out
}

// one decides about an update that the search returned.
func (a assessment) one(u wua.Update, old waptwua.OnHost) waptwua.OnHost {
	o := waptwua.OnHost{ID: u.ID, Verdict: a.policy.Decide(u.Update, a.now), Steps: old.Steps, Way: old.Way}
	switch {
	case u.RebootRequired, old.Status == waptwua.StatusReboot && (!u.Installed && a.restart || a.waits(old)):
		o.Status, o.Installed = waptwua.StatusReboot, orNow(old.Installed, a.now)
		if !a.removing[u.ID.String()] {
			o.Reach(waptwua.PhaseWaiting, a.now, "")
		}
	case u.Installed:
		o.Status, o.Installed, o.Verified = waptwua.StatusOK, old.Installed, orNow(old.Verified, a.now)
		if len(o.Steps) > 0 {
			o.Reach(waptwua.PhaseVerified, a.now, "")
		}
	default:
		a.needed(&o, old)
	}
	return o
}

// waits tells whether the restart that an update waits for has not come.
func (a assessment) waits(old waptwua.OnHost) bool {
	return old.Phase() == waptwua.PhaseWaiting && a.notRestarted != nil && a.notRestarted(old.ID)
}

// needed decides about an update that is offered.
func (a assessment) needed(o *waptwua.OnHost, old waptwua.OnHost) {
	if old.Verified.IsZero() { // verified and offered again: somebody has removed it
		o.Failure = old.Failure
	}
	o.Failure = a.undone(o, old)
	if n := a.stopped[o.ID.String()]; n >= maxStopped && o.Failure == nil {
		o.Failure = &waptwua.Failure{
			Sentence: "The agent was stopped each time this update was being installed.",
			Remedy:   "Look at the host while the update installs: it may restart or crash the host. Then run: wapt-get waptwua-install --force",
			At:       a.now, Attempts: n,
		}
		o.Reach(waptwua.PhaseFailed, a.now, "")
	}
	switch {
	case o.Verdict.Decision != waptwua.Allowed:
		o.Status = waptwua.StatusDiscarded
	case o.Failure != nil:
		o.Status = waptwua.StatusError
	default:
		o.Status = waptwua.StatusPending
	}
}

// undone notes what became of an update that is offered although it was
// being installed, or was installed: the failure that this is, or the one
// before.
func (a assessment) undone(o *waptwua.OnHost, old waptwua.OnHost) *waptwua.Failure {
	said := !old.Installed.IsZero() && old.Verified.IsZero() && !a.removing[o.ID.String()]
	switch phase := old.Phase(); {
	case said && phase == waptwua.PhaseWaiting:
		f := a.rolledBack(old)
		o.Reach(waptwua.PhaseRolledBack, a.now, codeOf(*f))
		return f
	case said:
		o.Reach(waptwua.PhaseFailed, a.now, "")
		return a.falseSuccess(old)
	case phase == waptwua.PhaseInstalling:
		o.Reach(waptwua.PhaseNeeded, a.now, waptwua.NoteInterrupted)
	case phase == "", phase == waptwua.PhaseVerified, phase == waptwua.PhaseWaiting:
		o.Reach(waptwua.PhaseNeeded, a.now, "")
	}
	return o.Failure
}

// rolledBack is the failure of an update that Windows took back during the
// restart, with the code that Windows' history gives.
func (a assessment) rolledBack(old waptwua.OnHost) *waptwua.Failure {
	f := waptwua.Failure{
		Sentence: "Windows took this update back during the restart.",
		Remedy:   "C:\\Windows\\Logs\\CBS\\CBS.log on the host names the cause.",
	}
	for _, h := range a.history {
		if h.ID == old.ID && h.HResult.Failed() && !h.At.Before(old.Installed) {
			m := wua.Lookup(h.HResult)
			f.HResult, f.Name, f.Remedy = uint32(h.HResult), m.Name, m.Remedy
			f.Sentence += " " + m.Sentence
			break
		}
	}
	f.At, f.Attempts = a.now, attempts(old)
	return &f
}

// attempts counts the attempt that has just failed.
func attempts(old waptwua.OnHost) int {
	if old.Failure == nil {
		return 1
	}
	return old.Failure.Attempts + 1
}

// falseSuccess is the failure of an update that the installer called
// installed and that is offered all the same.
func (a assessment) falseSuccess(old waptwua.OnHost) *waptwua.Failure {
	f := waptwua.Failure{
		Sentence: "The installer reported success, but Windows still offers this update.",
		Remedy:   "The installation was probably rolled back: see the Windows Update log and C:\\Windows\\Logs\\CBS\\CBS.log on the host.",
		At:       a.now, Attempts: attempts(old),
	}
	return &f
}

// gone decides about an update that this agent installed and that the
// search does not return any more.
func (a assessment) gone(old waptwua.OnHost) waptwua.OnHost {
	old.Installed = orNow(old.Installed, a.now)
	if a.waits(old) || a.restart && (old.Status == waptwua.StatusReboot || slices.Contains(a.cut, old.ID)) {
		old.Status = waptwua.StatusReboot
		old.Reach(waptwua.PhaseWaiting, a.now, "")
		return old
	}
	old.Reach(waptwua.PhaseVerified, a.now, "")
	old.Status, old.Verified, old.Failure, old.Downloaded = waptwua.StatusOK, orNow(old.Verified, a.now), nil, false
	return old
}

// orNow keeps the time of the first time.
func orNow(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return t
}

// supersede marks what is replaced by an update that is installed or will
// be, also over several steps. Installed updates stay what they are.
func supersede(out map[waptwua.UpdateID]waptwua.OnHost, found map[waptwua.UpdateID]wua.Update) {
	byGUID := map[string][]waptwua.UpdateID{}
	var queue []string
	for id, u := range found {
		byGUID[id.GUID] = append(byGUID[id.GUID], id)
		if s := out[id].Status; s == waptwua.StatusOK || s == waptwua.StatusReboot || s == waptwua.StatusPending {
			queue = append(queue, u.Supersedes...)
		}
	}
	done := map[string]bool{}
	for len(queue) > 0 {
		guid := queue[0]
		queue = queue[1:]
		if done[guid] {
			continue
		}
		done[guid] = true
		for _, id := range byGUID[guid] {
			queue = append(queue, found[id].Supersedes...)
			if o := out[id]; o.Status != waptwua.StatusOK && o.Status != waptwua.StatusReboot {
				o.Status = waptwua.StatusSuperseded
				out[id] = o
			}
		}
	}
}
