package lzxenc

import "encoding/binary"

// The block types as they are written.
const (
	typeVerbatim     = 1
	typeAligned      = 2
	typeUncompressed = 3
)

// writeBlocks writes e.blocks, which stand for the last size bytes of the
// window, and notes in e.cuts where the frames end.
func (e *Encoder) writeBlocks(size int, kinds Blocks) {
	e.bits.n, e.bits.acc, e.bits.held, e.frame = 0, 0, 0, 0
	e.bits.reserve(8)
	if e.frames == 0 {
		e.writeTranslation()
	}
	at := e.search.n - size
	for _, b := range e.blocks {
		e.codes.build(b.freq)
		switch kind := e.choose(b, kinds); kind {
		case typeUncompressed:
			e.writeUncompressed(b, at)
		default:
			e.writeCompressed(b, kind)
		}
		at += b.size
	}
}

// writeTranslation writes the begin of a folder: whether E8 is translated.
func (e *Encoder) writeTranslation() {
	if !e.opt.E8 {
		e.bits.put(0, 1)
		return
	}
	e.bits.put(1, 1)
	e.bits.put(uint64(uint32(e.opt.E8FileSize)), 32)
}

// choose returns the type of block b, whose codes have been built.
func (e *Encoder) choose(b piece, kinds Blocks) int {
	switch kinds {
	case Verbatim:
		return typeVerbatim
	case Aligned:
		return typeAligned
	case Uncompressed:
		return typeUncompressed
	case Mixed:
		e.turn++
		return typeVerbatim + (e.turn-1)%3
	}
	return e.smallest(b)
}

// smallest returns the type that takes fewest bits for b. It leaves the code
// lengths of both compressed types out, as they are the same.
func (e *Encoder) smallest(b piece) int {
	saved := -3 * alignedSyms // bits that the aligned type saves
	for s, n := range b.freq.aligned {
		saved += int(n) * (3 - int(e.codes.aligned.lens[s]))
	}
	body := e.codes.main.size(b.freq.main) + e.codes.length.size(b.freq.length[:]) + b.freq.footerBits()
	switch {
	case body-max(saved, 0) >= 8*b.size:
		return typeUncompressed
	case saved > 0:
		return typeAligned
	}
	return typeVerbatim
}

// blockHeader writes what all blocks begin with.
func (e *Encoder) blockHeader(kind, size int) {
	e.bits.put(uint64(kind), 3)
	e.bits.put(uint64(size), 24)
}

// writeCompressed writes b as a verbatim or aligned block.
func (e *Encoder) writeCompressed(b piece, kind int) {
	e.bits.reserve(16)
	e.blockHeader(kind, b.size)
	if kind == typeAligned {
		for _, l := range e.codes.aligned.lens {
			e.bits.put(uint64(l), 3)
		}
	}
	e.codes.writeLengths(&e.bits)
	for from := b.from; from < b.to; {
		to := min(b.to, e.cuts[e.frame+1].token)
		e.bits.reserve(8*(to-from) + 16)
		if kind == typeAligned {
			e.writeAligned(e.tokens[from:to])
		} else {
			e.writeVerbatim(e.tokens[from:to])
		}
		from = to
		e.endFrame(to)
	}
}

// endFrame aligns the output when token ends the frame.
func (e *Encoder) endFrame(token int) {
	if token == e.cuts[e.frame+1].token {
		e.bits.align()
		e.frame++
		e.cuts[e.frame].out = e.bits.n
	}
}

func (e *Encoder) writeVerbatim(tokens []token) {
	for _, t := range tokens {
		e.writeSymbols(t)
		e.bits.put(uint64(t.footer), uint(t.bits&^flagLong))
	}
}

func (e *Encoder) writeAligned(tokens []token) {
	aligned := &e.codes.aligned
	for _, t := range tokens {
		e.writeSymbols(t)
		n := uint(t.bits &^ flagLong)
		if n < 3 {
			e.bits.put(uint64(t.footer), n)
			continue
		}
		e.bits.put(uint64(t.footer>>3), n-3)
		e.bits.put(uint64(aligned.bits[t.footer&7]), uint(aligned.lens[t.footer&7]))
	}
}

// writeSymbols writes the symbols of t from the main and the length tree.
func (e *Encoder) writeSymbols(t token) {
	main, length := &e.codes.main, &e.codes.length
	e.bits.put(uint64(main.bits[t.main]), uint(main.lens[t.main]))
	if t.bits&flagLong != 0 {
		e.bits.put(uint64(length.bits[t.length]), uint(length.lens[t.length]))
	}
}

// writeUncompressed writes the b.size bytes at index at of the window as
// uncompressed blocks, each within one frame.
//
// All of them carry the recent offsets that the parser left after b: only
// those of the last are used, by the block that follows.
func (e *Encoder) writeUncompressed(b piece, at int) {
	for from := b.from; from < b.to; {
		to := min(b.to, e.cuts[e.frame+1].token)
		n := e.span(from, to)
		if n%2 == 1 && n > 1 && to == e.cuts[e.frame+1].token && n+at < e.search.n {
			// Decoders disagree about where the pad byte of an odd block
			// lies when a frame ends there, so the odd byte goes first.
			e.storedBlock(e.search.buf[at:at+1], b.repeat)
			at, n = at+1, n-1
		}
		e.storedBlock(e.search.buf[at:at+n], b.repeat)
		at, from = at+n, to
		e.endFrame(to)
	}
}

// span is the number of bytes that the tokens from..to stand for.
func (e *Encoder) span(from, to int) (n int) {
	for _, t := range e.tokens[from:to] {
		n += t.size()
	}
	return n
}

// storedBlock writes one uncompressed block.
func (e *Encoder) storedBlock(p []byte, repeat [3]uint32) {
	w := &e.bits
	w.reserve(len(p) + 32)
	e.blockHeader(typeUncompressed, len(p))
	if w.held == 0 { // the padding has 1 to 16 bits
		w.put(0, 16)
	}
	w.align()
	var offsets [12]byte
	for i, r := range repeat {
		binary.LittleEndian.PutUint32(offsets[4*i:], r)
	}
	w.raw(offsets[:])
	w.raw(p)
	if len(p)%2 == 1 {
		w.raw([]byte{0})
	}
}
