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
	old     map[waptwua.UpdateID]waptwua.OnHost
	policy  *policy.Policy
	now     time.Time
	restart bool               // the host waits for one
	cut     []waptwua.UpdateID // being installed when the agent was last killed
	stopped map[string]int     // installations during which the agent was killed
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
		if _, ok := a.found[id]; !ok && (!o.Installed.IsZero() || slices.Contains(a.cut, id)) {
			out[id] = a.gone(o)
		}
	}
	supersede(out, a.found)
	return out
}

// one decides about an update that the search returned.
func (a assessment) one(u wua.Update, old waptwua.OnHost) waptwua.OnHost {
	o := waptwua.OnHost{ID: u.ID, Verdict: a.policy.Decide(u.Update, a.now)}
	switch {
	case u.RebootRequired, !u.Installed && old.Status == waptwua.StatusReboot && a.restart:
		o.Status, o.Installed = waptwua.StatusReboot, orNow(old.Installed, a.now)
	case u.Installed:
		o.Status, o.Installed, o.Verified = waptwua.StatusOK, old.Installed, orNow(old.Verified, a.now)
	default:
		a.needed(&o, old)
	}
	return o
}

// needed decides about an update that is offered.
func (a assessment) needed(o *waptwua.OnHost, old waptwua.OnHost) {
	if old.Verified.IsZero() { // verified and offered again: somebody has removed it
		o.Failure = old.Failure
	}
	if !old.Installed.IsZero() && old.Verified.IsZero() {
		o.Failure = a.falseSuccess(old)
	}
	if n := a.stopped[o.ID.String()]; n >= maxStopped && o.Failure == nil {
		o.Failure = &waptwua.Failure{
			Sentence: "The agent was stopped each time this update was being installed.",
			Remedy:   "Look at the host while the update installs: it may restart or crash the host. Then run: wapt-get waptwua-install --force",
			At:       a.now, Attempts: n,
		}
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

// falseSuccess is the failure of an update that the installer called
// installed and that is offered all the same.
func (a assessment) falseSuccess(old waptwua.OnHost) *waptwua.Failure {
	f := waptwua.Failure{
		Sentence: "The installer reported success, but Windows still offers this update.",
		Remedy:   "The installation was probably rolled back: see the Windows Update log and C:\\Windows\\Logs\\CBS\\CBS.log on the host.",
		At:       a.now, Attempts: 1,
	}
	if old.Failure != nil {
		f.Attempts = old.Failure.Attempts + 1
	}
	return &f
}

// gone decides about an update that this agent installed and that the
// search does not return any more.
func (a assessment) gone(old waptwua.OnHost) waptwua.OnHost {
	old.Installed = orNow(old.Installed, a.now)
	if a.restart && (old.Status == waptwua.StatusReboot || slices.Contains(a.cut, old.ID)) {
		old.Status = waptwua.StatusReboot
		return old
	}
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
