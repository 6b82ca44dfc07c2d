package lzx

import "encoding/binary"

// inputSlack is how far beyond a frame's input the bit reader may look: zeros
// as far as limit, then what an earlier frame left.
const inputSlack = 64

// headBytes is how much of a frame holds the stream's header and that of a
// block, as far as it is bits, and what refill takes ahead.
const headBytes = 32

// bitReader reads the bits of one frame. The stream is a sequence of 16-bit
// little-endian words whose bits come most significant first; swap swaps the
// bytes of each word, so that what remains is a plain big-endian bit stream.
//
// Reading beyond the input gives zeros and moves next beyond size;
// Decoder.finishInput finds that out once for the frame.
type bitReader struct {
	buf    uint64 // the next bits, most significant first
	count  uint   // how many of them have been taken from input: 0 to 63
	next   int    // index in input of the first byte not counted in buf
	size   int    // bytes of input, rounded up to whole words
	limit  int    // the last index from which eight bytes are input or zeros
	origin int    // where in the frame input begins
	input  [MaxFrameInput + inputSlack]byte
}

// load starts at byte offset off of a frame's compressed bytes. Bits are ready
// as far as a block's header may reach; uncompressed bytes never need more.
func (b *bitReader) load(frame []byte, off int) {
	b.origin = off
	b.size = (len(frame) - off + 1) &^ 1
	b.limit = b.size + inputSlack/4
	b.seek(off)
	b.swap(frame[off:], 0, headBytes)
}

// loadRest makes all bits of the frame ready that load was given.
func (b *bitReader) loadRest(frame []byte) {
	b.swap(frame[b.origin:], headBytes, MaxFrameInput)
}

// swap makes the bits of src ready from index first up to last.
func (b *bitReader) swap(src []byte, first, last int) {
	const even = 0x00ff00ff00ff00ff
	last = min(last, len(src))
	n := last &^ 7
	for i := first; i < n; i += 8 {
		x := binary.LittleEndian.Uint64(src[i:])
		binary.LittleEndian.PutUint64(b.input[i:], x&even<<8|x>>8&even)
	}
	if first > last || last < len(src) {
		return
	}
	clear(b.input[n : n+8+inputSlack/2])
	for i := n; i < last; i++ {
		b.input[i^1] = src[i]
	}
}

// seek goes on at byte offset off of the frame. Bits can be read there only
// if it is a whole number of words from the origin; raw bytes always.
func (b *bitReader) seek(off int) {
	b.next, b.buf, b.count = off-b.origin, 0, 0
}

// offset returns how many bytes of the frame have been used, the last
// perhaps in part.
func (b *bitReader) offset() int {
	return b.origin + b.next - int(b.count>>3)
}

// refill makes at least 56 bits ready, more than any one symbol takes.
func (b *bitReader) refill() {
	p := min(b.next, b.limit)
	b.buf |= binary.BigEndian.Uint64(b.input[p:]) >> b.count
	b.next += int(7 - b.count>>3)
	b.count |= 56
}

// overrun tells whether more has been taken than there is.
func (b *bitReader) overrun() bool { return b.next-int(b.count>>3) > b.size }

// take returns the next n bits, n being 1 to 32.
func (b *bitReader) take(n uint) uint32 {
	b.refill()
	v := uint32(b.buf >> (64 - n))
	b.drop(n)
	return v
}

func (b *bitReader) drop(n uint) {
	b.buf <<= n
	b.count -= n
}

// alignWord drops the bits up to the next 16-bit word, if any.
func (b *bitReader) alignWord() {
	bits := uint(b.next)*8 - b.count // taken so far
	if odd := bits % 16; odd != 0 {
		b.refill()
		b.drop(16 - odd)
	}
}

// symbol decodes one symbol with a table of the given root bits.
func (b *bitReader) symbol(table []uint32, root uint) (sym uint32, ok bool) {
	b.refill()
	e := table[b.buf>>(64-root)]
	if e&subtable != 0 {
		e = table[subIndex(e, b.buf<<root)]
	}
	b.drop(uint(e & lengthMask))
	return e >> symbolShift, e&lengthMask != 0
}
