package catalogdb

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"waptwua"
	"waptwua/catalog"
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
	digest waptwua.SHA256
	facts  []byte
}

// revisionRow is a row of the table revision.
type revisionRow struct {
	id       int
	severity any // string or nil
	words    any // string or nil
	rules    []byte
	record   []byte
}

// encodeRows encodes the rows of a shard, records in one stretch of memory.
func encodeRows(in []catalog.Row) ([]revisionRow, error) {
	var buf []byte
	out := make([]revisionRow, len(in))
	ends := make([]int, len(in)+1)
	for i := range in {
		var err error
		if buf, err = in[i].Record.AppendBinary(buf); err != nil {
			return nil, err
		}
		ends[i+1] = len(buf)
		out[i] = revisionRow{id: in[i].Revision, rules: in[i].Rules}
		if text := in[i].Record.SearchText(); text != "" {
			out[i].words = text
		}
		if x := in[i].Record.Extended; x != nil && x.Severity != "" {
			out[i].severity = string(x.Severity)
		}
	}
	for i := range out {
		out[i].record = buf[ends[i]:ends[i+1]]
	}
	return out, nil
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
	w.revision, err = w.tx.PrepareContext(ctx, "INSERT INTO revision (id, shard, severity, words, rules, record) VALUES (?, ?, ?, ?, ?, ?)")
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
func (w *writer) shard(ctx context.Context, s *shardRow, rows []revisionRow) error {
	first, last := 0, -1
	if len(rows) > 0 {
		first, last = rows[0].id, rows[len(rows)-1].id
	}
	for i := range rows {
		r := &rows[i]
		if _, err := w.revision.ExecContext(ctx, r.id, s.id, r.severity, r.words, r.rules, r.record); err != nil {
			return fmt.Errorf("%s, revision %d: %w", s.name, r.id, err)
		}
	}
	return w.shardRow(ctx, s, first, last)
}

func (w *writer) shardRow(ctx context.Context, s *shardRow, first, last int) error {
	_, err := w.tx.ExecContext(ctx, "INSERT INTO shard (id, name, size, digest, first, last, facts) VALUES (?, ?, ?, ?, ?, ?, ?)",
		s.id, s.name, s.size, s.digest[:], first, last, s.facts)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// keep takes a shard over from the base, its facts included.
func (w *writer) keep(ctx context.Context, s *shardRow, inBase int64) (rows int, err error) {
	var first, last int
	err = w.tx.QueryRowContext(ctx, "SELECT first, last, facts FROM base.shard WHERE id = ?", inBase-1).Scan(&first, &last, &s.facts)
	if err != nil {
		return 0, damaged("shard "+s.name+" of the base", err)
	}
	r, err := w.tx.ExecContext(ctx, `INSERT INTO revision SELECT id, ?, severity, words, rules, record
		FROM base.revision WHERE id BETWEEN ? AND ? AND shard = ?`, s.id, first, last, inBase-1)
	if err != nil {
		return 0, damaged("shard "+s.name+" of the base", err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		return 0, err
	}
	return int(n), w.shardRow(ctx, s, first, last)
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
		if _, err := w.tx.ExecContext(ctx, "INSERT INTO "+table+" (first, data) VALUES (?, ?)", b.first, b.data); err != nil {
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
