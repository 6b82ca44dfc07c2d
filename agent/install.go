package agent

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"waptwua"
	"waptwua/agent/settings"
	"waptwua/transport"
	"waptwua/wua"
)

// InstallOptions say what to install.
type InstallOptions struct {
	// Force tries updates again that have failed, without waiting, and does
	// not stop at a restart that is due, nor at a window that is closed.
	Force bool
	// Only restricts the installation to these updates; empty: all that are
	// allowed and needed.
	Only []waptwua.UpdateID
	// Now installs although no window is open.
	Now bool
	// NotAfter is the moment after which no further batch is begun; one that
	// is under way is not cut off. Zero: there is none.
	NotAfter time.Time

	agreed bool // at this shutdown, see ShutdownAgreed
}

// maxAttempts is how often a failing update is tried without a command.
const maxAttempts = 5

// maxRetryInstall is the longest wait between two attempts.
const maxRetryInstall = 24 * time.Hour

// Install searches, fetches what is missing, installs what is allowed and
// needed, searches again, and reports. An update that fails does not stop
// the others: its failure stands in the state. The error is about the
// operation as a whole; it wraps ErrWindowClosed where the settings do not
// let the host be changed now.
func (a *Agent) Install(ctx context.Context, o InstallOptions) error {
	return a.do("install", func(op *operation) error {
		if op.settings.Enabled != settings.True {
			return ErrNotEnabled
		}
		if err := op.enter(&o); err != nil {
			return err
		}
		if o.agreed {
			op.settleShutdown("waptexit has installed at this shutdown")
		}
		err := op.install(ctx, o)
		op.mem.LastInstall = op.now()
		op.unsure = ctx.Err() != nil
		return op.finish(ctx, err)
	})
}

func (op *operation) install(ctx context.Context, o InstallOptions) error {
	begun := op.now()
	f, err := op.scan(ctx, true)
	if err != nil {
		return err
	}
	if len(op.mem.State.Reboot) > 0 && op.mem.State.RestartLoop == nil && !o.Force {
		return ErrRestartFirst
	}
	ids := op.due(o)
	if len(ids) == 0 {
		op.use(begun, o)
		return nil
	}
	_, fetchErr := op.fetch(ctx, f.archive, notDownloaded(ids, op.mem.State.Updates))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	ready := slices.DeleteFunc(ids, func(id waptwua.UpdateID) bool {
		_, read := f.updates[id]
		return !read || !op.mem.State.Updates[id].Downloaded
	})
	if err := op.stillOpen(o); err != nil {
		return errors.Join(fetchErr, err)
	}
	tried, installErr := op.installBatches(ctx, f, order(ready, f.updates, op.plans(f, ready)), o.NotAfter)
	if ctx.Err() == nil && (tried || fetchErr == nil) {
		op.use(begun, o)
	}
	if tried && ctx.Err() == nil {
		_, err = op.scan(ctx, true) // what the installer said is not yet the truth
	}
	return errors.Join(fetchErr, installErr, err)
}

func notDownloaded(ids []waptwua.UpdateID, updates map[waptwua.UpdateID]waptwua.OnHost) []waptwua.UpdateID {
	var out []waptwua.UpdateID
	for _, id := range ids {
		if !updates[id].Downloaded {
			out = append(out, id)
		}
	}
	return out
}

// due lists the updates to try now.
func (op *operation) due(o InstallOptions) []waptwua.UpdateID {
	var ids []waptwua.UpdateID
	for id, u := range op.mem.State.Updates {
		if !isNeeded(u) || len(o.Only) > 0 && !slices.Contains(o.Only, id) {
			continue
		}
		if o.Force || op.mayTry(u.Failure) && op.mem.RolledBack[id.String()] < op.opt.MaxRestarts {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, compareIDs)
	return ids
}

// mayTry tells whether a failed update's wait is over.
func (op *operation) mayTry(f *waptwua.Failure) bool {
	if f == nil {
		return true
	}
	return f.Attempts < maxAttempts && !op.now().Before(f.At.Add(doubled(op.opt.RetryInstall, f.Attempts, maxRetryInstall)))
}

// plans chooses for each update how it is installed, and notes that. An
// update whose statement cannot be read is left to the Windows Update Agent,
// where staging it tells the failure.
func (op *operation) plans(f *found, ids []waptwua.UpdateID) map[waptwua.UpdateID]plan {
	out := make(map[waptwua.UpdateID]plan, len(ids))
	for _, id := range ids {
		u := op.mem.State.Updates[id]
		st, err := op.keptStatement(id, f.archive)
		if err != nil {
			st = &transport.FilesStatement{}
		}
		u.Way = wayOf(parts(st, f.updates[id]))
		op.mem.State.Updates[id], out[id] = u, plan{way: u.Way, stack: isServicingStack(f.updates[id].Update, st)}
	}
	return out
}

// installBatches installs one batch after the other; none is begun after
// notAfter. tried tells whether an installer was called at all. A Windows
// Update Agent that is busy holds its own batches, not those of packages.
func (op *operation) installBatches(ctx context.Context, f *found, batches []batch, notAfter time.Time) (tried bool, err error) {
	var busy error
	restart, alone := false, false // asked for: by any, by one that must be installed alone
	for _, b := range batches {
		if ctx.Err() != nil {
			return tried, ctx.Err()
		}
		if !notAfter.IsZero() && !op.now().Before(notAfter) {
			op.log.Info("window has closed; the rest waits for the next one", "updates", len(b.ids))
			break
		}
		if b.exclusive && restart || alone {
			op.log.Info("the rest waits for the restart", "update", b.ids[0])
			break
		}
		if busy != nil && !isPackaged(b.way) {
			continue
		}
		called, needs, err := op.installBatch(ctx, f, b)
		tried, restart, alone = tried || called, restart || needs, b.exclusive && needs
		switch {
		case isBusy(err):
			busy = err
		case err != nil:
			return tried, errors.Join(busy, err)
		}
	}
	return tried, busy
}

// installBatch calls the installer of a batch. called tells whether it came
// to that.
func (op *operation) installBatch(ctx context.Context, f *found, b batch) (called, restart bool, err error) {
	if isPackaged(b.way) {
		restart, err = op.installPackages(ctx, f, b.ids[0], b.way)
		return true, restart, err
	}
	ids := op.stage(ctx, f, b.ids)
	if len(ids) == 0 {
		return false, false, nil
	}
	restart, err = op.call(ctx, ids)
	return true, restart, err
}

// stage gives the files of the updates to the installer and returns the
// updates for which that worked.
func (op *operation) stage(ctx context.Context, f *found, ids []waptwua.UpdateID) []waptwua.UpdateID {
	var staged []waptwua.UpdateID
	for _, id := range ids {
		if err := op.stageOne(ctx, f, id); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			op.noteFailure(id, func(n int) waptwua.Failure { return wua.FailureOf(err, op.now(), n) })
			continue
		}
		staged = append(staged, id)
	}
	return staged
}

// stageOne checks the files of one update once more and stages those of each
// of its leaves that apply to this host.
func (op *operation) stageOne(ctx context.Context, f *found, id waptwua.UpdateID) error {
	if err := f.updates[id].Incomplete; err != nil {
		return err
	}
	st, err := op.keptStatement(id, f.archive)
	if err != nil {
		return err
	}
	for _, leaf := range parts(st, f.updates[id]) {
		paths, err := op.checked(ctx, leaf.Files)
		if err != nil {
			return err
		}
		if err := op.opt.WUA.Stage(ctx, leaf.ID, paths); err != nil {
			return err
		}
	}
	return nil
}

// checked verifies the files again and returns their absolute paths.
func (op *operation) checked(ctx context.Context, files []waptwua.File) ([]string, error) {
	var paths []string
	for _, file := range files {
		if err := op.cache.Verify(ctx, file); err != nil {
			return nil, fmt.Errorf("file %s in the cache: %w", file.Name, err)
		}
		p, err := filepath.Abs(op.cache.Path(file))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(paths, p) {
			paths = append(paths, p)
		}
	}
	return paths, nil
}

// noteResults notes what the installer said about each update.
func (op *operation) noteResults(ids []waptwua.UpdateID, r *wua.Result) {
	answered := map[waptwua.UpdateID]wua.UpdateResult{}
	for _, u := range r.Updates {
		answered[u.ID] = u
	}
	for _, id := range ids {
		res, ok := answered[id]
		delete(op.mem.Stopped, id.String())
		switch {
		case !ok:
			op.noteFailure(id, func(n int) waptwua.Failure {
				return waptwua.Failure{Sentence: "The installer gave no result for this update.", At: op.now(), Attempts: n}
			})
		case res.Code == wua.Succeeded || res.Code == wua.SucceededWithErrors:
			op.noteSuccess(id, res.RebootRequired)
		case res.HResult == wua.OK: // stopped before its turn
		default:
			op.noteFailure(id, func(n int) waptwua.Failure { return wua.Failure(res.HResult, op.now(), n) })
		}
	}
}

// noteSuccess notes what the installer said; the next search verifies it.
func (op *operation) noteSuccess(id waptwua.UpdateID, restart bool) {
	u := op.mem.State.Updates[id]
	u.Installed, u.Verified = op.now(), time.Time{}
	if restart {
		u.Status = waptwua.StatusReboot
		u.Reach(waptwua.PhaseWaiting, op.now(), "")
	}
	op.mem.State.Updates[id] = u
}

func (op *operation) noteFailure(id waptwua.UpdateID, describe func(attempts int) waptwua.Failure) {
	u := op.mem.State.Updates[id]
	n := 1
	if u.Failure != nil {
		n = u.Failure.Attempts + 1
	}
	f := describe(n)
	u.Status, u.Failure, u.Installed = waptwua.StatusError, &f, time.Time{}
	u.Reach(waptwua.PhaseFailed, op.now(), codeOf(f))
	op.mem.State.Updates[id] = u
	op.log.Warn("update failed", "update", id, "hresult", wua.Code(f.HResult), "attempts", n, "reason", f.Sentence)
}

// codeOf is the code of a failure as the note of a step; empty: it has none.
func codeOf(f waptwua.Failure) string {
	if f.HResult == 0 {
		return ""
	}
	return wua.Code(f.HResult).String()
}
