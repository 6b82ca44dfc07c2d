package catalogdb

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// The keys of the table meta.
const (
	metaLanguages = "languages"
	metaArchive   = "archive_sha256"
	metaPackage   = "package_id"
	metaCreated   = "created"
)

// partGraph is the row of the table part that holds the graph.
const partGraph = "graph"

// castagnoli is the polynomial of the graph's checksum.
func castagnoli(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// shardRow is a row of the table shard.
type shardRow struct {
	id     int // position in index.xml
	name   string
	size   int64
	digest [32]byte // wsusscn2.Shard.Digest
	first  int      // lowest RevisionId
	last   int      // highest RevisionId; less than first: none
	rows   int      // how many revisions it has fragments of
	facts  []byte
}

// writer fills a new file, in one transaction.
type writer struct {
	db       *sql.DB
	tx       *sql.Tx
	base     *base
	revision *sql.Stmt
}

func newWriter(ctx context.Context, path string, b *base) (*writer, error) {
	db, err := openNew(ctx, path)
	if err != nil {
		return nil, err
	}
	w := &writer{db: db, base: b}
	if err := w.begin(ctx); err != nil {
		return nil, errors.Join(err, w.abort())
	}
	return w, nil
}

func (w *writer) begin(ctx context.Context) (err error) {
	if err := w.base.attach(ctx, w.db); err != nil {
		return err
	}
	if w.tx, err = w.db.BeginTx(ctx, nil); err != nil {
		return err
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
	for _, b := range blocks {
		if _, err := w.revision.ExecContext(ctx, revisionsID(s.id, b.first), b.data); err != nil {
			return fmt.Errorf("%s, revision %d: %w", s.name, b.first, err)
		}
	}
	return w.shardRow(ctx, s)
}

func (w *writer) shardRow(ctx context.Context, s *shardRow) error {
	_, err := w.tx.ExecContext(ctx, "INSERT INTO shard (id, name, size, digest, first, last, rows, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		s.id, s.name, s.size, s.digest[:], s.first, s.last, s.rows, s.facts)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// keep takes a shard over from the base, its facts included.
func (w *writer) keep(ctx context.Context, s *shardRow, inBase int64) error {
	old := int(inBase - 1)
	err := w.tx.QueryRowContext(ctx, "SELECT first, last, rows, facts FROM base.shard WHERE id = ?", old).
		Scan(&s.first, &s.last, &s.rows, &s.facts)
	if err == nil {
		_, err = w.tx.ExecContext(ctx, "INSERT INTO revision SELECT id + ?, data FROM base.revision WHERE id BETWEEN ? AND ?",
			revisionsID(s.id, 0)-revisionsID(old, 0), revisionsID(old, 0), revisionsID(old, math.MaxUint32))
	}
	if err != nil {
		return damaged("shard "+s.name+" of the base", err)
	}
	return w.shardRow(ctx, s)
}

// graph writes the graph, which begins behind four bytes for its checksum.
func (w *writer) graph(ctx context.Context, data []byte) error {
	binary.LittleEndian.PutUint32(data, castagnoli(data[4:]))
	_, err := w.tx.ExecContext(ctx, "INSERT INTO part (name, data) VALUES (?, ?)", partGraph, data)
	if err != nil {
		return fmt.Errorf("the update graph: %w", err)
	}
	return nil
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
