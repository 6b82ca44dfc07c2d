package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"waptwua"
	"waptwua/wua"
)

// refusal is why the Windows Update Agent tried none of the updates of a call.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// call gives updates to the Windows Update Agent. A call that it refuses as a
// whole names no update: then each is tried by itself, so that the one it
// cannot take does not hold the others. The error ends the batch: it is the
// operation's own, or tells that WUA works for somebody else (isBusy), which
// is no update's fault.
func (op *operation) call(ctx context.Context, ids []waptwua.UpdateID) (restart bool, err error) {
	restart, err = op.callOnce(ctx, ids)
	var no refusal
	switch {
	case !errors.As(err, &no):
		return restart, err
	case len(ids) == 1:
		op.noteFailure(ids[0], func(n int) waptwua.Failure { return wua.FailureOf(no.error, op.now(), n) })
		return false, op.save()
	}
	op.log.Warn("updates are refused together, each is tried by itself", "updates", len(ids), "error", no)
	for _, id := range ids {
		needs, err := op.call(ctx, []waptwua.UpdateID{id})
		restart = restart || needs
		if err != nil {
			return restart, err
		}
	}
	return restart, nil
}

// callOnce calls the installer and notes its results, or that it has refused.
func (op *operation) callOnce(ctx context.Context, ids []waptwua.UpdateID) (restart bool, err error) {
	if err := op.beginInstall(ctx, op.wuaNote(ids), ids...); err != nil {
		return false, err
	}
	result, err := op.opt.WUA.Install(ctx, ids, func(p wua.Progress) {
		op.opt.Progress(Progress{Operation: "install", Name: p.Update.String(), Done: int64(p.Percent), Total: 100})
	})
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		return false, op.refused(ids, err)
	}
	op.opt.Reached("install answered")
	op.noteResults(ids, result)
	return result.RebootRequired, op.endInstall(fmt.Sprintf("wua: result code %d", result.Code), ids...)
}

// refused notes that a call was refused. Only an update that was refused by
// itself has been tried.
func (op *operation) refused(ids []waptwua.UpdateID, why error) error {
	if len(ids) > 1 || isBusy(why) {
		op.notBegun(ids)
	}
	if err := op.endInstall("wua: "+why.Error(), ids...); err != nil {
		return errors.Join(why, err)
	}
	if isBusy(why) {
		return why
	}
	return refusal{why}
}

// wuaNote says in the journal why these updates go to the Windows Update Agent.
func (op *operation) wuaNote(ids []waptwua.UpdateID) string {
	var whys []string
	for _, id := range ids {
		whys = append(whys, op.mem.State.Updates[id].Way.Why)
	}
	slices.Sort(whys)
	return fmt.Sprintf("%s, because: %s", wua.ToolWUA, strings.Join(slices.Compact(whys), ", "))
}

// notBegun takes back that the updates are being installed.
func (op *operation) notBegun(ids []waptwua.UpdateID) {
	for _, id := range ids {
		u := op.mem.State.Updates[id]
		u.Leave(waptwua.PhaseInstalling)
		op.mem.State.Updates[id] = u
	}
}

// isBusy tells whether the Windows Update Agent, or a restart that is due,
// does not let anybody begin.
func isBusy(err error) bool {
	return errors.Is(err, &wua.Error{Code: wua.OperationInProgress}) || errors.Is(err, &wua.Error{Code: wua.InstallNotAllowed})
}
