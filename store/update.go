package store

import (
	"context"
	"strings"
	"time"

	"waptwua"
)

// Update is an update that some host has or needs.
type Update struct {
	GUID            string                 `bun:"guid,pk"`
	Revision        int                    `bun:",pk"`
	Title           string                 `bun:"title"`
	Severity        string                 `bun:"severity"`
	KBs             string                 `bun:"kbs"`             // " KB1 KB2 ", for searching
	Products        string                 `bun:"products"`        // "\nWindows 10\nWindows 11\n", for filtering; see Names
	Classifications string                 `bun:"classifications"` // classifications, in the same form
	Published       time.Time              `bun:"published,nullzero"`
	SeenAt          time.Time              `bun:"seen_at,nullzero"`       // first reported by a host
	DownloadedOn    time.Time              `bun:"downloaded_on,nullzero"` // when the last of its files arrived; zero: not all are there
	Archive         string                 `bun:"archive"`                // SHA-256 of the archive that gave description and files, hexadecimal; empty: none yet
	Described       bool                   `bun:"described"`              // by the catalogue or by a host
	HasFiles        bool                   `bun:"has_files"`              // its files are known; it may need none
	About           waptwua.Update         `bun:"about,type:text"`
	Tally           map[waptwua.Status]int `bun:"-"` // hosts by effective status; filled by ListUpdates and Update
}

// ID is the identity of the update.
func (u Update) ID() waptwua.UpdateID {
	return waptwua.UpdateID{GUID: u.GUID, Revision: u.Revision}
}

// UpdateQuery selects updates. Zero fields do not restrict.
type UpdateQuery struct {
	Page
	Search         string         // part of title, KB or GUID, without case
	Status         waptwua.Status // of this effective status on some host
	Severity       string         // rated so; SeverityNone: not rated
	Product        string         // of this product, by its whole name
	Classification string         // of this classification, by its whole name
	Files          Presence

	Sort      UpdateSort
	Ascending bool
}

// SeverityNone selects updates that Microsoft did not rate.
const SeverityNone = "None"

// Presence selects updates by whether their files are all on the server.
type Presence string

// The presences; the empty one does not restrict.
const (
	FilesPresent Presence = "present"
	FilesAbsent  Presence = "absent"
)

// UpdateSort is an order of updates; title and identity decide between equals.
type UpdateSort string

// The orders, the largest first unless the query says Ascending.
const (
	UpdatesByPublished  UpdateSort = "" // the default: newest first
	UpdatesByTitle      UpdateSort = "title"
	UpdatesBySeverity   UpdateSort = "severity" // Critical is the largest
	UpdatesByNeed       UpdateSort = "needed"   // hosts that lack it and may install it
	UpdatesByDownloaded UpdateSort = "downloaded"
)

// Names joins names into the form in which Update keeps them.
func Names(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "\n" + strings.Join(names, "\n") + "\n"
}

// Facets count the updates seen by what one may filter by. An update of two
// products counts for both.
type Facets struct {
	Severities      map[string]int // unrated ones under SeverityNone
	Products        map[string]int
	Classifications map[string]int
}

// Updates remembers the updates that hosts have reported.
type Updates interface {
	// FindUpdate returns one update.
	FindUpdate(ctx context.Context, id waptwua.UpdateID) (Update, error)
	// ListUpdates returns updates in the order of the query, and how many the query selects in all.
	ListUpdates(ctx context.Context, q UpdateQuery) ([]Update, int, error)
	// CountFacets counts all updates seen.
	CountFacets(ctx context.Context) (Facets, error)
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
