package com

import (
	"context"
	"errors"

	"waptwua"
	"waptwua/wua"
)

// Stage hands files to WUA as the content of a leaf (CopyToCache).
func (h *Host) Stage(ctx context.Context, leaf waptwua.UpdateID, files []string) error {
	_, err := serve(ctx, h, "stage", func(s *session) (struct{}, error) {
		return struct{}{}, s.stage(leaf, files)
	})
	return err
}

func (s *session) stage(leaf waptwua.UpdateID, files []string) error {
	u, ok := s.offer.leaf(leaf)
	if !ok {
		return &wua.Error{Op: "stage", Code: wua.ItemNotFound}
	}
	list, err := s.create(progStrings)
	if err != nil {
		return err
	}
	defer list.release()
	for _, f := range files {
		if err := do(list, "Add", f); err != nil {
			return err
		}
	}
	return do(u, "CopyToCache", list)
}

// SetHidden hides an update of the last search, or shows it again.
func (h *Host) SetHidden(ctx context.Context, id waptwua.UpdateID, hidden bool) error {
	_, err := serve(ctx, h, "hide", func(s *session) (none struct{}, err error) {
		u, ok := s.offer.update(id)
		if !ok {
			return none, &wua.Error{Op: "hide", Code: wua.ItemNotFound}
		}
		return none, u.put("IsHidden", hidden)
	})
	return err
}

// Install installs updates of the last search as one installation of WUA.
func (h *Host) Install(ctx context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (*wua.Result, error) {
	return serve(ctx, h, "install", func(s *session) (*wua.Result, error) {
		return s.change(ctx, verbs{"install", "BeginInstall", "EndInstall"}, ids, progress)
	})
}

// Uninstall removes updates of the last search.
func (h *Host) Uninstall(ctx context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (*wua.Result, error) {
	return serve(ctx, h, "uninstall", func(s *session) (*wua.Result, error) {
		return s.change(ctx, verbs{"uninstall", "BeginUninstall", "EndUninstall"}, ids, progress)
	})
}

// verbs are the names of one way to change the host.
type verbs struct{ op, begin, end string }

// batch is what goes to WUA in one installation: the updates it still knows,
// and their places in the caller's list.
type batch struct {
	ids      []waptwua.UpdateID
	places   []int
	progress func(wua.Progress)
	told     map[int]bool // places whose begin was told
	percent  int
}

func (s *session) change(ctx context.Context, v verbs, ids []waptwua.UpdateID, progress func(wua.Progress)) (*wua.Result, error) {
	if len(ids) == 0 {
		return nil, &wua.Error{Op: v.op, Code: wua.NoUpdate}
	}
	res := &wua.Result{Updates: make([]wua.UpdateResult, len(ids))}
	b := &batch{ids: ids, progress: progress, told: map[int]bool{}}
	list, err := s.create(progUpdates)
	if err != nil {
		return nil, err
	}
	defer list.release()
	for i, id := range ids {
		res.Updates[i].ID = id
		if err := s.add(list, b, &res.Updates[i], i); err != nil {
			return nil, err
		}
	}
	err = s.work(ctx, v, list, b, res)
	if len(b.places) == 0 && codeOf(err) == wua.NoUpdate {
		err = nil // WUA is there and has nothing to do: every update has its result
	}
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	if ctx.Err() == nil {
		report(progress, wua.Progress{Index: len(ids), Count: len(ids), Percent: 100})
	}
	summarize(res, ctx.Err() != nil)
	return res, ctx.Err()
}

// add puts an update on the list for WUA; one that is not offered any more,
// or that WUA does not take, gets its result at once.
func (s *session) add(list object, b *batch, r *wua.UpdateResult, place int) error {
	u, ok := s.offer.update(r.ID)
	if !ok {
		r.Code, r.HResult = wua.Failed, wua.ItemNotFound
		return nil
	}
	if accepted, err := as[bool](u, "EulaAccepted"); err == nil && !accepted {
		if err := do(u, "AcceptEula"); err != nil {
			return fail(r, err)
		}
	}
	if err := do(list, "Add", u); err != nil {
		return fail(r, err)
	}
	b.places = append(b.places, place)
	return nil
}

// fail makes an error the result of one update, so that it does not stop the
// others. That WUA is gone concerns them all: then it returns the error.
func fail(r *wua.UpdateResult, err error) error {
	if isGone(err) {
		return err
	}
	r.Code, r.HResult = wua.Failed, codeOf(err)
	return nil
}

// work has WUA change the host, and reads the results.
func (s *session) work(ctx context.Context, v verbs, list object, b *batch, res *wua.Result) error {
	root, err := s.root()
	if err != nil {
		return err
	}
	defer root.release()
	installer, err := invoke(root, "CreateUpdateInstaller")
	if err != nil {
		return err
	}
	defer installer.release()
	if err := installer.put("Updates", list); err != nil {
		return err
	}
	// An agent that is too old for a quiet installation installs all the same.
	if err := installer.put("ForceQuiet", true); err != nil && codeOf(err) != unknownName {
		return err
	}
	result, err := s.run(ctx, job{
		on: installer, begin: v.begin, end: v.end, callbacks: 2,
		begun: func() { report(b.progress, wua.Progress{}) }, step: b.step,
	})
	if err != nil {
		return err
	}
	defer result.release()
	return b.results(result, res)
}

// root is the session of the last search, or a new one.
func (s *session) root() (object, error) {
	if s.offer != nil {
		return s.offer.session.retain(), nil
	}
	return s.open(0)
}

// step tells the caller where WUA is.
func (b *batch) step(running object) {
	if b.progress == nil {
		return
	}
	p, err := invoke(running, "GetProgress")
	if err != nil {
		return // progress is a courtesy
	}
	defer p.release()
	index, err := number(p, "CurrentUpdateIndex")
	if err != nil {
		return
	}
	percent, err := number(p, "PercentComplete")
	if err != nil {
		return
	}
	b.percent = max(b.percent, min(int(percent), 100))
	if 0 <= index && index < int64(len(b.places)) {
		b.tell(b.places[index])
	}
}

// tell tells the begin of an update, once. WUA takes updates in an order of
// its own, and what it says of the percentage never goes back.
func (b *batch) tell(place int) {
	if b.told[place] {
		return
	}
	b.told[place] = true
	report(b.progress, wua.Progress{Update: b.ids[place], Index: place, Count: len(b.ids), Percent: b.percent})
}

// results reads an IInstallationResult.
func (b *batch) results(o object, res *wua.Result) error {
	reboot, err := as[bool](o, "RebootRequired")
	if err != nil {
		return err
	}
	res.RebootRequired = reboot
	for i, place := range b.places {
		if err := updateResult(o, i, &res.Updates[place]); err != nil {
			if err := fail(&res.Updates[place], err); err != nil {
				return err
			}
		}
		if res.Updates[place].Code != wua.NotStarted { // it may have been too quick to be seen
			b.tell(place)
		}
	}
	return nil
}

// updateResult reads the result of the i-th update that was given to WUA.
func updateResult(all object, i int, r *wua.UpdateResult) error {
	o, err := invoke(all, "GetUpdateResult", i)
	if err != nil {
		return err
	}
	defer o.release()
	code, err := number(o, "ResultCode")
	if err != nil {
		return err
	}
	hr, err := number(o, "HResult")
	if err != nil {
		return err
	}
	r.Code, r.HResult = wua.ResultCode(code), wua.Code(uint32(hr))
	r.RebootRequired, err = as[bool](o, "RebootRequired")
	return err
}

// summarize derives the result of the call from those of its updates: WUA
// has not seen the updates that it does not offer any more.
func summarize(r *wua.Result, aborted bool) {
	succeeded, failed := 0, 0
	for _, u := range r.Updates {
		switch u.Code {
		case wua.Succeeded:
			succeeded++
		case wua.SucceededWithErrors:
			succeeded++
			failed++
		default:
			failed++
		}
		r.RebootRequired = r.RebootRequired || u.RebootRequired
	}
	switch {
	case aborted:
		r.Code = wua.Aborted
	case failed == 0:
		r.Code = wua.Succeeded
	case succeeded == 0:
		r.Code = wua.Failed
	default:
		r.Code = wua.SucceededWithErrors
	}
}

// unknownName is DISP_E_UNKNOWNNAME: the agent does not know the member.
const unknownName wua.Code = 0x80020006

// codeOf is the code of an error; unspecific ones count as E_FAIL.
func codeOf(err error) wua.Code {
	var e *wua.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0x80004005
}
