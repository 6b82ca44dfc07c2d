// Package sqlite opens a store in one SQLite file, for a single server.
//
// One connection writes, for the store and the job queue alike; a pool of
// query-only connections reads, so that readers never wait for writers
// (write-ahead log). A committed change survives a kill of the process at
// once, and a loss of power because the log is flushed with every commit.
//
// The schema is brought up to date by numbered migrations when the file is
// opened, each in one transaction. A file with a newer schema than this
// program knows is refused and left as it is.
//
// Two processes must not open the same file as servers; the caller holds a
// lock on its folder. Commands that change records beside a running server
// may: writers wait up to five seconds for each other.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"waptwua/store/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// readers is the size of the pool that reads.
const readers = 4

// DB is a store in a SQLite file.
type DB struct {
	*sqlstore.Store
	write *sql.DB
}

// Open opens the file at path, making it if needed, and brings its schema up
// to date.
func Open(ctx context.Context, path string) (*DB, error) {
	write, err := sql.Open("sqlite", dsn(path, false))
	if err != nil {
		return nil, fmt.Errorf("opening database %s: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	if err := migrate(ctx, write); err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", path, err), write.Close())
	}
	read, err := sql.Open("sqlite", dsn(path, true))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening database %s: %w", path, err), write.Close())
	}
	read.SetMaxOpenConns(readers)
	closeBoth := func() error { return errors.Join(read.Close(), write.Close()) }
	s := sqlstore.New(bun.NewDB(write, sqlitedialect.New()), bun.NewDB(read, sqlitedialect.New()), closeBoth)
	return &DB{Store: s, write: write}, nil
}

// dsn names the file and the settings of each connection.
func dsn(path string, readOnly bool) string {
	v := url.Values{"_pragma": {"journal_mode(WAL)", "busy_timeout(5000)", "synchronous(FULL)", "foreign_keys(1)"}}
	if readOnly {
		v.Add("_pragma", "query_only(1)")
	} else {
		v.Set("_txlock", "immediate")
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: v.Encode()}
	return u.String()
}

// Queue is the driver of the job queue, on the connection that writes.
func (d *DB) Queue() riverdriver.Driver[*sql.Tx] { return riversqlite.New(d.write) }

// RescueJobs makes jobs available again that a killed process left as
// running. Call it at the start of the only server, before its queue runs.
func (d *DB) RescueJobs(ctx context.Context) error {
	_, err := d.write.ExecContext(ctx, `UPDATE river_job SET state = 'available', attempt = max(attempt - 1, 0) WHERE state = 'running'`)
	if err != nil {
		return fmt.Errorf("making interrupted jobs available again: %w", err)
	}
	// The leader's seat of the killed process would stay taken until it expires.
	if _, err := d.write.ExecContext(ctx, `DELETE FROM river_leader`); err != nil {
		return fmt.Errorf("clearing the seat of the queue's leader: %w", err)
	}
	return nil
}

// migrate applies our migrations, then those of the job queue. They are two
// steps: the queue's own would otherwise wait for the only connection.
func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if have > want {
		return fmt.Errorf("its schema has version %d, but this program knows only %d: start the newer program again, or restore a backup from before the upgrade", have, want)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	m, err := rivermigrate.New(riversqlite.New(db), nil)
	if err != nil {
		return fmt.Errorf("preparing the job queue: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("preparing the job queue: %w", err)
	}
	return nil
}
