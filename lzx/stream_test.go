package lzx

import (
	"encoding/binary"
	"math/rand/v2"
)

// stream writes LZX by hand: no search for matches, no choice of codes, but
// every element of the format at will. What it writes it also decodes, in
// the plainest way, to content.
type stream struct {
	window  int
	frames  [][]byte // compressed, complete
	content []byte   // what the stream stands for

	out    []byte // the frame being written
	acc    uint32
	accLen uint

	recent [3]int
	main   []uint8 // code lengths
	length []uint8

	mainCodes, lengthCodes, alignedCodes []uint32
	aligned                              bool
}

var alignedLengths = []uint8{1, 2, 3, 4, 5, 6, 7, 7}

func newStream(window int) *stream {
	return &stream{
		window: window,
		recent: [3]int{1, 1, 1},
		main:   make([]uint8, numLiterals+8*positionSlots(window)),
		length: make([]uint8, numLengths),
	}
}

// put writes the low n bits of v.
func (s *stream) put(v uint32, n uint) {
	for i := int(n) - 1; i >= 0; i-- {
		s.acc = s.acc<<1 | v>>i&1
		if s.accLen++; s.accLen == 16 {
			s.out = binary.LittleEndian.AppendUint16(s.out, uint16(s.acc))
			s.acc, s.accLen = 0, 0
		}
	}
}

func (s *stream) align() {
	if s.accLen > 0 {
		s.put(0, 16-s.accLen)
	}
}

// endFrame completes a frame.
func (s *stream) endFrame() {
	s.align()
	s.frames = append(s.frames, s.out)
	s.out = nil
}

// noE8 opens a stream without translation; e8 one with it.
func (s *stream) noE8() { s.put(0, 1) }

func (s *stream) e8(fileSize uint32) {
	s.put(1, 1)
	s.put(fileSize>>16, 16)
	s.put(fileSize&0xffff, 16)
}

// header opens a verbatim or aligned block with flat codes; alternate gives
// the codes of the next block other lengths than this one's.
func (s *stream) header(kind uint32, size int, alternate bool) {
	s.put(kind, 3)
	s.put(uint32(size), 24)
	s.aligned = kind == alignedBlock
	if s.aligned {
		for _, n := range alignedLengths {
			s.put(uint32(n), 3)
		}
		s.alignedCodes = canonical(alignedLengths)
	}
	s.tree(s.main, flat(len(s.main), alternate), numLiterals)
	s.tree(s.length, flat(numLengths, alternate), numLengths)
	s.mainCodes, s.lengthCodes = canonical(s.main), canonical(s.length)
}

// tree writes the lengths want as differences from have, in two parts.
func (s *stream) tree(have, want []uint8, split int) {
	s.lengths(have[:split], want[:split])
	if split < len(have) {
		s.lengths(have[split:], want[split:])
	}
}

func (s *stream) lengths(have, want []uint8) {
	pretree := flat(numPretree, false)
	codes := canonical(pretree)
	for _, n := range pretree {
		s.put(uint32(n), 4)
	}
	for i := range want {
		code := (int(have[i]) - int(want[i]) + 17) % 17
		s.put(codes[code], uint(pretree[code]))
		have[i] = want[i]
	}
}

// rawHeader opens an uncompressed block; raw writes its bytes, and padRaw
// ends one of odd size.
func (s *stream) rawHeader(size int) {
	s.put(uncompressedBlock, 3)
	s.put(uint32(size), 24)
	s.put(0, 1)
	s.align()
	for _, r := range s.recent {
		s.out = binary.LittleEndian.AppendUint32(s.out, uint32(r))
	}
}

func (s *stream) raw(b []byte) {
	s.out = append(s.out, b...)
	s.content = append(s.content, b...)
}

func (s *stream) padRaw() { s.out = append(s.out, 0) }

func (s *stream) literal(b byte) {
	s.put(s.mainCodes[b], uint(s.main[b]))
	s.content = append(s.content, b)
}

// match writes a match by its offset; repeat one by the number of a recent
// offset.
func (s *stream) match(length, offset int) {
	formatted := uint32(offset + 2)
	number := 3
	for number+1 < positionSlots(s.window) && slots[number+1].base+2 <= formatted {
		number++
	}
	s.matchHead(length, number)
	extra := uint(slots[number].extra)
	rest := formatted - (slots[number].base + 2)
	if s.aligned && extra >= 3 {
		s.put(rest>>3, extra-3)
		s.put(s.alignedCodes[rest&7], uint(alignedLengths[rest&7]))
	} else {
		s.put(rest, extra)
	}
	s.recent = [3]int{offset, s.recent[0], s.recent[1]}
	s.copy(length, offset)
}

func (s *stream) repeat(length, number int) {
	s.matchHead(length, number)
	s.recent[0], s.recent[number] = s.recent[number], s.recent[0]
	s.copy(length, s.recent[0])
}

func (s *stream) matchHead(length, slot int) {
	head := min(length-2, 7)
	sym := numLiterals + slot*8 + head
	s.put(s.mainCodes[sym], uint(s.main[sym]))
	if head == 7 {
		s.put(s.lengthCodes[length-9], uint(s.length[length-9]))
	}
}

func (s *stream) copy(length, offset int) {
	for range length {
		s.content = append(s.content, s.content[len(s.content)-offset])
	}
}

// flat returns lengths of a complete code for n symbols that differ by one
// at most; alternate gives the short ones to the other end. With more than
// 300 symbols one goes down to the longest code.
func flat(n int, alternate bool) []uint8 {
	bits := uint8(0)
	for 1<<bits < n {
		bits++
	}
	lengths := make([]uint8, n)
	for i := range lengths {
		lengths[i] = bits
		if i < 1<<bits-n {
			lengths[i]--
		}
	}
	if n > 300 { // a comb of ever longer codes in the place of one symbol's
		last := lengths[n-8:]
		freed := 8 - (maxCodeLength - int(bits) + 1)
		for i := range last[freed:] {
			last[freed+i] = min(bits+1+uint8(i), maxCodeLength)
		}
		rebalance(lengths)
	}
	if alternate {
		for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
			lengths[i], lengths[j] = lengths[j], lengths[i]
		}
	}
	return lengths
}

// rebalance shortens codes from the front until the code is complete.
func rebalance(lengths []uint8) {
	space := 1 << maxCodeLength
	for _, n := range lengths {
		space -= 1 << (maxCodeLength - n)
	}
	for again := true; again; {
		again = false
		for i, n := range lengths {
			if gain := 1 << (maxCodeLength - n); n > 1 && gain <= space {
				lengths[i]--
				space -= gain
				again = true
			}
		}
	}
}

// canonical returns the codes for the lengths.
func canonical(lengths []uint8) []uint32 {
	codes := make([]uint32, len(lengths))
	code := uint32(0)
	for n := uint8(1); n <= maxCodeLength; n++ {
		code <<= 1
		for sym, have := range lengths {
			if have == n {
				codes[sym] = code
				code++
			}
		}
	}
	return codes
}

// randomStream writes a stream of total bytes from every element of the
// format: blocks of all kinds and of sizes that cross frames, offsets up to
// the window's limit, repeated offsets, matches of all lengths.
func randomStream(r *rand.Rand, window, total int) *stream {
	s := newStream(window)
	s.noE8()
	frameEnd := func() int { return min(total, (len(s.content)/FrameSize+1)*FrameSize) }
	for len(s.content) < total {
		size := min(1+r.IntN(3*FrameSize), total-len(s.content))
		kind := uint32(1 + r.IntN(3))
		end := len(s.content) + size
		if kind == uncompressedBlock {
			s.rawHeader(size)
		} else {
			s.header(kind, size, r.IntN(2) == 0)
		}
		for len(s.content) < end {
			stop := min(end, frameEnd())
			if kind == uncompressedBlock {
				s.raw(randomBytes(r, stop-len(s.content)))
			} else {
				s.randomSymbols(r, stop)
			}
			frameDone := len(s.content)%FrameSize == 0 || len(s.content) == total
			if kind == uncompressedBlock && len(s.content) == end && size%2 == 1 {
				if frameDone && r.IntN(2) == 0 { // the pad byte opens the next frame
					s.endFrame()
					frameDone = false
				}
				s.padRaw()
			}
			if frameDone {
				s.endFrame()
			}
		}
	}
	return s
}

func (s *stream) randomSymbols(r *rand.Rand, stop int) {
	for len(s.content) < stop {
		room := stop - len(s.content)
		length := min(2+r.IntN(256), room)
		reach := min(len(s.content), 1<<s.window-3)
		number := r.IntN(3)
		switch {
		case length < 2 || reach == 0 || r.IntN(4) == 0:
			s.literal(byte(r.Uint32()))
		case r.IntN(4) == 0 && s.recent[number] <= reach:
			s.repeat(length, number)
		case r.IntN(2) == 0:
			s.match(length, 1+r.IntN(min(reach, 40)))
		default:
			s.match(length, 1+reach-1-r.IntN(min(reach, 1+reach/(1+r.IntN(1000)))))
		}
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}
