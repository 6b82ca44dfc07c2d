package catalogdb

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"waptwua"
	"waptwua/catalog"
)

// revisionBlockBytes is how large a block of revisions gets. It is read as a
// whole for each of them.
const revisionBlockBytes = 16 << 10

// checksumBytes is the size of the checksum that a block of revisions begins
// with.
const checksumBytes = 4

// revisionsID is the id of a block of revisions: its shard's id, and behind
// it the RevisionId of its first entry in 32 bits.
func revisionsID(shard, first int) int64 { return int64(shard)<<32 | int64(first) }

// revisionBlock is a row of the table revision.
type revisionBlock struct {
	first int // RevisionId of the first entry
	data  []byte
}

// encodeRows encodes the rows of a shard, which ascend by RevisionId.
func encodeRows(rows []catalog.Row) (blocks []revisionBlock, err error) {
	var block, record []byte
	for i := range rows {
		r := &rows[i]
		if block == nil {
			block = make([]byte, checksumBytes, revisionBlockBytes+revisionBlockBytes/4)
			blocks = append(blocks, revisionBlock{first: r.Revision})
		}
		if record, err = r.Record.AppendBinary(record[:0]); err != nil {
			return nil, err
		}
		block = appendRow(block, r, record)
		if len(block) >= revisionBlockBytes || i == len(rows)-1 {
			binary.LittleEndian.PutUint32(block, castagnoli(block[checksumBytes:]))
			blocks[len(blocks)-1].data, block = block, nil
		}
	}
	return blocks, nil
}

func appendRow(b []byte, r *catalog.Row, record []byte) []byte {
	b = binary.AppendUvarint(b, uint64(r.Revision))
	severity := ""
	if x := r.Record.Extended; x != nil {
		severity = string(x.Severity)
	}
	b = append(binary.AppendUvarint(b, uint64(len(severity))), severity...)
	b = appendSized(b, func(b []byte) []byte { return r.Record.AppendSearchText(b) })
	b = append(binary.AppendUvarint(b, uint64(len(r.Rules))), r.Rules...)
	return append(binary.AppendUvarint(b, uint64(len(record))), record...)
}

// appendSized appends what fill appends, and before it its length in two
// bytes of a varint where that is enough.
func appendSized(b []byte, fill func([]byte) []byte) []byte {
	at := len(b)
	b = fill(append(b, 0, 0))
	n := len(b) - at - 2
	if n < 1<<14 {
		b[at], b[at+1] = byte(n)|0x80, byte(n>>7)
		return b
	}
	text := bytes.Clone(b[at+2:])
	return append(binary.AppendUvarint(b[:at], uint64(n)), text...)
}

// stored is an entry of a block of revisions; its slices are parts of the
// block.
type stored struct {
	revision        int
	severity, words []byte
	rules, record   []byte
}

// eachStored calls visit for every entry of a block until it returns false.
func eachStored(block []byte, visit func(stored) bool) error {
	if len(block) < checksumBytes || binary.LittleEndian.Uint32(block) != castagnoli(block[checksumBytes:]) {
		return fmt.Errorf("a block of revisions with a wrong checksum: %w", ErrFormat)
	}
	r := &reader{rest: block[checksumBytes:]}
	for len(r.rest) > 0 {
		s := stored{revision: int(r.uvarint())}
		s.severity, s.words = r.bytes(r.length(1)), r.bytes(r.length(1))
		s.rules, s.record = r.bytes(r.length(1)), r.bytes(r.length(1))
		if r.failed {
			return ErrFormat
		}
		if !visit(s) {
			return nil
		}
	}
	return nil
}

// has tells whether the entry is one that a search asks for.
func (s *stored) has(texts []string, severity waptwua.Severity) bool {
	for _, t := range texts {
		if !bytes.Contains(s.words, []byte(t)) {
			return false
		}
	}
	return severity == "" || strings.EqualFold(string(s.severity), string(severity))
}

// span is what the catalogue remembers of a shard: the RevisionIds of its
// first and last entry.
type span struct{ shard, first, last int }

// stored returns the entry of a revision; nil when there is none. Shards
// of a sound archive hold different revisions. Of entries in several the last
// one counts, as it does for the graph.
func (s *source) stored(revision int) (found *stored, err error) {
	for _, sp := range slices.Backward(s.c.shards) {
		if revision < sp.first || revision > sp.last {
			continue
		}
		found, err = s.storedIn(sp.shard, revision)
		if found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}

func (s *source) storedIn(shard, revision int) (found *stored, err error) {
	there := false
	err = s.block(s.c.read.revisions, func(block []byte) error {
		there = true
		return eachStored(block, func(e stored) bool {
			if e.revision == revision {
				found = e.clone()
			}
			return e.revision < revision
		})
	}, revisionsID(shard, 0), revisionsID(shard, revision))
	if err == nil && !there {
		err = sql.ErrNoRows
	}
	return found, err
}

// clone is an entry that outlives its block, but for what only Find asks for.
func (s *stored) clone() *stored {
	return &stored{revision: s.revision, rules: bytes.Clone(s.rules), record: bytes.Clone(s.record)}
}
