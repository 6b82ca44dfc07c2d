// Package store says what a fleet's server remembers, as record types and
// small role interfaces with written contracts. store/sqlstore keeps them in
// a SQL database, store/sqlite opens one in a file, and store/storetest is
// the suite that every implementation passes.
//
// # Promises of every implementation
//
//   - A call outside of a transaction is one by itself: it happens wholly or
//     not at all, also across a kill.
//   - Writers come one after the other; a reader sees the state after one of
//     them, never the middle of one, and never waits for a writer.
//   - What is missing gives waptwua.ErrNotFound, what exists already
//     waptwua.ErrConflict.
//   - Times are kept in UTC to the microsecond; the zero time stays zero.
//   - Text comes back as it was given, a NUL byte excepted, which databases
//     refuse: callers take it out before. HostUpdate.Record may have any.
//   - Lists have a stated order, so that pages do not overlap.
//
// The store knows no rules of the fleet's work. It has one piece of meaning,
// because lists are filtered and counted by it: the effective status of an
// update on a host, see [HostUpdate].
package store

import (
	"context"
)

// Store is all that a server remembers.
type Store interface {
	Records
	Transactor
	// Close ends the use of the store; calls that run are waited for.
	Close() error
}

// Transactor joins several calls into one.
type Transactor interface {
	// Update runs fn in one transaction and commits it when fn returns nil;
	// otherwise nothing has happened and fn's error is returned. fn uses tx
	// alone: a call on the store itself from within would wait for ever.
	// When Update returns nil, the change survives a loss of power.
	Update(ctx context.Context, fn func(tx Records) error) error
}

// Records are the roles together, inside and outside of a transaction.
type Records interface {
	Hosts
	HostUpdates
	Updates
	Files
	Downloads
	Runs
	Tokens
	Accounts
	Sessions
	RulePackages
	Audit
	Settings
	Counts
}

// Page selects a part of a list.
type Page struct {
	Limit  int // at most so many; 0: 100
	Offset int
}

// DefaultLimit is the length of a page when none is given.
const DefaultLimit = 100
