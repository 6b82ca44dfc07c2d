package agent

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"waptwua"
)

// The start of the host is computed, on Windows, from the clock and the time
// since, which drift apart: by up to 200 millionths where a clock is kept
// right over the network, and a little for the reading itself.
const (
	bootReading = 250 * time.Millisecond
	bootDrift   = 5000 // of the time since the start
)

// sameBoot tells whether two times are the same start of the host; a zero
// time is not known, and the same as no other.
func (a *Agent) sameBoot(one, other time.Time) bool {
	if one.IsZero() || other.IsZero() {
		return false
	}
	now := a.opt.Clock.Now()
	since := max(now.Sub(one), now.Sub(other), 0)
	return one.Sub(other).Abs() <= bootReading+since/bootDrift
}

// notRestarted tells whether the host is known to run since before the
// update began to wait for a restart.
func (op *operation) notRestarted(id waptwua.UpdateID) bool {
	since, known := op.mem.Waits[id.String()]
	return known && op.sameBoot(since, op.opt.Booted)
}

// countRestart looks, before a search, whether the host was restarted, and
// whether that cleared Windows' wish for a restart. Restarts that did not,
// one after the other, are a loop.
func (op *operation) countRestart(required bool) {
	booted := op.opt.Booted
	restarted := !op.mem.Boot.IsZero() && !booted.IsZero() && !op.sameBoot(op.mem.Boot, booted)
	op.mem.Boot = booted
	switch {
	case !required:
		op.mem.Futile, op.mem.State.RestartLoop = 0, nil
	case restarted && op.mem.Basis.Restart:
		op.mem.Futile++
	}
	if op.mem.Futile < op.opt.MaxRestarts || op.mem.State.RestartLoop != nil {
		return
	}
	op.mem.State.RestartLoop = &waptwua.Failure{
		Sentence: fmt.Sprintf("Windows still asks for a restart after %d restarts (%s). No more are asked for.", op.mem.Futile, strings.Join(op.mem.State.Reboot, ", ")),
		Remedy:   "Look at C:\\Windows\\Logs\\CBS\\CBS.log on the host; DISM /Online /Cleanup-Image /RestoreHealth repairs a servicing that cannot finish. Installations go on meanwhile.",
		At:       op.now(), Attempts: op.mem.Futile,
	}
	op.log.Warn("restarts do not clear the wish for one", "restarts", op.mem.Futile, "reasons", op.mem.State.Reboot)
}

// countRolledBack keeps, after a search, what is remembered of restarts by
// update: since which start of the host it waits for the next, and how many
// took it back.
func (op *operation) countRolledBack(before map[waptwua.UpdateID]waptwua.OnHost) {
	waits, counts := map[string]time.Time{}, map[string]int{}
	for id, u := range op.mem.State.Updates {
		key, was := id.String(), before[id]
		n := op.mem.RolledBack[key]
		switch u.Phase() {
		case waptwua.PhaseWaiting:
			waits[key] = op.opt.Booted
			if since, ok := op.mem.Waits[key]; ok {
				waits[key] = since
			}
		case waptwua.PhaseRolledBack:
			if was.Phase() != waptwua.PhaseRolledBack {
				n++
				u.Failure = op.tooOften(u.Failure, n)
				op.mem.State.Updates[id] = u
			}
		case waptwua.PhaseVerified:
			n = 0
		}
		if n > 0 {
			counts[key] = n
		}
	}
	op.mem.Waits, op.mem.RolledBack = waits, counts
	maps.DeleteFunc(op.mem.Removing, func(key string, _ bool) bool { return !op.stillRemoving(key) })
}

// tooOften adds to the failure of an update that was rolled back n times
// that it is not tried any more.
func (op *operation) tooOften(f *waptwua.Failure, n int) *waptwua.Failure {
	if f == nil || n < op.opt.MaxRestarts {
		return f
	}
	more := *f
	more.Sentence += fmt.Sprintf(" That was restart %d for it; it is not tried again.", n)
	more.Remedy += " Then run: wapt-get waptwua-install --force"
	return &more
}

// stillRemoving tells whether the removal of an update waits for a restart.
func (op *operation) stillRemoving(key string) bool {
	id, err := waptwua.ParseUpdateID(key)
	return err == nil && op.mem.State.Updates[id].Status == waptwua.StatusReboot
}
