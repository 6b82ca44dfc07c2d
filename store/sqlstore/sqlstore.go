// Package sqlstore implements store.Store on a SQL database through bun. Its
// statements are those that SQLite and PostgreSQL understand alike; opening
// a database, its schema and its settings belong to the driver packages
// (store/sqlite), and nothing here depends on one of them.
//
// # Forms in the database
//
// Times are UTC with microseconds, the zero time is NULL. Structured values
// are JSON text, never queried into. Update identities are two columns, guid
// and revision, so that both can be joined and sorted.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"waptwua"
	"waptwua/store"
)

// Store is a store.Store.
type Store struct {
	queries
	db    *bun.DB
	close func() error
}

var _ store.Store = (*Store)(nil)

// New makes a store of a pool that writes and one that reads, which may be
// the same; close is called by Close.
func New(write, read *bun.DB, close func() error) *Store {
	return &Store{queries: queries{w: write, r: read}, db: write, close: close}
}

// Close implements store.Store.
func (s *Store) Close() error { return s.close() }

// Update implements store.Transactor.
func (s *Store) Update(ctx context.Context, fn func(tx store.Records) error) error {
	return s.db.RunInTx(ctx, nil, func(_ context.Context, tx bun.Tx) error {
		return fn(&queries{w: tx, r: tx, inTx: true})
	})
}

// queries are the roles over a connection that writes and one that reads;
// within a transaction both are the transaction.
type queries struct {
	w, r bun.IDB
	inTx bool
}

var _ store.Records = (*queries)(nil)

// atomically runs several statements as one change.
func (q *queries) atomically(ctx context.Context, fn func(tx bun.IDB) error) error {
	if q.inTx {
		return fn(q.w)
	}
	return q.w.RunInTx(ctx, nil, func(_ context.Context, tx bun.Tx) error { return fn(tx) })
}

// found turns "no rows" into waptwua.ErrNotFound.
func found(err error, what string, key any) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s %v: %w", what, key, waptwua.ErrNotFound)
	}
	return fmt.Errorf("reading %s %v: %w", what, key, err)
}

// changed expects that a statement touched a row.
func changed(res sql.Result, err error, what string, key any) error {
	if err != nil {
		return fmt.Errorf("writing %s %v: %w", what, key, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("%s %v: %w", what, key, errors.Join(waptwua.ErrNotFound, err))
	}
	return nil
}

// added expects that an insert that passes over existing rows made one.
func added(res sql.Result, err error, what string, key any) error {
	if err != nil {
		return fmt.Errorf("adding %s %v: %w", what, key, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("%s %v: %w", what, key, errors.Join(waptwua.ErrConflict, err))
	}
	return nil
}

// removed counts rows.
func removed(res sql.Result, err error, what string) (int, error) {
	if err != nil {
		return 0, fmt.Errorf("removing %s: %w", what, err)
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// utc is the form in which times are kept and come back.
func utc(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// page applies limit and offset.
func page(q *bun.SelectQuery, p store.Page) *bun.SelectQuery {
	limit := p.Limit
	if limit <= 0 {
		limit = store.DefaultLimit
	}
	return q.Limit(int64(limit)).Offset(int64(max(p.Offset, 0)))
}
