package catalogdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"waptwua"
	"waptwua/applicability"
	"waptwua/catalog"
)

// Catalogue is an open catalogue file. It does not change, and may be asked
// by any number of goroutines, each through a View of its own. Close it.
type Catalogue struct {
	db        *sql.DB
	graph     *catalog.Graph // without a source
	languages []string
	archive   waptwua.SHA256
	shards    []span // in the order of the archive
	read      statements

	limits applicability.Limits
	rules  []atomic.Pointer[parsed] // by rule set, once asked for

	mu      sync.Mutex
	records map[int]*catalog.Record // by RevisionId, once asked for
}

// parsed are rules that were asked for; nil where they cannot be parsed.
type parsed struct{ rules *applicability.Rules }

// maxRecords bounds how many records stay in memory: of about a kilobyte each.
const maxRecords = 30_000

type statements struct{ revisions, location, payload *sql.Stmt }

// Open opens the catalogue at path. A file that is none, or damaged, gives
// ErrFormat, one of another version ErrVersion, a missing one fs.ErrNotExist.
func Open(ctx context.Context, path string) (*Catalogue, error) {
	c, err := open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", path, err)
	}
	return c, nil
}

func open(ctx context.Context, path string) (*Catalogue, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, errors.Unwrap(err)
	} else if info.IsDir() {
		return nil, fmt.Errorf("%w: a folder", ErrFormat)
	}
	db, err := openOld(ctx, path)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(runtime.NumCPU())
	db.SetMaxIdleConns(runtime.NumCPU())
	c := &Catalogue{db: db, records: map[int]*catalog.Record{}}
	if err := c.load(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Catalogue) load(ctx context.Context) error {
	if err := c.loadGraph(ctx); err != nil {
		return damaged("its update graph", err)
	}
	var languages, archive string
	err := c.db.QueryRowContext(ctx, "SELECT l.value, a.value FROM meta l, meta a WHERE l.key = ? AND a.key = ?", metaLanguages, metaArchive).
		Scan(&languages, &archive)
	if err == nil {
		err = c.archive.UnmarshalText([]byte(archive))
	}
	if err != nil {
		return damaged("its languages and archive", err)
	}
	c.languages = strings.Split(languages, ",")
	c.rules = make([]atomic.Pointer[parsed], c.graph.RuleSets())
	if err := c.loadShards(ctx); err != nil {
		return damaged("its shards", err)
	}
	return c.prepare(ctx)
}

func (c *Catalogue) loadShards(ctx context.Context) error {
	rows, err := c.db.QueryContext(ctx, "SELECT s.id, s.first, s.last FROM place p JOIN shard s ON s.id = p.shard ORDER BY p.place")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var s span
		if err := rows.Scan(&s.shard, &s.first, &s.last); err != nil {
			return err
		}
		c.shards = append(c.shards, s)
	}
	return rows.Err()
}

func (c *Catalogue) prepare(ctx context.Context) error {
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&c.read.revisions, "SELECT data FROM revision WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"},
		{&c.read.location, "SELECT data FROM location WHERE first <= ? ORDER BY first DESC LIMIT 1"},
		{&c.read.payload, "SELECT data FROM payload WHERE first <= ? ORDER BY first DESC LIMIT 1"},
	} {
		var err error
		if *s.stmt, err = c.db.PrepareContext(ctx, s.text); err != nil { //nolint:sqlclosecheck // lives as long as the database
			return damaged("its tables", err)
		}
	}
	return nil
}

// LimitRules bounds the rules that are parsed; larger ones are unknown. Call
// it before the first View.
func (c *Catalogue) LimitRules(l applicability.Limits) { c.limits = l }

// Close closes the file. Views must not be used afterwards.
func (c *Catalogue) Close() error { return c.db.Close() }

// Languages are the languages of texts, the best first.
func (c *Catalogue) Languages() []string { return c.languages }

// Archive is the digest of the archive as the build was told; zero when it
// was told none.
func (c *Catalogue) Archive() waptwua.SHA256 { return c.archive }
