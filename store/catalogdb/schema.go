package catalogdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"waptwua"
)

// ApplicationID marks a SQLite file as a catalogue: "WUAC".
const ApplicationID = 0x57554143

// version is the version of the format.
const version = 3

// ErrFormat says that a file is no catalogue, or a damaged one.
var ErrFormat = errors.New("not a catalogue, or a damaged one")

// ErrVersion says that a catalogue was written by a program with another
// version of the format.
var ErrVersion = errors.New("a catalogue of another version")

const schema = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE graph (part INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE place (place INTEGER PRIMARY KEY, name TEXT NOT NULL, shard INTEGER NOT NULL);
CREATE TABLE shard (
	id INTEGER PRIMARY KEY, size INTEGER NOT NULL, digest BLOB NOT NULL,
	first INTEGER NOT NULL, last INTEGER NOT NULL, rows INTEGER NOT NULL, facts BLOB NOT NULL);
CREATE TABLE revision (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE location (first BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE payload (first BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
`

// fileURL names a database file with settings for every connection.
func fileURL(path string, settings url.Values) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	path = filepath.ToSlash(path)
	if path[0] != '/' { // C:/…
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}).String(), nil
}

// openNew opens a file for a build: an empty one, which gets the tables, or a
// copy of the base. Nobody sees it before it is complete, so there is no
// journal and no flush until then.
func openNew(ctx context.Context, path string, empty bool) (*sql.DB, error) {
	u, err := fileURL(path, url.Values{"_pragma": {
		"page_size(8192)", "journal_mode(off)", "synchronous(off)", "locking_mode(exclusive)", "cache_size(-16384)",
	}})
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", u)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if !empty {
		return db, nil
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d; %s", ApplicationID, version, schema))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openOld opens a catalogue for reading and checks that it is one. Nobody
// changes a complete catalogue, a build replaces it, so that it is read without
// locks.
func openOld(ctx context.Context, path string) (*sql.DB, error) {
	u, err := fileURL(path, url.Values{"mode": {"ro"}, "immutable": {"1"}, "_pragma": {"query_only(1)"}})
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", u)
	if err != nil {
		return nil, err
	}
	if err := check(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func check(ctx context.Context, db *sql.DB) error {
	var id, have int
	err := db.QueryRowContext(ctx, "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version").Scan(&id, &have)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%w: %w", ErrFormat, err)
	case id != ApplicationID:
		return fmt.Errorf("%w: its application id is %#x", ErrFormat, id)
	case have != version:
		return fmt.Errorf("%w: it has version %d, this program writes and reads version %d; build it again from the scan archive", ErrVersion, have, version)
	}
	return nil
}

// damaged marks an error of the database as one of the file.
func damaged(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, waptwua.ErrNotFound):
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w: %w", what, ErrFormat, err)
}
