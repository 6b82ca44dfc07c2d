package catalog

import (
	"encoding/binary"
	"errors"
	"fmt"

	"waptwua"
)

// facts is what fragments say of a revision that the graph is built from.
// They are kept in encoded form beside a stored graph, so that the graph of
// next month's archive can be built without reading unchanged shards.
type facts struct {
	revision   int
	fragments  int // how many were taken
	hasCore    bool
	updateType string
	id         identity // that the core fragment gives itself
	supersedes []key
	bundled    [][]identity
	hasRules   bool
	rules      [16]byte // the first half of the SHA-256 of the reduced rules
	kbs        []waptwua.KB
}

// The bits of the flags of encoded facts.
const (
	factsCore = 1 << iota
	factsRules
)

var errFacts = errors.New("facts of a shard: damaged")

func (f *facts) append(b []byte) []byte {
	var flags byte
	if f.hasCore {
		flags |= factsCore
	}
	if f.hasRules {
		flags |= factsRules
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(f.revision))
	b = binary.AppendUvarint(b, uint64(f.fragments))
	if f.hasCore {
		b = f.appendCore(b)
	}
	b = binary.AppendUvarint(b, uint64(len(f.kbs)))
	for _, kb := range f.kbs {
		b = binary.AppendUvarint(b, uint64(kb))
	}
	return b
}

func (f *facts) appendCore(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(f.updateType)))
	b = append(b, f.updateType...)
	b = appendIdentity(b, f.id)
	b = binary.AppendUvarint(b, uint64(len(f.supersedes)))
	for _, k := range f.supersedes {
		b = append(b, k[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(f.bundled)))
	for _, clause := range f.bundled {
		b = binary.AppendUvarint(b, uint64(len(clause)))
		for _, id := range clause {
			b = appendIdentity(b, id)
		}
	}
	if f.hasRules {
		b = append(b, f.rules[:]...)
	}
	return b
}

func appendIdentity(b []byte, id identity) []byte {
	b = append(b, id.GUID[:]...)
	return binary.AppendUvarint(b, uint64(id.Number))
}

// eachFacts decodes what Gatherer.Gathered encoded. What visit gets is valid
// during the call.
func eachFacts(b []byte, visit func(*facts)) error {
	r, f := &decoder{rest: b}, new(facts)
	for len(r.rest) > 0 {
		r.facts(f)
		if r.failed {
			return fmt.Errorf("%w at offset %d", errFacts, len(b)-len(r.rest))
		}
		visit(f)
	}
	return nil
}

// facts reads into f, whose lists it uses again.
func (r *decoder) facts(f *facts) {
	flags := r.byte()
	*f = facts{
		hasCore: flags&factsCore != 0, hasRules: flags&factsRules != 0, revision: r.int(), fragments: r.int(),
		updateType: f.updateType, supersedes: f.supersedes[:0], bundled: f.bundled[:0], kbs: f.kbs[:0],
	}
	if f.hasCore {
		r.core(f)
	}
	for range r.length(1) {
		f.kbs = append(f.kbs, waptwua.KB(r.int()))
	}
}

func (r *decoder) core(f *facts) {
	if t := r.bytes(r.length(1)); string(t) != f.updateType {
		f.updateType = string(t)
	}
	f.id = r.identity()
	for range r.length(16) {
		f.supersedes = append(f.supersedes, r.key())
	}
	for range r.length(1) {
		var clause []identity
		for range r.length(17) {
			clause = append(clause, r.identity())
		}
		f.bundled = append(f.bundled, clause)
	}
	if f.hasRules {
		f.rules = [16]byte(r.key())
	}
}

// decoder takes values off the front of encoded bytes. After the first that
// is not there, failed is set and everything is zero.
type decoder struct {
	rest   []byte
	failed bool
}

func (r *decoder) fail() { r.rest, r.failed = nil, true }

func (r *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// int reads a number that fits an int32, as all of the archive's ids do.
func (r *decoder) int() int {
	v := r.uvarint()
	if v > 1<<32-1 {
		r.fail()
		return 0
	}
	return int(v)
}

// length reads how many items of at least size bytes follow.
func (r *decoder) length(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.rest)/size) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *decoder) bytes(n int) []byte {
	if n > len(r.rest) {
		r.fail()
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *decoder) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *decoder) key() (k key) {
	copy(k[:], r.bytes(len(k)))
	return k
}

func (r *decoder) identity() identity { return identity{GUID: r.key(), Number: r.int()} }
