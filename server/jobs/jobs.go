// Package jobs runs the server's background work through a durable queue
// (River, in the server's own database), so that work asked for survives a
// kill, runs once at a time, and is tried again after a failure.
//
// # What runs
//
//	refresh-archive  daily at a wall-clock time, on demand, at the start when
//	                 a run was missed; tried again after 10 s, 30 s, 2, 10, 30 min
//	missing-files    every FilesEvery, on demand, at the start, and within
//	                 seconds after reports
//	clean-up         daily, 12 hours after the archive
//	expiry           hourly
//	download         one job a file, Downloads at a time; tried again after
//	                 5 s, growing to 30 minutes, 25 times; the next
//	                 missing-files run begins anew
//
// A run or download that fails is a warning in the log, with its reason and
// the time of the next attempt.
//
// Of each kind at most one run is queued or running, and of each file one
// download; a run asked for while one waits for another attempt takes its
// place. Reports ask for missing-files in a way that cannot be lost: a run
// that began before the report does not count (see Runner.Start).
//
// One Queue may feed the Runners of several replicas. After a kill, jobs
// that were running wait until they are rescued; a single server does so at
// its start (store/sqlite: RescueJobs).
package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"waptwua"
	"waptwua/server"
)

// Driver is what the queue needs of a database.
type Driver = riverdriver.Driver[*sql.Tx]

// downloads is the queue of files; every other job has one of its own name.
const downloads = "download"

// How often a job is tried.
const (
	attemptsUpkeep   = 6
	attemptsDownload = 25
)

// live are the states in which a job keeps another like it out.
var live = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
	rivertype.JobStateRetryable, rivertype.JobStateScheduled,
}

// waiting are the states between two attempts; the queue makes a job whose
// next attempt is near available ahead of its time.
var waiting = []rivertype.JobState{rivertype.JobStateRetryable, rivertype.JobStateScheduled, rivertype.JobStateAvailable}

// upkeepArgs ask for a run of one of the server's jobs.
type upkeepArgs struct {
	Job    server.Job `json:"job" river:"unique"`
	Reason string     `json:"reason"`
	Force  bool       `json:"force,omitempty"`
}

// Kind implements river.JobArgs.
func (upkeepArgs) Kind() string { return "upkeep" }

func (a upkeepArgs) options() *river.InsertOpts {
	return &river.InsertOpts{Queue: string(a.Job), MaxAttempts: attemptsUpkeep, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: live}}
}

// downloadArgs ask for one file.
type downloadArgs struct {
	StoredName string `json:"stored_name" river:"unique"`
}

// Kind implements river.JobArgs.
func (downloadArgs) Kind() string { return downloads }

func (downloadArgs) options() *river.InsertOpts {
	return &river.InsertOpts{Queue: downloads, MaxAttempts: attemptsDownload, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: live}}
}

// Queue is a server.Queue.
type Queue struct {
	client *river.Client[*sql.Tx]
	wake   chan struct{} // capacity 1: missing-files is wanted
}

var _ server.Queue = (*Queue)(nil)

// NewQueue makes a queue that only takes work; a Runner does it.
func NewQueue(d Driver, log *slog.Logger) (*Queue, error) {
	c, err := river.NewClient(d, &river.Config{Logger: log})
	if err != nil {
		return nil, fmt.Errorf("opening the job queue: %w", err)
	}
	return &Queue{client: c, wake: make(chan struct{}, 1)}, nil
}

// Run implements server.Queue.
func (q *Queue) Run(ctx context.Context, job server.Job, reason string, force bool) error {
	args := upkeepArgs{Job: job, Reason: reason, Force: force}
	was, err := q.insert(ctx, args)
	if err != nil || was == nil {
		return err
	}
	if was.State != rivertype.JobStateRetryable {
		return fmt.Errorf("a run of %s is queued or running already: %w", job, waptwua.ErrConflict)
	}
	if _, err := q.client.JobCancel(ctx, was.ID); err != nil {
		return fmt.Errorf("replacing the waiting run of %s: %w", job, err)
	}
	if was, err = q.insert(ctx, args); err == nil && was != nil {
		err = fmt.Errorf("a run of %s was queued meanwhile: %w", job, waptwua.ErrConflict)
	}
	return err
}

// insert queues a run; was is the one that kept it out.
func (q *Queue) insert(ctx context.Context, args upkeepArgs) (was *rivertype.JobRow, err error) {
	res, err := q.client.Insert(ctx, args, args.options())
	if err != nil {
		return nil, fmt.Errorf("queueing a run of %s: %w", args.Job, err)
	}
	if res.UniqueSkippedAsDuplicate {
		return res.Job, nil
	}
	return nil, nil
}

// Download implements server.Queue.
func (q *Queue) Download(ctx context.Context, storedName string) error {
	args := downloadArgs{StoredName: storedName}
	if _, err := q.client.Insert(ctx, args, args.options()); err != nil {
		return fmt.Errorf("queueing the download of %s: %w", storedName, err)
	}
	return nil
}

// RetryNow implements server.Queue.
func (q *Queue) RetryNow(ctx context.Context) error {
	const most = 1000
	list, err := q.client.JobList(ctx, river.NewJobListParams().Kinds(downloads).States(waiting...).First(most))
	if err != nil {
		return fmt.Errorf("listing downloads that wait: %w", err)
	}
	for _, j := range list.Jobs {
		if _, err := q.client.JobRetry(ctx, j.ID); err != nil && !errors.Is(err, river.ErrNotFound) {
			return fmt.Errorf("trying a download again: %w", err)
		}
	}
	return nil
}

// Soon implements server.Queue.
func (q *Queue) Soon() {
	select {
	case q.wake <- struct{}{}:
	default: // wanted already
	}
}

// upkeepDelays are the waits before the next attempt at a run.
var upkeepDelays = []time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute}

// downloadDelay is the wait before the next attempt at a file: 5 s, 15 s,
// 45 s … to half an hour.
func downloadDelay(attempt int) time.Duration {
	d := 5 * time.Second
	for range min(attempt, 7) - 1 {
		d *= 3
	}
	return min(d, 30*time.Minute)
}
