package store

import (
	"context"
	"time"

	"waptwua"
)

// Update is an update that some host has or needs.
type Update struct {
	GUID         string                 `bun:"guid,pk"`
	Revision     int                    `bun:",pk"`
	Title        string                 `bun:"title"`
	Severity     string                 `bun:"severity"`
	KBs          string                 `bun:"kbs"` // " KB1 KB2 ", for searching
	Published    time.Time              `bun:"published,nullzero"`
	SeenAt       time.Time              `bun:"seen_at,nullzero"`       // first reported by a host
	DownloadedOn time.Time              `bun:"downloaded_on,nullzero"` // when the last of its files arrived; zero: not all are there
	Archive      string                 `bun:"archive"`                // SHA-256 of the archive that gave description and files, hexadecimal; empty: none yet
	Described    bool                   `bun:"described"`              // by the catalogue or by a host
	HasFiles     bool                   `bun:"has_files"`              // its files are known; it may need none
	About        waptwua.Update         `bun:"about,type:text"`
	Tally        map[waptwua.Status]int `bun:"-"` // hosts by effective status; filled by ListUpdates and Update
}

// ID is the identity of the update.
func (u Update) ID() waptwua.UpdateID {
	return waptwua.UpdateID{GUID: u.GUID, Revision: u.Revision}
}

// UpdateQuery selects updates. Zero fields do not restrict.
type UpdateQuery struct {
	Page
	Search string         // part of title, KB or GUID, without case
	Status waptwua.Status // of this effective status on some host
}

// Updates remembers the updates that hosts have reported.
type Updates interface {
	// FindUpdate returns one update.
	FindUpdate(ctx context.Context, id waptwua.UpdateID) (Update, error)
	// ListUpdates returns updates, newest first, and how many the query selects in all.
	ListUpdates(ctx context.Context, q UpdateQuery) ([]Update, int, error)
	// SeeUpdates makes records for those of ids that have none.
	SeeUpdates(ctx context.Context, ids []waptwua.UpdateID, at time.Time) error
	// Undescribed returns those of ids without a description.
	Undescribed(ctx context.Context, ids []waptwua.UpdateID) ([]waptwua.UpdateID, error)
	// OutdatedUpdates lists updates whose description and files come from
	// another archive than the one named (or from none), at most limit,
	// beginning after the update after (zero: from the first).
	OutdatedUpdates(ctx context.Context, archive string, after waptwua.UpdateID, limit int) ([]Update, error)
	// DescribeUpdates sets what is known about updates that were seen:
	// description, Archive, Described. Updates never seen are passed over.
	DescribeUpdates(ctx context.Context, us []Update) error
	// NeededUpdates lists the updates that some enrolled host lacks and may
	// install now or later.
	NeededUpdates(ctx context.Context) ([]Need, error)
}

// Need says how many enrolled hosts lack an update.
type Need struct {
	GUID     string `bun:"guid"`
	Revision int
	Allowed  int // hosts that may install it now
	Absent   int // of those, hosts that do not hold all its files
	Held     int // hosts that may install it later
}

// ID is the identity of the update.
func (n Need) ID() waptwua.UpdateID { return waptwua.UpdateID{GUID: n.GUID, Revision: n.Revision} }
