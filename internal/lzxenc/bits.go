package lzxenc

import "encoding/binary"

// bitWriter fills 16-bit little-endian words from the most significant bit.
type bitWriter struct {
	buf  []byte // grown by reserve
	n    int    // bytes written
	acc  uint64 // the pending bits are its lowest
	held uint   // how many are pending, below 16 between calls
}

// reserve makes room for n more bytes.
func (w *bitWriter) reserve(n int) {
	if need := w.n + n; need > len(w.buf) {
		grown := make([]byte, need+need/2)
		copy(grown, w.buf[:w.n])
		w.buf = grown
	}
}

// put appends the low n bits of v, whose other bits are 0. n is at most 48.
// Room must have been reserved.
func (w *bitWriter) put(v uint64, n uint) {
	w.acc = w.acc<<n | v
	w.held += n
	for w.held >= 16 {
		w.held -= 16
		binary.LittleEndian.PutUint16(w.buf[w.n:], uint16(w.acc>>w.held))
		w.n += 2
	}
}

// align pads with zero bits to the end of the word.
func (w *bitWriter) align() {
	if w.held > 0 {
		w.put(0, 16-w.held)
	}
}

// raw appends bytes; the writer must be aligned and have room.
func (w *bitWriter) raw(p []byte) { w.n += copy(w.buf[w.n:], p) }
