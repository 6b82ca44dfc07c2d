package catalogdb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"

	"waptwua"
	"waptwua/applicability"
	"waptwua/catalog"
)

// View answers questions: it is the catalogue's Graph, whose methods read
// from the file what they need. Those methods return no errors; instead a
// View remembers the first read that failed, and Err must be asked before an
// answer is trusted. Take a new View for every task; that costs nothing.
type View struct {
	*catalog.Graph
	source *source
}

// View returns a new view.
func (c *Catalogue) View() *View {
	s := &source{c: c}
	return &View{Graph: c.graph.With(s), source: s}
}

// Err is the first error of a read for an answer of this view.
func (v *View) Err() error {
	v.source.mu.Lock()
	defer v.source.mu.Unlock()
	return v.source.err
}

// source is the catalog.Source of a View.
type source struct {
	c   *Catalogue
	mu  sync.Mutex
	err error
}

func (s *source) remember(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

func (s *source) fail(what string, revision int, err error) {
	s.remember(damaged(fmt.Sprintf("%s of revision %d", what, revision), err))
}

// Rules implements catalog.Source. Parsed rules stay in memory and are shared
// by all views.
func (s *source) Rules(set, revision int) *applicability.Rules {
	place := &s.c.rules[set]
	if p := place.Load(); p != nil {
		return p.rules
	}
	e, err := s.stored(revision)
	if err == nil && e == nil {
		err = sql.ErrNoRows
	}
	if err != nil {
		s.fail("rules", revision, err)
		return nil
	}
	parser := applicability.Parser{Limits: s.c.limits}
	r, _ := parser.Parse(e.rules) // rules that cannot be parsed are unknown, as in memory
	place.Store(&parsed{r})
	return r
}

// block reads one row and calls visit with it, where there is one. The file is
// local and a row small, so the read is not cancelled.
func (s *source) block(q *sql.Stmt, visit func(data []byte) error, key ...any) error {
	rows, err := q.QueryContext(context.Background(), key...)
	if err != nil {
		return err
	}
	return eachRow(rows, visit)
}

// eachRow calls visit for every row, which is valid during the call.
func eachRow(rows *sql.Rows, visit func(data []byte) error) error {
	defer rows.Close()
	for rows.Next() {
		var data sql.RawBytes
		if err := rows.Scan(&data); err != nil {
			return err
		}
		if err := visit(data); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Record implements catalog.Source.
func (s *source) Record(revision int) *catalog.Record {
	c := s.c
	c.mu.Lock()
	r, ok := c.records[revision]
	c.mu.Unlock()
	if ok {
		return r
	}
	if r, ok = s.readRecord(revision); ok {
		c.keep(revision, r)
	}
	return r
}

// readRecord is nil for a revision of which the archive has no fragments.
func (s *source) readRecord(revision int) (r *catalog.Record, ok bool) {
	e, err := s.stored(revision)
	if e == nil && err == nil {
		return nil, true
	}
	r = new(catalog.Record)
	if err == nil {
		err = r.UnmarshalBinary(e.record)
	}
	if err != nil {
		s.fail("record", revision, err)
		return nil, false
	}
	return r, true
}

// keep holds a record in memory, unless there are too many: then it starts
// again.
func (c *Catalogue) keep(revision int, r *catalog.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.records) >= maxRecords {
		clear(c.records)
	}
	c.records[revision] = r
}

// Find implements catalog.Finder.
func (s *source) Find(texts []string, severity waptwua.Severity) []int {
	var revisions []int
	err := s.eachBlock(func(block []byte) error {
		return eachStored(block, func(e stored) bool {
			if e.has(texts, severity) {
				revisions = append(revisions, e.revision)
			}
			return true
		})
	})
	if err != nil {
		s.remember(damaged("searching", err))
	}
	slices.Sort(revisions)
	return slices.Compact(revisions)
}

// eachBlock calls visit for every block of revisions, which is valid during
// the call.
func (s *source) eachBlock(visit func(block []byte) error) error {
	rows, err := s.c.db.QueryContext(context.Background(), "SELECT data FROM revision")
	if err != nil {
		return err
	}
	return eachRow(rows, visit)
}

// Location implements catalog.Source.
func (s *source) Location(digest waptwua.SHA1) string {
	var url string
	err := s.block(s.c.read.location, func(data []byte) (err error) {
		url, err = findAddress(data, digest)
		return err
	}, digest[:])
	if err != nil {
		s.remember(damaged("address of file "+digest.String(), err))
	}
	return url
}

// Payload implements catalog.Source.
func (s *source) Payload(revision int) []waptwua.File {
	var digests []waptwua.SHA1
	err := s.block(s.c.read.payload, func(data []byte) (err error) {
		digests, err = findPayload(data, revision)
		return err
	}, revisionKey(revision))
	if err != nil {
		s.fail("files", revision, err)
	}
	var files []waptwua.File
	for _, d := range digests {
		files = append(files, waptwua.File{SHA1: d, URL: s.Location(d)})
	}
	return files
}
