package lzxenc

import (
	"encoding/binary"
	"math/bits"
)

// effort is what a Level means to the search.
type effort struct {
	row  int // candidates kept for each hash, a multiple of 8
	lazy int // how many positions ahead a better match is looked for
	nice int // a match this long is taken without looking further
}

func (l Level) effort() effort {
	switch l {
	case Fast:
		return effort{row: 8, lazy: 0, nice: 32}
	case Best:
		return effort{row: 64, lazy: 2, nice: maxMatch}
	default:
		return effort{row: 16, lazy: 1, nice: 96}
	}
}

// finder holds the window and finds earlier occurrences of the bytes at a
// position.
//
// Positions whose first bytes have the same hash share a row of a table, in
// which the latest replaces the oldest. Each has a tag there, eight more bits
// of the hash, so that a look at few words of tags leaves few candidates to
// compare. Shorter matches are worth their bits only when they are near: for
// them the latest position with equal hash of three and of four bytes is kept.
//
// What runs for every byte is left out by the race detector (go:norace): the
// callers are not, so that two goroutines with one encoder are noticed, and
// tests that make archives take a quarter of the time.
//
// Positions in the tables count from the encoder's first byte and go on over
// Reset, so that stale entries are recognized by being too small.
type finder struct {
	effort
	window int    // bytes
	reach  uint32 // the largest offset
	buf    []byte // the window, then the group, then pad
	n      int    // bytes in buf
	next   int    // first index in buf not yet in the tables
	base   uint32 // position of buf[0]
	start  uint32 // position of the folder's first byte
	rows   []uint32
	tags   []uint8 // beside rows
	newest []uint8 // by row: where its latest entry is
	shift  uint    // of the hash that selects a row
	near3  []uint32
	near4  []uint32
}

const (
	// hashedBytes is how many bytes a row's hash is made of.
	hashedBytes = 5
	// nearBits is the size of the tables for three and four bytes.
	nearBits = 15
	// pad bytes after the window let words be read at its last byte.
	pad = 8
)

func newFinder(windowBits int, opt Options) *finder {
	window, effort := 1<<windowBits, opt.Level.effort()
	reach := uint32(window - repeatSlots - 1)
	if opt.WholeWindow {
		reach++
	}
	rowCount := max(window/32, 1<<12)
	return &finder{
		effort: effort,
		window: window,
		reach:  reach,
		buf:    make([]byte, 2*window+GroupFrames*FrameSize+pad),
		rows:   make([]uint32, rowCount*effort.row),
		tags:   make([]uint8, rowCount*effort.row),
		newest: make([]uint8, rowCount),
		shift:  uint(64 - bits.Len(uint(rowCount-1))),
		near3:  make([]uint32, 1<<nearBits),
		near4:  make([]uint32, 1<<nearBits),
	}
}

// reset begins a new folder. Position 0 is never used: it means "none".
func (f *finder) reset() {
	at := f.base + uint32(f.n)
	if at == 0 || at > 1<<31 {
		clear(f.rows)
		clear(f.near3)
		clear(f.near4)
		at = 1
	}
	clear(f.newest) // the order of a row decides between equal candidates
	f.base, f.start, f.n, f.next = at, at, 0, 0
}

// push appends the group src to the window and returns where it now lies.
func (f *finder) push(src []byte) []byte {
	if f.n+len(src)+pad > len(f.buf) {
		drop := f.n - f.window
		copy(f.buf, f.buf[drop:f.n])
		f.base += uint32(drop)
		f.n -= drop
		f.next -= drop
	}
	group := f.buf[f.n : f.n+len(src)]
	copy(group, src)
	f.n += len(src)
	return group
}

// oldest is the earliest position that a match at position at may refer to.
func (f *finder) oldest(at uint32) uint32 {
	if at-f.start > f.reach {
		return at - f.reach
	}
	return f.start
}

// place is where a position belongs in the tables.
type place struct {
	row          int
	tag          uint8
	near3, near4 uint32
}

// place hashes the bytes at index i, of which pad must be in the window.
func (f *finder) place(i int) place {
	v := binary.LittleEndian.Uint64(f.buf[i:])
	h := v << (64 - 8*hashedBytes) * 0x9E3779B185EBCA87
	return place{
		row:   int(h >> f.shift),
		tag:   uint8(h >> (f.shift - 8)),
		near3: uint32(v) << 8 * 506832829 >> (32 - nearBits),
		near4: uint32(v) * 2654435761 >> (32 - nearBits),
	}
}

// insert puts position at into the tables.
func (f *finder) insert(at uint32, p place) {
	slot := (int(f.newest[p.row]) + 1) & (f.row - 1)
	f.newest[p.row] = uint8(slot)
	slot += p.row * f.row
	f.rows[slot] = at
	f.tags[slot] = p.tag
	f.near3[p.near3] = at
	f.near4[p.near4] = at
}

// insertTo puts the indices before end into the tables, as far as the bytes
// that are hashed are known; the others follow with the next group.
//
//go:norace
func (f *finder) insertTo(end int) {
	end = min(end, f.n-pad+1)
	for ; f.next < end; f.next++ {
		f.insert(f.base+uint32(f.next), f.place(f.next))
	}
}

// find returns the best match for index i of at most limit bytes that is
// better than best, or best. It puts i into the tables.
//
//go:norace
func (f *finder) find(i, limit int, best match) match {
	f.insertTo(i)
	if i+pad > f.n || limit < 3 {
		return best
	}
	p, at := f.place(i), f.base+uint32(i)
	oldest := f.oldest(at)
	near3, near4 := f.near3[p.near3], f.near4[p.near4]
	if near3 >= oldest && near3 < at {
		best = best.better(f.matchAt(i, at-near3, limit))
	}
	if near4 >= oldest && near4 < at && near4 != near3 {
		best = best.better(f.matchAt(i, at-near4, limit))
	}
	best = f.findInRow(i, limit, p, best)
	if i >= f.next {
		f.insert(at, p)
		f.next = i + 1
	}
	return best
}

// lowBits and highBits have the lowest and the highest bit of each byte set.
const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// findInRow compares the candidates of a row whose tags are equal.
//
//go:norace
func (f *finder) findInRow(i, limit int, p place, best match) match {
	from, to := p.row*f.row, (p.row+1)*f.row
	tags, rows := f.tags[from:to], f.rows[from:to]
	at := f.base + uint32(i)
	reach := at - f.oldest(at)
	for j := 0; j < len(tags); j += 8 {
		x := binary.LittleEndian.Uint64(tags[j:]) ^ lowBits*uint64(p.tag)
		// The lowest marked byte is zero in x; a higher one may be marked
		// wrongly, which only costs a comparison.
		for equal := (x - lowBits) &^ x & highBits; equal != 0; equal &= equal - 1 {
			offset := at - rows[j+bits.TrailingZeros64(equal)/8]
			if offset-1 < reach && f.longer(i, offset, limit, best) {
				best = best.better(f.matchAt(i, offset, limit))
			}
		}
	}
	return best
}

// longer reports whether a match with this offset may be longer than best.
func (f *finder) longer(i int, offset uint32, limit int, best match) bool {
	at := i + best.length
	return best.length < limit && f.buf[at-int(offset)] == f.buf[at]
}

// matchAt returns the match of index i with what lies offset before it.
//
//go:norace
func (f *finder) matchAt(i int, offset uint32, limit int) match {
	n := f.common(i-int(offset), i, limit)
	if n < 3 {
		return match{}
	}
	return newMatch(n, offset)
}

// common counts the equal bytes at indices a and b, up to limit.
//
//go:norace
func (f *finder) common(a, b, limit int) int {
	n := 0
	for n < limit {
		x := binary.LittleEndian.Uint64(f.buf[a+n:]) ^ binary.LittleEndian.Uint64(f.buf[b+n:])
		if x != 0 {
			return min(n+bits.TrailingZeros64(x)/8, limit)
		}
		n += 8
	}
	return limit
}
