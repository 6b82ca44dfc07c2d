package lzxenc

import "math/bits"

// token is a literal or a match, as symbols.
type token struct {
	footer uint32 // low bits of the formatted offset
	main   uint16 // symbol of the main tree
	length uint8  // symbol of the length tree
	bits   uint8  // how many footer bits, and flagLong
}

// flagLong marks a token that uses the length tree.
const flagLong = 0x80

// match is an earlier occurrence; slot is below repeatSlots for R0, R1, R2.
type match struct {
	length int
	offset uint32
	slot   int
	score  int // about how many bits it saves
}

// What a literal, a match beside its footer, and a repeated match cost in bits,
// about, and by how much a later match must be better to be worth waiting for.
// Chosen by trial on update metadata and programs.
const (
	literalBits = 5
	matchBits   = 9
	repeatBits  = 4
	betterBits  = 3
)

func newMatch(length int, offset uint32) match {
	footer := bits.Len32(offset+2) - 2
	return match{length: length, offset: offset, slot: repeatSlots,
		score: length*literalBits - matchBits - footer}
}

func (m match) better(n match) match {
	if n.score > m.score {
		return n
	}
	return m
}

// parse turns the last size bytes of the window into tokens and pieces.
func (e *Encoder) parse(size int) {
	f := e.search
	begin := f.n - size
	e.tokens, e.pieces = e.tokens[:0], e.pieces[:0]
	e.cuts[0] = cut{}
	for i := range frameCount(size) {
		from := begin + i*FrameSize
		to := min(from+FrameSize, f.n)
		e.parseFrame(from, to)
		e.cuts[i+1] = cut{token: len(e.tokens)}
	}
	f.insertTo(f.n)
}

// parseFrame parses the indices from..to of the window in pieces.
func (e *Encoder) parseFrame(from, to int) {
	for from < to {
		end := min(from+pieceSize, to)
		e.beginPiece()
		at := e.parsePiece(from, end, to)
		e.endPiece(at - from)
		from = at
	}
}

// parsePiece parses from index i until end is reached or passed; matches end
// at limit, the end of the frame. It returns where it stopped.
func (e *Encoder) parsePiece(i, end, limit int) int {
	misses := 0
	for i < end {
		m := e.bestMatch(i, limit)
		if m.length == 0 {
			misses++
			i = e.literalRun(i, min(i+1+misses/missesPerStep, limit))
			continue
		}
		misses = 0
		i, m = e.waitForBetter(i, limit, m)
		e.match(m)
		i += m.length
	}
	return i
}

// missesPerStep makes the search stride over what does not compress: after so
// many literals in a row every second position is searched, then every third…
const missesPerStep = 64

// literalRun emits the literals i..end and keeps them out of the tables but
// for the first, which bestMatch has put there.
func (e *Encoder) literalRun(i, end int) int {
	for _, b := range e.search.buf[i:end] {
		e.literal(b)
	}
	if end > i+1 {
		e.search.next = max(e.search.next, end)
	}
	return end
}

// waitForBetter emits literals while the next position has a better match.
func (e *Encoder) waitForBetter(i, limit int, m match) (int, match) {
	for m.length < e.search.nice {
		ahead, next := e.lookAhead(i, limit, m)
		if ahead == 0 {
			break
		}
		for range ahead {
			e.literal(e.search.buf[i])
			i++
		}
		m = next
	}
	return i, m
}

// lookAhead looks for a match shortly after i that makes up for the literals
// before it, and returns how many those are.
func (e *Encoder) lookAhead(i, limit int, m match) (ahead int, _ match) {
	for ahead = 1; ahead <= e.search.lazy && i+ahead < limit; ahead++ {
		next := e.bestMatch(i+ahead, limit)
		if next.score > m.score+2*(ahead-1)+betterBits {
			return ahead, next
		}
	}
	return 0, m
}

// bestMatch returns the best match at index i that does not pass limit; its
// length is 0 when a literal is better.
func (e *Encoder) bestMatch(i, limit int) match {
	limit = min(limit-i, maxMatch)
	best := e.bestRepeat(i, limit)
	if best.length >= e.search.nice {
		return best
	}
	return e.search.find(i, limit, best)
}

// bestRepeat returns the best match with a recent offset.
func (e *Encoder) bestRepeat(i, limit int) (best match) {
	buf := e.search.buf
	for slot, offset := range e.repeat {
		at := i - int(offset)
		if at < 0 || buf[at] != buf[i] || limit < minMatch || buf[at+1] != buf[i+1] {
			continue
		}
		n := e.search.common(at, i, limit)
		if score := n*literalBits - repeatBits - slot; score > best.score {
			best = match{length: n, offset: offset, slot: slot, score: score}
		}
	}
	return best
}

// literal appends a literal to the tokens of the piece.
func (e *Encoder) literal(b byte) {
	e.tokens = append(e.tokens, token{main: uint16(b)})
	e.piece().freq.main[b]++
}

// match appends a match to the tokens of the piece and turns the recent
// offsets: a repeated one changes places with R0, a new one pushes the others.
func (e *Encoder) match(m match) {
	var t token
	slot := m.slot
	if slot < repeatSlots {
		e.repeat[0], e.repeat[slot] = e.repeat[slot], e.repeat[0]
	} else {
		formatted := m.offset + 2
		var footer uint
		slot, footer = positionSlot(formatted)
		t.bits, t.footer = uint8(footer), formatted&(1<<footer-1)
		e.repeat = [3]uint32{m.offset, e.repeat[0], e.repeat[1]}
	}
	f := e.piece().freq
	header := min(m.length-minMatch, longLength-minMatch)
	if m.length >= longLength {
		t.length = uint8(m.length - longLength)
		f.length[t.length]++
	}
	t.main = uint16(literals + slot*8 + header)
	f.main[t.main]++
	if t.bits >= 3 {
		f.aligned[t.footer&7]++
	}
	if m.length >= longLength {
		t.bits |= flagLong
	}
	e.tokens = append(e.tokens, t)
}

// size is the number of bytes that t stands for.
func (t token) size() int {
	switch {
	case t.main < literals:
		return 1
	case t.bits&flagLong != 0:
		return int(t.length) + longLength
	}
	return int(t.main-literals)%8 + minMatch
}
