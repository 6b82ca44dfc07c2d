package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"waptwua"
	"waptwua/notify"
	"waptwua/store"
)

// progressEvery bounds how often the progress of a run or download is written.
const progressEvery = time.Second

// Upkeep is the work of the background jobs. Its methods are called by the
// queue, one run of a job at a time. A run that fails is written down and
// returned as error, so that the queue tries again.
type Upkeep struct {
	*base
	catalogues *catalogues
	fetcher    Fetcher
	scrubber   Scrubber
	queue      Queue
}

// Begin makes what an earlier process left tidy: runs and downloads that it
// did not finish are marked as interrupted. For the only server of a store.
func (u *Upkeep) Begin(ctx context.Context) error {
	now := u.now()
	if err := u.store.BreakRuns(ctx, now); err != nil {
		return err
	}
	return u.store.BreakDownloads(ctx, now)
}

// Ask queues a run of a job on demand of the actor in ctx, which is an
// audit entry. It returns waptwua.ErrConflict when one is queued or running.
func (u *Upkeep) Ask(ctx context.Context, job Job, force bool) error {
	actor, _ := ActorOf(ctx)
	if err := u.queue.Run(ctx, job, "on demand of "+actor.Name, force); err != nil {
		return err
	}
	if job == JobFiles {
		if err := u.queue.RetryNow(ctx); err != nil {
			return err
		}
		if err := u.store.RetryFiles(ctx); err != nil {
			return err
		}
	}
	return u.audited(ctx, "job.run", string(job), fmt.Sprintf("force %t", force), func(store.Records) error { return nil })
}

// Do runs a job. Unknown ones give ErrInvalid.
func (u *Upkeep) Do(ctx context.Context, job Job, reason string, force bool) error {
	switch job {
	case JobArchive:
		return u.RefreshArchive(ctx, reason, force)
	case JobFiles:
		return u.MissingFiles(ctx, reason)
	case JobCleanUp:
		return u.CleanUp(ctx, reason)
	case JobExpiry:
		return u.Expire(ctx, reason)
	}
	return fmt.Errorf("job %q: %w", job, ErrInvalid)
}

// RefreshArchive brings in the scan archive and, where it changed, loads its
// catalogue.
func (u *Upkeep) RefreshArchive(ctx context.Context, reason string, force bool) error {
	return u.run(ctx, JobArchive, reason, func(ctx context.Context, r *recorder) (string, any, error) {
		a, err := u.catalogues.archiver.Refresh(ctx, force, r.progress)
		unchanged := errors.Is(err, waptwua.ErrUnchanged)
		if err != nil && !unchanged {
			return "", nil, err
		}
		if err := u.LoadCatalogue(ctx); err != nil {
			return "", a, err
		}
		if unchanged {
			return "the origin has nothing newer", a, waptwua.ErrUnchanged
		}
		return "published the archive of " + a.Created.Format(time.DateOnly), a, nil
	})
}

// LoadCatalogue brings the catalogue to the published archive, if there is
// one, and has the updates that hosts reported looked up in it.
func (u *Upkeep) LoadCatalogue(ctx context.Context) error {
	err := u.catalogues.load(ctx)
	switch {
	case errors.Is(err, waptwua.ErrUnchanged), errors.Is(err, waptwua.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	u.changed(ctx, notify.Files)
	u.queue.Soon()
	return nil
}

// recorder keeps the row of a run up to date.
type recorder struct {
	u     *Upkeep
	ctx   context.Context //nolint:containedctx // lives for one run
	mu    sync.Mutex
	row   store.Run
	first int64 // bytes held when the first progress came
	since time.Time
	last  time.Time
}

// run records a run of work: its row is there while it works, and says
// afterwards how it ended. ErrUnchanged ends it as skipped, without error.
func (u *Upkeep) run(ctx context.Context, job Job, reason string, work func(context.Context, *recorder) (string, any, error)) error {
	r := &recorder{u: u, ctx: ctx, row: store.Run{Kind: string(job), Reason: reason, State: store.Running, Total: -1, StartedAt: u.now()}}
	var err error
	if r.row.ID, err = u.store.AddRun(ctx, r.row); err != nil {
		return err
	}
	u.changed(ctx, notify.Runs)
	message, result, err := work(ctx, r)
	return errors.Join(r.finish(message, result, err), unlessUnchanged(err))
}

func unlessUnchanged(err error) error {
	if errors.Is(err, waptwua.ErrUnchanged) {
		return nil
	}
	return err
}

// finish writes the outcome, also when the run's context has ended.
func (r *recorder) finish(message string, result any, cause error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	ctx := context.WithoutCancel(r.ctx)
	r.row.FinishedAt, r.row.Message = r.u.now(), message
	r.row.State = store.Finished
	switch {
	case errors.Is(cause, waptwua.ErrUnchanged):
		r.row.State = store.Skipped
	case cause != nil && r.ctx.Err() != nil:
		r.row.State, r.row.Error = store.Broken, "the server stopped meanwhile"
	case cause != nil:
		r.row.State, r.row.Error = store.Failed, clean(cause.Error(), 2000)
	}
	if result != nil {
		b, err := json.Marshal(result)
		if err != nil {
			return fmt.Errorf("encoding the result of a run: %w", err)
		}
		r.row.Result = b
	}
	err := r.u.store.PutRun(ctx, r.row)
	r.u.changed(ctx, notify.Runs)
	return err
}

// progress notes bytes that arrived, at most once a second.
func (r *recorder) progress(done, total int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.u.now()
	if r.since.IsZero() {
		r.since, r.first = now, done
	}
	r.row.Done, r.row.Total, r.row.Speed = done, total, speed(done-r.first, now.Sub(r.since))
	if now.Sub(r.last) < progressEvery {
		return
	}
	r.last = now
	if err := r.u.store.PutRun(r.ctx, r.row); err != nil {
		r.u.log.DebugContext(r.ctx, "progress not written", "err", err)
	}
	r.u.changed(r.ctx, notify.Runs)
}

// speed is bytes per second.
func speed(bytes int64, d time.Duration) int64 {
	if d <= 0 || bytes <= 0 {
		return 0
	}
	return int64(float64(bytes) / d.Seconds())
}

// LastRun is when a job last ended well; zero: never.
func (u *Upkeep) LastRun(ctx context.Context, job Job) (time.Time, error) {
	runs, _, err := u.store.ListRuns(ctx, store.RunQuery{Kind: string(job)})
	if err != nil {
		return time.Time{}, err
	}
	for _, r := range runs {
		if r.State == store.Finished || r.State == store.Skipped {
			return r.FinishedAt, nil
		}
	}
	return time.Time{}, nil
}
