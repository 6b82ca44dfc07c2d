package catalogdb

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"waptwua"
	"waptwua/wsusscn2"
)

// blockBytes is from what size on a block of a sorted table is full. With one
// entry more it still fits into a quarter of a page, as a rule: SQLite reads
// a larger row of such a table as a whole for every comparison of its key.
const blockBytes = 1536

// block is a row of a table of sorted entries.
type block struct{ first, data []byte }

// addresses collects the addresses of payload files in a few stretches of
// memory, which never move.
type addresses struct {
	texts   [][]byte // each of textBytes, or of one longer address
	entries []address
}

const textBytes = 1 << 20

type address struct {
	digest        waptwua.SHA1
	text, at, end uint32 // which of texts, and where in it
}

// add takes one <FileLocation>. Files inside the archive are no payload.
func (a *addresses) add(l wsusscn2.Location) error {
	if l.Included {
		return nil
	}
	last := len(a.texts) - 1
	if last < 0 || cap(a.texts[last])-len(a.texts[last]) < len(l.URL) {
		a.texts = append(a.texts, make([]byte, 0, max(textBytes, len(l.URL))))
		last++
	}
	t := &a.texts[last]
	*t = append(*t, l.URL...)
	a.entries = append(doubled(a.entries, 1), address{l.Digest, uint32(last), uint32(len(*t) - len(l.URL)), uint32(len(*t))})
	return nil
}

// blocks sorts the addresses. Of several for one file the last one counts.
func (a *addresses) blocks() []block {
	slices.SortFunc(a.entries, func(x, y address) int {
		return cmp.Or(bytes.Compare(x.digest[:], y.digest[:]), cmp.Compare(x.text, y.text), cmp.Compare(x.at, y.at))
	})
	var out blocks
	for i, e := range a.entries {
		if i+1 < len(a.entries) && a.entries[i+1].digest == e.digest {
			continue
		}
		url := a.texts[e.text][e.at:e.end]
		b := out.entry(e.digest[:])
		*b = append(*b, e.digest[:]...)
		*b = binary.AppendUvarint(*b, uint64(len(url)))
		*b = append(*b, url...)
	}
	return out
}

// findAddress looks a file up in the block that it must be in.
func findAddress(data []byte, digest waptwua.SHA1) (url string, err error) {
	r := &reader{rest: data}
	for len(r.rest) > 0 {
		d, u := r.bytes(len(digest)), r.bytes(r.length(1))
		if r.failed {
			return "", ErrFormat
		}
		if bytes.Equal(d, digest[:]) {
			return string(u), nil
		}
	}
	return "", nil
}

// payload collects the files that package.xml names for revisions.
type payload struct {
	digests []waptwua.SHA1
	named   []named
}

type named struct{ revision, first, end int32 } // first to end: in digests

func (p *payload) add(revision int, digests []waptwua.SHA1) {
	first := len(p.digests)
	p.digests = append(doubled(p.digests, len(digests)), digests...)
	p.named = append(doubled(p.named, 1), named{int32(revision), int32(first), int32(len(p.digests))})
}

// doubled is s with room for n more, taken by doubling it: append takes a
// quarter more, and so copies five times as often.
func doubled[T any](s []T, n int) []T {
	if cap(s)-len(s) >= n {
		return s
	}
	return slices.Grow(s, max(len(s), n))
}

func (p *payload) blocks() []block {
	slices.SortFunc(p.named, func(x, y named) int { return cmp.Compare(x.revision, y.revision) })
	var out blocks
	for _, n := range p.named {
		digests := p.digests[n.first:n.end]
		b := out.entry(revisionKey(int(n.revision)))
		*b = binary.AppendUvarint(*b, uint64(n.revision))
		*b = binary.AppendUvarint(*b, uint64(len(digests)))
		for _, d := range digests {
			*b = append(*b, d[:]...)
		}
	}
	return out
}

func revisionKey(revision int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(revision)) }

// findPayload looks a revision up in the block that it must be in.
func findPayload(data []byte, revision int) ([]waptwua.SHA1, error) {
	r := &reader{rest: data}
	for len(r.rest) > 0 {
		have := r.uvarint()
		list := r.bytes(20 * r.length(20))
		if r.failed {
			return nil, ErrFormat
		}
		if have != uint64(revision) {
			continue
		}
		var digests []waptwua.SHA1
		for d := range slices.Chunk(list, 20) {
			digests = append(digests, waptwua.SHA1(d))
		}
		return digests, nil
	}
	return nil, nil
}

// blocks are blocks being filled.
type blocks []block

// entry is where the next entry, whose key is given, is to be appended.
func (b *blocks) entry(first []byte) *[]byte {
	if n := len(*b); n == 0 || len((*b)[n-1].data) >= blockBytes {
		*b = append(*b, block{first: bytes.Clone(first), data: make([]byte, 0, blockBytes+512)})
	}
	return &(*b)[len(*b)-1].data
}

// reader takes values off the front of a block. After the first that is not
// there, failed is set and nothing is left.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.rest, r.failed = nil, true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// length reads how many items of size bytes follow.
func (r *reader) length(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.rest)/size) {
		r.rest, r.failed = nil, true
		return 0
	}
	return int(n)
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.rest) {
		r.rest, r.failed = nil, true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
