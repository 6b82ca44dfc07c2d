package store

import (
	"context"
	"time"

	"waptwua"
)

// File is a payload file that some update seen consists of.
type File struct {
	StoredName  string       `bun:",pk"` // waptwua.File.StoredName
	File        waptwua.File `bun:"file,type:text"`
	Size        int64        `bun:"size"`
	PresentAt   time.Time    `bun:"present_at,nullzero"`   // since when it lies on the shelf; zero: it does not
	UnneededAt  time.Time    `bun:"unneeded_at,nullzero"`  // since when no host needs it; zero: it is needed
	Attempts    int          `bun:"attempts"`              // failed downloads since the last success
	NextAttempt time.Time    `bun:"next_attempt,nullzero"` // not to be tried before
	Error       string       `bun:"error"`                 // of the last attempt
}

// FileSummary counts payload files.
type FileSummary struct {
	Needed       int   // files that some host lacks and may install
	NeededBytes  int64 // their sizes
	Missing      int   // of those, not on the shelf
	MissingBytes int64
	Present      int // on the shelf, needed or not
	PresentBytes int64
}

// Files remembers which files updates consist of and which are on the shelf.
//
// An update's DownloadedOn is kept here: it is set when the last of its
// files becomes present (at once, for an update without files) and cleared
// when one goes.
type Files interface {
	// SetUpdateFiles replaces the files of an update that was seen.
	// Files new to the store are not present.
	SetUpdateFiles(ctx context.Context, id waptwua.UpdateID, files []waptwua.File, at time.Time) error
	// FilesOfUpdate lists the files of an update in the order of names.
	FilesOfUpdate(ctx context.Context, id waptwua.UpdateID) ([]File, error)
	// UpdatesOfFile lists the updates that a file belongs to.
	UpdatesOfFile(ctx context.Context, storedName string) ([]Update, error)
	// FindFile returns one file.
	FindFile(ctx context.Context, storedName string) (File, error)
	// NeededFiles lists the files of updates that an enrolled host may
	// install now and lacks: the update, and a copy of the files.
	NeededFiles(ctx context.Context) ([]File, error)
	// ListFiles lists every known file, in the order of names.
	ListFiles(ctx context.Context) ([]File, error)
	// SetPresence says that a file lies on the shelf since at, or, for the
	// zero time, that it does not. Setting it present clears its error. A
	// file already present keeps its time.
	SetPresence(ctx context.Context, storedName string, at time.Time) error
	// FailedFile counts a failed attempt.
	FailedFile(ctx context.Context, storedName, reason string, next time.Time) error
	// RetryFiles forgets the waiting times after failures.
	RetryFiles(ctx context.Context) error
	// MarkUnneeded sets UnneededAt to at for files that no host needs and
	// have none yet, and clears it for files that are needed again. A file is
	// needed while an enrolled host lacks an update of it that it may install
	// now or later.
	MarkUnneeded(ctx context.Context, at time.Time) error
	// ForgetFiles removes files that belong to no update and are not on the shelf.
	ForgetFiles(ctx context.Context) (int, error)
	// SumFiles counts.
	SumFiles(ctx context.Context) (FileSummary, error)
}
