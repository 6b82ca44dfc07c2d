package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"waptwua"
	"waptwua/agent/cache"
	"waptwua/agent/journal"
	"waptwua/transport/client"
)

// Download scans, unless nothing has changed, and fetches the files of every
// update that is allowed and needed. Files that the repository does not have
// make their update MISSING, which asks the server for them. An update whose
// files cannot be had does not stop the others.
func (a *Agent) Download(ctx context.Context, o ScanOptions) error {
	return a.do("download", func(op *operation) error {
		f, err := op.scan(ctx, o.Force)
		unchanged := errors.Is(err, waptwua.ErrUnchanged)
		if err != nil && !unchanged {
			op.mem.LastDownload = op.now()
			return op.finish(ctx, err)
		}
		wanted := op.wanted()
		if len(wanted) > 0 {
			if err := op.begin(ctx, waptwua.HostDownloading); err != nil {
				return err
			}
		}
		loaded, err := op.fetch(ctx, f.archive, wanted)
		op.mem.LastDownload = op.now()
		op.countMissing(loaded > 0)
		if unchanged && len(wanted) == 0 && err == nil {
			return op.saveQuietly(ctx)
		}
		return op.finish(ctx, errors.Join(err, op.clean()))
	})
}

// wanted lists the updates that are allowed and needed and whose files are
// not in the cache yet, in a fixed order.
func (op *operation) wanted() []waptwua.UpdateID {
	var ids []waptwua.UpdateID
	for id, u := range op.mem.State.Updates {
		if isNeeded(u) && !u.Downloaded {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, compareIDs)
	return ids
}

// isNeeded tells whether the update is allowed and is to be installed.
func isNeeded(u waptwua.OnHost) bool {
	switch u.Status {
	case waptwua.StatusPending, waptwua.StatusMissing, waptwua.StatusError:
		return u.Verdict.Decision == waptwua.Allowed
	}
	return false
}

// fetch loads the files of the updates and notes what became of each. The
// error is that of what went wrong beyond a missing file; loaded counts the
// updates whose files are complete now.
func (op *operation) fetch(ctx context.Context, a cache.Archive, ids []waptwua.UpdateID) (loaded int, err error) {
	var errs []error
	if op.settings.CacheQuota > 0 {
		errs = append(errs, op.clean()) // what is not needed any more makes room
	}
	for i, id := range ids {
		op.opt.Progress(Progress{Operation: op.kind, Name: id.String(), Done: int64(i * 100 / len(ids)), Total: 100})
		err := op.fetchOne(ctx, a, id)
		if ctx.Err() != nil {
			return loaded, ctx.Err()
		}
		op.noteFetch(id, err)
		switch {
		case err == nil:
			loaded++
			op.opt.Reached("download file")
		case errors.Is(err, cache.ErrQuota) && !errors.Is(err, waptwua.ErrLimit):
			op.log.Info("update waits for room in the cache", "update", id, "reason", err)
		case !errors.Is(err, waptwua.ErrNotFound):
			errs = append(errs, err)
		}
		if errors.Is(err, cache.ErrNoRoom) || client.Temporary(err) && !op.settings.AllowDirect {
			break // the others would fail for the same reason
		}
	}
	if loaded > 0 {
		errs = append(errs, op.step(journal.Downloaded, fmt.Sprintf("%d of %d updates", loaded, len(ids))))
	}
	return loaded, errors.Join(errs...)
}

// fetchOne loads all files of one update.
func (op *operation) fetchOne(ctx context.Context, a cache.Archive, id waptwua.UpdateID) error {
	st, err := op.statement(ctx, id, a)
	if err != nil {
		return err
	}
	if err := op.cache.Fits(files(st)); err != nil {
		return fmt.Errorf("update %s: %w", id, err)
	}
	if !slices.ContainsFunc(files(st), func(f waptwua.File) bool { return !op.cache.Has(f) }) {
		return nil
	}
	op.reach(id, waptwua.PhaseDownloading, "")
	if err := op.save(); err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(op.opt.Parallel)
	for _, f := range files(st) {
		g.Go(func() error { return op.payload(gctx, f) })
	}
	return g.Wait()
}

// payload loads one file from the repository, or from Microsoft when the
// repository cannot be reached and the settings allow it. The digests that
// the server has signed count either way.
func (op *operation) payload(ctx context.Context, f waptwua.File) error {
	if op.cache.Has(f) {
		return nil
	}
	c, err := op.server()
	if err != nil {
		return err
	}
	err = op.cache.Payload(ctx, f, op.watched(c.File))
	if !errors.Is(err, client.ErrUnreachable) || !op.settings.AllowDirect || f.URL == "" {
		return err
	}
	op.log.Warn("repository cannot be reached, asking Microsoft", "file", f.Name, "error", err)
	d := op.direct()
	defer d.Close()
	return op.cache.Payload(ctx, f, op.watched(func(ctx context.Context, req client.FileRequest) (*client.FileResponse, error) {
		return d.File(ctx, f.URL, req)
	}))
}

// noteFetch notes what became of an update's files. The status ERROR stays:
// it is about the installation.
func (op *operation) noteFetch(id waptwua.UpdateID, err error) {
	u := op.mem.State.Updates[id]
	u.Downloaded = err == nil
	if err == nil {
		u.Reach(waptwua.PhaseDownloaded, op.now(), "")
	} else if errors.Is(err, waptwua.ErrNotFound) {
		u.Leave(waptwua.PhaseDownloading) // nothing came
	}
	if u.Status != waptwua.StatusError {
		u.Status, u.Failure = waptwua.StatusPending, nil
		if err != nil && !op.cutOff && !client.Temporary(err) && !errors.Is(err, cache.ErrNoRoom) && !errors.Is(err, cache.ErrQuota) {
			u.Status = waptwua.StatusMissing
		}
	}
	op.mem.State.Updates[id] = u
}

// probe finds out which needed updates have their files at hand, after a
// search: in the cache, or in the repository. While the repository cannot be
// reached, nothing is said to be missing.
func (op *operation) probe(ctx context.Context, f *found) {
	for id, u := range op.mem.State.Updates {
		if !isNeeded(u) {
			continue
		}
		here, offered, err := op.atHand(ctx, id, f.archive)
		if ctx.Err() != nil {
			return
		}
		u.Downloaded = here
		if p := u.Phase(); here && (p == waptwua.PhaseNeeded || p == waptwua.PhaseDownloading) {
			u.Reach(waptwua.PhaseDownloaded, op.now(), "")
		}
		if !here && !offered && !op.cutOff && !client.Temporary(err) && u.Status == waptwua.StatusPending {
			u.Status = waptwua.StatusMissing
		}
		op.mem.State.Updates[id] = u
	}
}

// atHand tells whether all files of an update are in the cache, and else
// whether the repository has them all.
func (op *operation) atHand(ctx context.Context, id waptwua.UpdateID, a cache.Archive) (here, offered bool, err error) {
	st, err := op.statement(ctx, id, a)
	if err != nil {
		return false, false, err
	}
	need := slices.DeleteFunc(files(st), op.cache.Has)
	if len(need) == 0 || op.cutOff {
		return len(need) == 0, false, nil
	}
	c, err := op.server()
	if err != nil {
		return false, false, err
	}
	for _, f := range need {
		if ok, err := c.HasFile(ctx, f.StoredName()); err != nil || !ok {
			return false, false, err
		}
	}
	return false, true, nil
}

// clean removes files that no needed update uses.
func (op *operation) clean() error {
	var ids []waptwua.UpdateID
	var keep []waptwua.File
	for id, u := range op.mem.State.Updates {
		if !isNeeded(u) {
			continue
		}
		ids = append(ids, id)
		if st, err := op.keptStatement(id, cache.Archive{}); err == nil { // also one for the archive before
			keep = append(keep, files(st)...)
		}
	}
	return op.cache.Keep(ids, keep)
}

// countMissing counts how often in a row files were looked for in vain.
func (op *operation) countMissing(progress bool) {
	missing := false
	for _, u := range op.mem.State.Updates {
		missing = missing || u.Status == waptwua.StatusMissing
	}
	switch {
	case !missing:
		op.mem.MissingTries = 0
	case progress:
		op.mem.MissingTries = 1
	default:
		op.mem.MissingTries++
	}
}

// maxRetryMissing is the longest wait until missing files are looked for
// again: the server's own period.
const maxRetryMissing = 30 * time.Minute

// retryMissing is when missing files are looked for again; zero: none is.
func (a *Agent) retryMissing(m *memory) time.Time {
	if m.MissingTries == 0 {
		return time.Time{}
	}
	return m.LastDownload.Add(doubled(a.opt.RetryMissing, m.MissingTries, maxRetryMissing))
}

// doubled is base × 2^(n-1), at most limit.
func doubled(base time.Duration, n int, limit time.Duration) time.Duration {
	for ; n > 1 && base < limit; n-- {
		base *= 2
	}
	return min(base, limit)
}
