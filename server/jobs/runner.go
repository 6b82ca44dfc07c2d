package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"waptwua/server"
)

// Worker does the work; *server.Upkeep is one.
type Worker interface {
	Do(ctx context.Context, job server.Job, reason string, force bool) error
	FetchFile(ctx context.Context, storedName string, next func() time.Time) error
	LoadCatalogue(ctx context.Context) error
	// LastRun is when a job last ended well; zero: never.
	LastRun(ctx context.Context, job server.Job) (time.Time, error)
}

// Plan says when jobs run.
type Plan struct {
	ArchiveAt  Clock         // of day, local time
	FilesEvery time.Duration // between runs of missing-files
	Downloads  int           // files at a time
}

// Clock is a time of day.
type Clock struct{ Hour, Minute int }

// Next is the next such time after t, in t's zone.
func (c Clock) Next(t time.Time) time.Time {
	n := time.Date(t.Year(), t.Month(), t.Day(), c.Hour, c.Minute, 0, 0, t.Location())
	if !n.After(t) {
		n = time.Date(t.Year(), t.Month(), t.Day()+1, c.Hour, c.Minute, 0, 0, t.Location())
	}
	return n
}

const (
	day     = 24 * time.Hour
	settle  = 300 * time.Millisecond // reports that come together cause one run
	again   = time.Second            // before looking whether a running run has ended
	neverMe = -1                     // no time limit: stalled transfers end by themselves
)

// Runner does the queued work.
type Runner struct {
	client *river.Client[*sql.Tx]
	queue  *Queue
	work   Worker
	log    *slog.Logger
	now    func() time.Time

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// NewRunner prepares a runner for queue's work. now is the clock.
func NewRunner(d Driver, queue *Queue, work Worker, plan Plan, log *slog.Logger, now func() time.Time) (*Runner, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &upkeepWorker{work: work, log: log, now: now})
	river.AddWorker(workers, &downloadWorker{work: work, log: log, now: now})
	queues := map[string]river.QueueConfig{downloads: {MaxWorkers: max(plan.Downloads, 1)}}
	for _, j := range []server.Job{server.JobArchive, server.JobFiles, server.JobCleanUp, server.JobExpiry} {
		queues[string(j)] = river.QueueConfig{MaxWorkers: 1}
	}
	c, err := river.NewClient(d, &river.Config{
		Logger: log, Workers: workers, Queues: queues, PeriodicJobs: periodic(plan),
		JobTimeout: neverMe, RescueStuckJobsAfter: day,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing background jobs: %w", err)
	}
	return &Runner{client: c, queue: queue, work: work, log: log, now: now}, nil
}

// periodic lists what runs by the clock. The archive's hour is wall-clock
// time: an interval would begin anew with every restart.
func periodic(plan Plan) []*river.PeriodicJob {
	at := func(s river.PeriodicSchedule, j server.Job, atStart bool) *river.PeriodicJob {
		return river.NewPeriodicJob(s, func() (river.JobArgs, *river.InsertOpts) {
			a := upkeepArgs{Job: j, Reason: "schedule"}
			return a, a.options()
		}, &river.PeriodicJobOpts{ID: string(j), RunOnStart: atStart})
	}
	cleanUp := Clock{Hour: (plan.ArchiveAt.Hour + 12) % 24, Minute: plan.ArchiveAt.Minute}
	return []*river.PeriodicJob{
		at(plan.ArchiveAt, server.JobArchive, false),
		at(river.PeriodicInterval(plan.FilesEvery), server.JobFiles, false),
		at(cleanUp, server.JobCleanUp, false),
		at(river.PeriodicInterval(time.Hour), server.JobExpiry, true),
	}
}

// Start begins: it loads the catalogue of the published archive beside the
// other work, catches up on daily runs that were missed, and then does what
// is queued until Stop.
//
// A wish for missing-files (Queue.Soon) is fulfilled by a run that begins
// after it: while one is running the wish waits for its end.
func (r *Runner) Start(ctx context.Context) error {
	ctx, r.stop = context.WithCancel(ctx)
	if err := r.client.Start(ctx); err != nil {
		r.stop()
		return fmt.Errorf("starting background jobs: %w", err)
	}
	r.wg.Go(func() { r.prepare(ctx) })
	r.wg.Go(func() { r.fulfil(ctx) })
	return nil
}

// Stop interrupts what runs and waits for its end; the work goes on at the
// next start.
func (r *Runner) Stop(ctx context.Context) error {
	r.stop()
	err := r.client.StopAndCancel(ctx)
	r.wg.Wait()
	if err != nil {
		return fmt.Errorf("stopping background jobs: %w", err)
	}
	return nil
}

func (r *Runner) prepare(ctx context.Context) {
	if err := r.work.LoadCatalogue(ctx); err != nil && ctx.Err() == nil {
		r.log.ErrorContext(ctx, "catalogue not loaded", "err", err)
	}
	r.queue.Soon()
	for _, j := range []server.Job{server.JobArchive, server.JobCleanUp} {
		if err := r.catchUp(ctx, j); err != nil && ctx.Err() == nil {
			r.log.ErrorContext(ctx, "missed run not queued", "job", j, "err", err)
		}
	}
}

// catchUp queues a daily job that did not end well for a day.
func (r *Runner) catchUp(ctx context.Context, j server.Job) error {
	last, err := r.work.LastRun(ctx, j)
	if err != nil || r.now().Sub(last) < day {
		return err
	}
	_, err = r.queue.insert(ctx, upkeepArgs{Job: j, Reason: "at the start: none for a day"})
	return err
}

// fulfil turns wishes for missing-files into runs.
func (r *Runner) fulfil(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.queue.wake:
		}
		for wait := settle; sleep(ctx, wait); wait = again {
			was, err := r.queue.insert(ctx, upkeepArgs{Job: server.JobFiles, Reason: server.ReasonReport})
			if err != nil && ctx.Err() == nil {
				r.log.ErrorContext(ctx, "run not queued", "job", server.JobFiles, "err", err)
			}
			if was == nil || was.State != rivertype.JobStateRunning {
				break
			}
		}
	}
}

// sleep waits, or returns false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// upkeepWorker does runs.
type upkeepWorker struct {
	river.WorkerDefaults[upkeepArgs]
	work Worker
	log  *slog.Logger
	now  func() time.Time
}

// Work implements river.Worker.
func (w *upkeepWorker) Work(ctx context.Context, job *river.Job[upkeepArgs]) error {
	reason := job.Args.Reason
	if job.Attempt > 1 && reason != server.ReasonReport {
		reason = fmt.Sprintf("%s, attempt %d", reason, job.Attempt)
	}
	err := w.work.Do(ctx, job.Args.Job, reason, job.Args.Force)
	warn(ctx, w.log, err, job.JobRow, w.NextRetry(job), "job", job.Args.Job, "reason", reason)
	return interrupted(ctx, err)
}

// NextRetry implements river.Worker.
func (w *upkeepWorker) NextRetry(job *river.Job[upkeepArgs]) time.Time {
	return w.now().Add(upkeepDelays[min(max(job.Attempt, 1), len(upkeepDelays))-1])
}

// downloadWorker fetches files.
type downloadWorker struct {
	river.WorkerDefaults[downloadArgs]
	work Worker
	log  *slog.Logger
	now  func() time.Time
}

// Work implements river.Worker.
func (w *downloadWorker) Work(ctx context.Context, job *river.Job[downloadArgs]) error {
	next := func() time.Time { return w.NextRetry(job) }
	err := w.work.FetchFile(ctx, job.Args.StoredName, next)
	warn(ctx, w.log, err, job.JobRow, next(), "job", downloads, "file", job.Args.StoredName, "attempt", job.Attempt)
	return interrupted(ctx, err)
}

// NextRetry implements river.Worker.
func (w *downloadWorker) NextRetry(job *river.Job[downloadArgs]) time.Time {
	return w.now().Add(downloadDelay(job.Attempt))
}

// warn logs that a job failed, and when it is tried again; one that Stop cut
// short has not failed.
func warn(ctx context.Context, log *slog.Logger, err error, job *rivertype.JobRow, next time.Time, what ...any) {
	if err == nil || ctx.Err() != nil {
		return
	}
	what = append(what, "err", err)
	if job.Attempt < job.MaxAttempts {
		what = append(what, "next", next.UTC().Truncate(time.Second))
	}
	log.WarnContext(ctx, "job failed", what...)
}

// interrupted gives a job that was cut short by Stop back to the queue, to be
// done at the next start, without counting the attempt.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !errors.Is(context.Cause(ctx), rivertype.ErrJobCancelledRemotely) {
		return river.JobSnooze(0)
	}
	return err
}
