package agent

import (
	"context"
	"errors"
	"slices"
	"time"

	"waptwua"
	"waptwua/agent/cache"
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
