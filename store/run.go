package store

import (
	"context"
	"encoding/json"
	"time"
)

// State is the state of a download or a run.
type State string

// The states.
const (
	Pending  State = "pending"
	Running  State = "running"
	Finished State = "finished"
	Skipped  State = "skipped" // there was nothing to do
	Failed   State = "failed"
	Broken   State = "interrupted" // the server stopped meanwhile
)

// Download is one attempt to fetch a file.
type Download struct {
	ID         int64     `bun:",pk,autoincrement"`
	StoredName string    `bun:"stored_name"`
	URL        string    `bun:"url"`
	Updates    string    `bun:"updates"` // titles or KBs, for people
	State      State     `bun:"state"`
	Attempt    int       `bun:"attempt"`
	Done       int64     `bun:"done"`  // bytes
	Total      int64     `bun:"total"` // bytes
	Speed      int64     `bun:"speed"` // bytes per second, of this attempt
	CreatedAt  time.Time `bun:"created_at,nullzero"`
	StartedAt  time.Time `bun:"started_at,nullzero"`
	FinishedAt time.Time `bun:"finished_at,nullzero"`
	Error      string    `bun:"error"`
}

// DownloadQuery selects downloads. Zero fields do not restrict.
type DownloadQuery struct {
	Page
	State State
}

// Downloads remembers attempts to fetch files.
type Downloads interface {
	// AddDownload makes a record and returns its ID.
	AddDownload(ctx context.Context, d Download) (int64, error)
	// PutDownload replaces the record d.ID.
	PutDownload(ctx context.Context, d Download) error
	// ListDownloads returns the latest first, and how many are selected in all.
	ListDownloads(ctx context.Context, q DownloadQuery) ([]Download, int, error)
	// PendingDownload returns the pending or running download of a file, or waptwua.ErrNotFound.
	PendingDownload(ctx context.Context, storedName string) (Download, error)
	// BreakDownloads marks running and pending downloads as interrupted: at the
	// start of the only server.
	BreakDownloads(ctx context.Context, at time.Time) error
	// DropDownloads forgets downloads that ended before the time given.
	DropDownloads(ctx context.Context, before time.Time) (int, error)
}

// Run is one run of a job.
type Run struct {
	ID         int64           `bun:",pk,autoincrement"`
	Kind       string          `bun:"kind"`   // refresh-archive, missing-files, clean-up, expiry
	Reason     string          `bun:"reason"` // why it ran: schedule, or on demand and by whom
	State      State           `bun:"state"`
	Done       int64           `bun:"done"`  // bytes, where the job moves some
	Total      int64           `bun:"total"` // bytes; -1: unknown
	Speed      int64           `bun:"speed"` // bytes per second
	StartedAt  time.Time       `bun:"started_at,nullzero"`
	FinishedAt time.Time       `bun:"finished_at,nullzero"`
	Message    string          `bun:"message"` // the outcome in a sentence
	Error      string          `bun:"error"`
	Result     json.RawMessage `bun:"result,type:text"` // figures, by kind; may be nil
}

// RunQuery selects runs. Zero fields do not restrict.
type RunQuery struct {
	Page
	Kind string
}

// Runs remembers runs of jobs.
type Runs interface {
	// AddRun makes a record and returns its ID.
	AddRun(ctx context.Context, r Run) (int64, error)
	// PutRun replaces the record r.ID.
	PutRun(ctx context.Context, r Run) error
	// ListRuns returns the latest first, and how many are selected in all.
	ListRuns(ctx context.Context, q RunQuery) ([]Run, int, error)
	// BreakRuns marks running and pending runs as interrupted: at the start of the only server.
	BreakRuns(ctx context.Context, at time.Time) error
	// DropRuns forgets runs that ended before the time given.
	DropRuns(ctx context.Context, before time.Time) (int, error)
}
