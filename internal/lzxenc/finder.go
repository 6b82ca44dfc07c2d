package lzxenc

import (
	"encoding/binary"
	"math/bits"
)

// effort is what a Level means to the search.
type effort struct {
	depth int // candidates looked at per position
	lazy  int // how many positions ahead a better match is looked for
	nice  int // a match this long is taken without looking further
}

func (l Level) effort() effort {
	switch l {
	case Fast:
		return effort{depth: 4, lazy: 0, nice: 32}
	case Best:
		return effort{depth: 200, lazy: 2, nice: maxMatch}
	default:
		return effort{depth: 24, lazy: 1, nice: 96}
	}
}

// pad bytes after the window let words be read at its last byte.
const pad = 8

// finder holds the window and finds earlier occurrences of the bytes at a
// position: chains of the positions with equal hash of four bytes, and the
// latest position with an equal hash of three.
//
// Positions in the tables count from the encoder's first byte and go on over
// Reset, so that stale entries are recognized by being too small.
type finder struct {
	effort
	window int    // bytes
	buf    []byte // the window, then the group, then pad
	n      int    // bytes in buf
	next   int    // first index in buf not yet in the tables
	base   uint32 // position of buf[0]
	start  uint32 // position of the folder's first byte
	head   []uint32
	head3  []uint32
	prev   []uint32 // by position modulo window
	shift  uint     // of the hash of four bytes
}

// hash3Bits is the size of the table for three bytes.
const hash3Bits = 15

func newFinder(windowBits int, level Level) *finder {
	window := 1 << windowBits
	hashBits := uint(min(windowBits, 17))
	return &finder{
		effort: level.effort(),
		window: window,
		buf:    make([]byte, 2*window+GroupFrames*FrameSize+pad),
		head:   make([]uint32, 1<<hashBits),
		head3:  make([]uint32, 1<<hash3Bits),
		prev:   make([]uint32, window),
		shift:  32 - hashBits,
	}
}

// reset begins a new folder. Position 0 is never used: it means "none".
func (f *finder) reset() {
	at := f.base + uint32(f.n)
	if at == 0 || at > 1<<31 {
		clear(f.head)
		clear(f.head3)
		at = 1
	}
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

// maxOffset is the largest offset that a match may have.
func (f *finder) maxOffset() uint32 { return uint32(f.window) - repeatSlots }

func (f *finder) hash4(v uint32) uint32 { return v * 2654435761 >> f.shift }
func hash3(v uint32) uint32             { return v << 8 * 506832829 >> (32 - hash3Bits) }

// insert puts the position of index i into the tables and returns what was
// there. The four bytes at i must be in the window.
func (f *finder) insert(i int) (chain, recent uint32) {
	v := binary.LittleEndian.Uint32(f.buf[i:])
	h, h3 := f.hash4(v), hash3(v)
	chain, recent = f.head[h], f.head3[h3]
	at := f.base + uint32(i)
	f.head[h], f.head3[h3] = at, at
	f.prev[at&uint32(f.window-1)] = chain
	return chain, recent
}

// insertTo puts the indices before end into the tables, as far as their four
// bytes are known; the others follow with the next group.
func (f *finder) insertTo(end int) {
	end = min(end, f.n-3)
	for ; f.next < end; f.next++ {
		f.insert(f.next)
	}
}

// find returns the best match for index i of at most limit bytes that is
// better than best, or best. It puts i into the tables.
func (f *finder) find(i, limit int, best match) match {
	f.insertTo(i)
	if i+4 > f.n || limit < 3 {
		return best
	}
	at := f.base + uint32(i)
	chain, recent := f.prev[at&uint32(f.window-1)], uint32(0)
	if i >= f.next {
		chain, recent = f.insert(i)
		f.next = i + 1
	}
	oldest := f.start
	if reach := f.maxOffset(); at-f.start > reach {
		oldest = at - reach
	}
	if recent >= oldest && recent != chain {
		best = best.better(f.matchAt(i, at-recent, limit))
	}
	return f.follow(i, limit, chain, oldest, best)
}

// follow searches the chain of candidates from the most recent to oldest.
func (f *finder) follow(i, limit int, chain, oldest uint32, best match) match {
	at, mask := f.base+uint32(i), uint32(f.window-1)
	for depth := f.depth; chain >= oldest && depth > 0; depth-- {
		c := int(chain - f.base)
		if best.length >= limit {
			break
		}
		if tail := best.length; f.buf[c+tail] == f.buf[i+tail] {
			best = best.better(f.matchAt(i, at-chain, limit))
			if best.length >= f.nice {
				break
			}
		}
		older := f.prev[chain&mask]
		if older >= chain {
			break
		}
		chain = older
	}
	return best
}

// matchAt returns the match of index i with what lies offset before it.
func (f *finder) matchAt(i int, offset uint32, limit int) match {
	n := f.common(i-int(offset), i, limit)
	if n < 3 {
		return match{}
	}
	return newMatch(n, offset)
}

// common counts the equal bytes at indices a and b, up to limit.
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
