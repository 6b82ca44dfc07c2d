package server

import (
	"context"

	"waptwua"
	"waptwua/transport"
)

// Archiver keeps the scan archive: it fetches it from Microsoft, verifies it
// and publishes it on the shelf with its digests.
type Archiver interface {
	// Refresh brings the published archive up to date. It returns
	// waptwua.ErrUnchanged when the origin has nothing newer, and then also
	// the archive that is published. An archive that is not trusted
	// (ErrNotTrusted), damaged (ErrDigest) or older than the published one
	// (ErrStale) is refused; what was published before stays. With force the
	// hints of the origin (ETag, date, length) are ignored and an older
	// archive is accepted; a wrong signature never is. progress, which may be
	// nil, is called while bytes arrive; total is -1 where unknown.
	// A repeated call after a failure or a kill goes on where it stopped.
	Refresh(ctx context.Context, force bool, progress func(done, total int64)) (waptwua.Archive, error)
	// Published describes the archive that hosts get, or returns
	// waptwua.ErrNotFound before the first one.
	Published(ctx context.Context) (waptwua.Archive, error)
}

// Fetcher brings payload files onto the shelf.
type Fetcher interface {
	// Fetch downloads f, verifies size, SHA-1 and, where known, SHA-256, and
	// puts it on the shelf as f.StoredName(). A file that lies there already
	// with the right digest is not fetched again. Bytes that do not fit give
	// waptwua.ErrDigest, an address outside Microsoft's hosts
	// waptwua.ErrForbidden; neither leaves anything on the shelf. An
	// interrupted download is resumed by the next call. progress, which may
	// be nil, gets the bytes held so far.
	Fetch(ctx context.Context, f waptwua.File, progress func(done int64)) error
}

// Catalogue answers from one scan archive. It does not change and may be
// asked from several goroutines.
type Catalogue interface {
	// Archive is the digest of the archive behind the answers.
	Archive() waptwua.SHA256
	// Update describes an update; ok is false when the archive lacks it.
	Update(id waptwua.UpdateID) (u waptwua.Update, ok bool)
	// Leaves lists the updates without children that make up id, with their
	// files; empty when the archive lacks id.
	Leaves(id waptwua.UpdateID) []transport.LeafFiles
}

// Loader reads the catalogue of the published archive.
type Loader interface {
	// Load returns the catalogue, or waptwua.ErrNotFound while no archive is
	// published.
	Load(ctx context.Context) (Catalogue, error)
}

// Scrubber looks for damaged files on the shelf.
type Scrubber interface {
	// Scrub removes payloads whose bytes do not have the digest that their
	// name begins with, and returns their names.
	Scrub(ctx context.Context) ([]string, error)
}

// Job is a kind of background work.
type Job string

// The jobs.
const (
	JobArchive Job = "refresh-archive"
	JobFiles   Job = "missing-files"
	JobCleanUp Job = "clean-up"
	JobExpiry  Job = "expiry"
)

// Queue has background work done, by this process or another replica.
type Queue interface {
	// Run queues a run of job. It returns waptwua.ErrConflict when one is
	// queued or running already. reason says why, for people. force is for
	// JobArchive: see Archiver.Refresh.
	Run(ctx context.Context, job Job, reason string, force bool) error
	// Download queues the download of a known file, unless it is queued
	// or running already.
	Download(ctx context.Context, storedName string) error
	// RetryNow has downloads that wait after a failure tried at once.
	RetryNow(ctx context.Context) error
	// Soon has JobFiles run within seconds, for reasons that come many at a
	// time. It does not wait. A run that began before does not count.
	Soon()
}
