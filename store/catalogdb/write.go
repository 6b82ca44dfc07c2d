package catalogdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
)

// The keys of the table meta.
const (
	metaLanguages = "languages"
	metaArchive   = "archive_sha256"
	metaPackage   = "package_id"
	metaCreated   = "created"
)

// castagnoli is the checksum of parts of the graph and of blocks of revisions.
func castagnoli(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// shardRow is a row of the table shard, with its place.
type shardRow struct {
	place  int // in index.xml
	name   string
	id     int
	size   int64
	digest [32]byte // wsusscn2.Shard.Digest
	first  int      // lowest RevisionId
	last   int      // highest RevisionId; less than first: none
	rows   int      // how many revisions it has fragments of
	facts  []byte
}

// writer fills a new file, in one transaction. A file that begins as a copy
// of the base keeps the rows of shards that are kept where they are.
type writer struct {
	db       *sql.DB
	tx       *sql.Tx
	next     int // id of the next new shard
	revision *sql.Stmt
}

// newWriter begins with the empty file f.
func newWriter(ctx context.Context, f *os.File, b *base) (*writer, error) {
	w := &writer{next: b.firstFree()}
	if b != nil {
		if err := b.copyTo(f); err != nil {
			return nil, err
		}
	}
	var err error
	if w.db, err = openNew(ctx, f.Name(), b == nil); err != nil {
		return nil, err
	}
	if err := w.begin(ctx); err != nil {
		return nil, errors.Join(err, w.abort())
	}
	return w, nil
}

func (w *writer) begin(ctx context.Context) (err error) {
	if w.tx, err = w.db.BeginTx(ctx, nil); err != nil {
		return err
	}
	// Everything but shards and their revisions is written anew.
	for _, table := range []string{"meta", "graph", "place", "location", "payload"} {
		if _, err := w.tx.ExecContext(ctx, "DELETE FROM "+table); err != nil { //nolint:gosec // table is a constant
			return damaged("table "+table, err)
		}
	}
	w.revision, err = w.tx.PrepareContext(ctx, "INSERT INTO revision (id, data) VALUES (?, ?)")
	return err
}

// abort gives the file up.
func (w *writer) abort() error {
	if w.tx != nil {
		_ = w.tx.Rollback() // the file is thrown away
	}
	return w.db.Close()
}

// close completes the file.
func (w *writer) close(ctx context.Context) error {
	if err := w.tx.Commit(); err != nil {
		return errors.Join(err, w.db.Close())
	}
	// A reader's planner has no statistics to gain here: rows are found by key.
	return errors.Join(ctx.Err(), w.db.Close())
}

// shard writes a decoded shard.
func (w *writer) shard(ctx context.Context, s *shardRow, blocks []revisionBlock) error {
	s.id = w.next
	w.next++
	for _, b := range blocks {
		if _, err := w.revision.ExecContext(ctx, revisionsID(s.id, b.first), b.data); err != nil {
			return fmt.Errorf("%s, revision %d: %w", s.name, b.first, err)
		}
	}
	_, err := w.tx.ExecContext(ctx, "INSERT INTO shard (id, size, digest, first, last, rows, facts) VALUES (?, ?, ?, ?, ?, ?, ?)",
		s.id, s.size, s.digest[:], s.first, s.last, s.rows, s.facts)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return w.place(ctx, s)
}

// keep leaves the shard with the id of s as the base has it, and reads what
// that knows of it.
func (w *writer) keep(ctx context.Context, s *shardRow) error {
	err := w.tx.QueryRowContext(ctx, "SELECT first, last, rows, facts FROM shard WHERE id = ?", s.id).
		Scan(&s.first, &s.last, &s.rows, &s.facts)
	if err != nil {
		return damaged("shard "+s.name+" of the base", err)
	}
	return w.place(ctx, s)
}

func (w *writer) place(ctx context.Context, s *shardRow) error {
	_, err := w.tx.ExecContext(ctx, "INSERT INTO place (place, name, shard) VALUES (?, ?, ?)", s.place, s.name, s.id)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// dropOld removes the shards of the base that were not kept: those without a
// place.
func (w *writer) dropOld(ctx context.Context) error {
	old, err := w.placeless(ctx)
	if err != nil {
		return damaged("the base's shards", err)
	}
	for _, id := range old {
		_, err := w.tx.ExecContext(ctx, "DELETE FROM revision WHERE id BETWEEN ? AND ?", revisionsID(id, 0), revisionsID(id, math.MaxUint32))
		if err == nil {
			_, err = w.tx.ExecContext(ctx, "DELETE FROM shard WHERE id = ?", id)
		}
		if err != nil {
			return damaged("a shard of the base that is no more", err)
		}
	}
	return nil
}

func (w *writer) placeless(ctx context.Context) (ids []int, err error) {
	rows, err := w.tx.QueryContext(ctx, "SELECT id FROM shard WHERE id NOT IN (SELECT shard FROM place)")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (w *writer) blocks(ctx context.Context, table string, list []block) error {
	for _, b := range list {
		if _, err := w.tx.ExecContext(ctx, "INSERT INTO "+table+" (first, data) VALUES (?, ?)", b.first, b.data); err != nil { //nolint:gosec // table is a constant of the caller
			return fmt.Errorf("table %s: %w", table, err)
		}
	}
	return nil
}

func (w *writer) meta(ctx context.Context, values map[string]string) error {
	for key, value := range values {
		if _, err := w.tx.ExecContext(ctx, "INSERT INTO meta (key, value) VALUES (?, ?)", key, value); err != nil {
			return fmt.Errorf("table meta: %w", err)
		}
	}
	return nil
}
