package sim

import (
	"context"
	"errors"

	"waptwua"
	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/wua"
)

// alreadyInstalled and alreadyRemoved are remarks on what succeeded.
const (
	alreadyInstalled wua.Code = 0x00240006
	alreadyRemoved   wua.Code = 0x00240007
)

// Install installs updates of the last search one after the other.
func (h *Host) Install(ctx context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (*wua.Result, error) {
	return h.each(ctx, callInstall, ids, progress, (*call).install)
}

// Uninstall takes back what Install did.
func (h *Host) Uninstall(ctx context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (*wua.Result, error) {
	return h.each(ctx, callUninstall, ids, progress, (*call).uninstall)
}

// job is the work on one update.
type job struct {
	call  string // install or uninstall
	id    waptwua.UpdateID
	of    int // updates in the call
	offer *offered
	fault *Fault
}

// outcome is how a job ended.
type outcome struct {
	code    wua.Code // OK, a remark, or the failure
	restart bool
	lie     bool
}

// each does the work of one call, update by update. When ctx ends midway it
// returns the result so far and the context's error.
func (h *Host) each(ctx context.Context, name string, ids []waptwua.UpdateID, progress func(wua.Progress), work func(*call, context.Context, job) (outcome, error)) (res *wua.Result, err error) {
	err = h.serve(ctx, name, progress, func(c *call) error {
		if len(ids) == 0 {
			return &wua.Error{Op: name, Code: wua.NoUpdate}
		}
		res = &wua.Result{Updates: make([]wua.UpdateResult, len(ids))}
		for i, id := range ids {
			res.Updates[i].ID = id
		}
		for i, id := range ids {
			report(progress, wua.Progress{Update: id, Index: i, Count: len(ids), Percent: 100 * i / len(ids)})
			if err := c.one(ctx, job{call: name, id: id, of: len(ids), offer: h.offer.updates[id]}, work, &res.Updates[i]); err != nil {
				res.Code = wua.Aborted
				return err
			}
		}
		report(progress, wua.Progress{Index: len(ids), Count: len(ids), Percent: 100})
		summarize(res)
		return nil
	})
	return res, err
}

// one does one job and records it. An error ends the whole call.
func (c *call) one(ctx context.Context, j job, work func(*call, context.Context, job) (outcome, error), r *wua.UpdateResult) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if j.offer == nil || c.state.Vanished[j.id] {
		r.Code, r.HResult = wua.Failed, wua.ItemNotFound
		return nil
	}
	j.fault = c.scripted(j.call, &j.offer.update)
	out, err := work(c, ctx, j)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		r.Code, r.HResult = wua.Aborted, wua.CallCancelled
		return err
	}
	if err != nil {
		return err
	}
	r.Code, r.HResult, r.RebootRequired = wua.Succeeded, out.code, out.restart
	if out.code.Failed() {
		r.Code = wua.Failed
	}
	operation := OpInstall
	if j.call == callUninstall {
		operation = OpUninstall
	}
	c.record(Event{Operation: operation, ID: j.id, Title: j.offer.update.Title, Code: r.Code, HResult: r.HResult, Lie: out.lie})
	return c.save() // one update is done, whatever becomes of the others
}

// summarize derives the result of the call from those of its updates.
func summarize(r *wua.Result) {
	succeeded, failed := 0, 0
	for _, u := range r.Updates {
		if u.Code == wua.Succeeded {
			succeeded++
		} else {
			failed++
		}
		r.RebootRequired = r.RebootRequired || u.RebootRequired
	}
	switch {
	case failed == 0:
		r.Code = wua.Succeeded
	case succeeded == 0:
		r.Code = wua.Failed
	default:
		r.Code = wua.SucceededWithErrors
	}
}

func (c *call) install(ctx context.Context, j job) (outcome, error) {
	if change := c.state.change(j.id); change != nil && change.Phase == installing {
		return outcome{code: alreadyInstalled, restart: true}, nil
	}
	if j.fault != nil && j.fault.Effect == Vanish {
		c.dirty = true
		c.state.Vanished[j.id] = true
		return outcome{code: wua.ItemNotFound}, nil
	}
	missing, code, err := c.missing(j.offer.leaves)
	switch {
	case err != nil || code != wua.OK:
		return outcome{code: code}, err
	case j.offer.update.Exclusive && j.of > 1:
		return outcome{code: wua.ExclusiveConflict}, nil
	case !c.staged(missing):
		return outcome{code: wua.NotDownloaded}, nil
	}
	if err := c.opt.Sleep(ctx, c.opt.InstallDuration); err != nil {
		return outcome{}, err
	}
	if err := c.slow(ctx, j.fault); err != nil {
		return outcome{}, err
	}
	switch {
	case j.fault != nil && j.fault.Effect == Fail && j.fault.code.Failed():
		return outcome{code: j.fault.code}, nil
	case j.fault != nil && j.fault.Effect == Lie:
		return outcome{lie: true}, nil
	}
	return c.change(j, missing)
}

// missing are the leaves that the machine lacks now. The code is a remark
// when there are none, and a failure when one of them cannot be installed.
func (c *call) missing(leaves []catalog.Leaf) (missing []catalog.Leaf, code wua.Code, err error) {
	machine, err := applicability.NewMachine(c.state.facts(c.opt.Machine, effective))
	if err != nil {
		return nil, 0, err
	}
	for _, l := range leaves {
		rules := c.offer.graph.Rules(l.ID)
		if rules == nil {
			return nil, wua.InstallerFailure, nil
		}
		ctx := &applicability.Context{Machine: machine}
		if rules.Installed(ctx) == applicability.True {
			continue
		}
		if rules.Installable(ctx) == applicability.False {
			return nil, wua.NotApplicable, nil
		}
		missing = append(missing, l)
	}
	if missing == nil {
		return nil, alreadyInstalled, nil
	}
	return missing, wua.OK, nil
}

func (c *call) staged(leaves []catalog.Leaf) bool {
	for _, l := range leaves {
		if c.state.Staged[l.ID] == nil {
			return false
		}
	}
	return true
}

// change makes the leaves' rules hold, now or after the restart.
func (c *call) change(j job, leaves []catalog.Leaf) (outcome, error) {
	ch := change{ID: j.id, Title: j.offer.update.Title, Handler: j.offer.update.Handler, Phase: installed}
	v := effective
	if c.wantsRestart(j) {
		ch.Phase, v = installing, afterRestart
	}
	if j.fault != nil && j.fault.Effect == Rollback {
		ch.Rollback = j.fault.code
	}
	facts := c.state.facts(c.opt.Machine, v)
	for _, l := range leaves {
		edits, err := hold(apply(facts, ch.Edits), c.offer.graph.Rules(l.ID))
		if err != nil {
			return outcome{code: wua.InstallerFailure}, nil //nolint:nilerr // it is what a real installer's failure looks like
		}
		ch.Edits = append(ch.Edits, edits...)
	}
	c.dirty = true
	c.state.drop(j.id) // one that was taken back before
	c.state.Changes = append(c.state.Changes, ch)
	return outcome{restart: ch.Phase == installing}, nil
}

func (c *call) wantsRestart(j job) bool {
	if j.fault != nil && (j.fault.Effect == Restart || j.fault.Effect == Rollback) {
		return true
	}
	switch j.offer.update.Reboot {
	case waptwua.RebootAlways:
		return true
	case waptwua.RebootCanRequest:
		return c.chance("restart "+j.id.String()) < 0.5
	}
	return false
}

func (c *call) uninstall(ctx context.Context, j job) (outcome, error) {
	change := c.state.change(j.id)
	switch {
	case change == nil:
		return outcome{code: wua.UninstallNotAllowed}, nil
	case change.Phase == removing:
		return outcome{code: alreadyRemoved, restart: true}, nil
	}
	if err := c.opt.Sleep(ctx, c.opt.InstallDuration); err != nil {
		return outcome{}, err
	}
	if err := c.slow(ctx, j.fault); err != nil {
		return outcome{}, err
	}
	if j.fault != nil && j.fault.code.Failed() {
		return outcome{code: j.fault.code}, nil
	}
	c.dirty = true
	if change.Phase == installed && c.wantsRestart(j) {
		change.Phase = removing
		return outcome{restart: true}, nil
	}
	c.state.drop(j.id)
	return outcome{}, nil
}
