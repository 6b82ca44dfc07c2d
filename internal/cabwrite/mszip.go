package cabwrite

import (
	"encoding/binary"
	"math/bits"
)

// mszip is a folder compressed with MSZIP: each record is "CK" and a deflate
// stream of its own, which may refer to the 32 KiB of content before it.
//
// The streams have one block, with the fixed codes or stored. (compress/flate
// makes smaller ones, but describes a single distance by an incomplete code,
// which cabextract refuses.)
type mszip struct {
	text  []byte // the frame before, then the frame
	split int    // where the frame begins
	seen  [1 << mszipHashBits]int32
	out   lsbWriter
}

const (
	mszipHashBits = 14
	minDeflate    = 4 // shortest match looked for
	maxDeflate    = 258
	endOfBlock    = 256
)

func newMSZIP() *mszip { return &mszip{text: make([]byte, 0, 2*frameSize)} }

func (s *mszip) group() int { return 1 }

func (s *mszip) frames(p []byte, emit func([]byte, int) error) error {
	s.shift(p)
	s.out.buf = append(s.out.buf[:0], "CK"...)
	s.out.put(1|1<<1, 3) // last block, fixed codes
	s.compress()
	s.out.symbol(endOfBlock)
	s.out.flush()
	if len(s.out.buf) > len("CK")+5+len(p) {
		s.store(p)
	}
	return emit(s.out.buf, len(p))
}

// shift makes the frame the history of p, and p the frame. Places in s.seen
// are counted from 1 so that 0 means none.
func (s *mszip) shift(p []byte) {
	drop := s.split
	s.text = append(s.text[:copy(s.text, s.text[drop:])], p...)
	s.split = len(s.text) - len(p)
	for i, at := range s.seen {
		s.seen[i] = max(0, at-int32(drop))
	}
}

// compress writes the frame's literals and matches.
func (s *mszip) compress() {
	for i := s.split; i < len(s.text); {
		length, distance := s.match(i)
		if length < minDeflate {
			s.out.symbol(int(s.text[i]))
			i++
			continue
		}
		s.out.match(length, distance)
		for end := i + length; i+1 < end; {
			i++
			s.remember(i)
		}
		i++
	}
}

// match returns the latest earlier occurrence of what is at i, and remembers i.
func (s *mszip) match(i int) (length, distance int) {
	before := s.remember(i)
	if before < 0 || i-before > frameSize {
		return 0, 0
	}
	limit := min(len(s.text)-i, maxDeflate)
	for length < limit && s.text[before+length] == s.text[i+length] {
		length++
	}
	return length, i - before
}

// remember notes that its bytes are at i and returns where they were before,
// or -1.
func (s *mszip) remember(i int) int {
	if i+4 > len(s.text) {
		return -1
	}
	h := binary.LittleEndian.Uint32(s.text[i:]) * 2654435761 >> (32 - mszipHashBits)
	before := s.seen[h]
	s.seen[h] = int32(i + 1)
	return int(before) - 1
}

// store replaces the record by one with p in a stored block.
func (s *mszip) store(p []byte) {
	b := append(s.out.buf[:0], "CK\x01"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(p)))
	b = binary.LittleEndian.AppendUint16(b, ^uint16(len(p)))
	s.out.buf = append(b, p...)
}

// lsbWriter fills bytes from the least significant bit, as deflate does.
type lsbWriter struct {
	buf  []byte
	acc  uint64
	held int
}

func (w *lsbWriter) put(v uint32, n int) {
	w.acc |= uint64(v) << w.held
	for w.held += n; w.held >= 8; w.held -= 8 {
		w.buf = append(w.buf, byte(w.acc))
		w.acc >>= 8
	}
}

// flush pads to the end of the byte.
func (w *lsbWriter) flush() {
	w.put(0, (8-w.held)&7)
}

// symbol writes a literal or length symbol with its fixed code (RFC 1951,
// 3.2.6), whose bits go out from the highest.
func (w *lsbWriter) symbol(s int) {
	code, n := 0, 8
	switch {
	case s < 144:
		code = 0x30 + s
	case s < 256:
		code, n = 0x190+s-144, 9
	case s < 280:
		code, n = s-256, 7
	default:
		code = 0xC0 + s - 280
	}
	w.put(uint32(bits.Reverse16(uint16(code))>>(16-n)), n)
}

// match writes a match of 3..258 bytes at a distance of 1..32768.
func (w *lsbWriter) match(length, distance int) {
	symbol, extra := 285, 0
	if length < maxDeflate {
		symbol, extra = deflateSlot(length-3, 2)
		symbol += 257
		w.symbol(symbol)
		w.put(uint32(length-3)&(1<<extra-1), extra)
	} else {
		w.symbol(symbol)
	}
	slot, extra := deflateSlot(distance-1, 1)
	w.put(uint32(bits.Reverse8(uint8(slot))>>3), 5)
	w.put(uint32(distance-1)&(1<<extra-1), extra)
}

// deflateSlot returns the slot of v and how many low bits of v follow it, when
// each power of two is divided into 2^fraction slots.
func deflateSlot(v, fraction int) (slot, extra int) {
	if v < 2<<fraction {
		return v, 0
	}
	extra = bits.Len(uint(v)) - 1 - fraction
	return extra<<fraction + v>>extra, extra
}
