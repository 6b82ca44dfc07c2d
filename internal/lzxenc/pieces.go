package lzxenc

import "math/bits"

// pieceSize is about how many bytes the statistics are kept apart for; blocks
// are made of whole pieces. A piece ends within a frame.
const (
	pieceSize = 8192
	maxPieces = GroupFrames * FrameSize / pieceSize
)

// freqs counts the symbols of a piece or block.
type freqs struct {
	main    []uint32
	length  [lengthSymbols]uint32
	aligned [alignedSyms]uint32
}

func (f *freqs) clear() {
	clear(f.main)
	clear(f.length[:])
	clear(f.aligned[:])
}

func (f *freqs) add(g *freqs) {
	addTo(f.main, g.main)
	addTo(f.length[:], g.length[:])
	addTo(f.aligned[:], g.aligned[:])
}

func addTo(a, b []uint32) {
	for i, n := range b {
		a[i] += n
	}
}

// footerBits is the number of footer bits of all counted matches.
func (f *freqs) footerBits() (n int) {
	for i := literals; i < len(f.main); i++ {
		slot := (i - literals) / 8
		n += int(f.main[i]) * int(slotFooter(slot))
	}
	return n
}

// piece is a run of tokens, later a block.
type piece struct {
	from, to int       // tokens
	size     int       // bytes they stand for
	repeat   [3]uint32 // recent offsets after it
	freq     *freqs
}

// cut is the end of a frame: in tokens and, once written, in output bytes.
type cut struct{ token, out int }

func newPieces(symbols int) []piece {
	p := make([]piece, maxPieces)
	for i := range p {
		p[i].freq = &freqs{main: make([]uint32, symbols)}
	}
	return p[:0]
}

// piece is the one being parsed.
func (e *Encoder) piece() *piece { return &e.pieces[len(e.pieces)-1] }

func (e *Encoder) beginPiece() {
	e.pieces = e.pieces[:len(e.pieces)+1]
	p := e.piece()
	p.from = len(e.tokens)
	p.freq.clear()
}

func (e *Encoder) endPiece(size int) {
	p := e.piece()
	p.to, p.size, p.repeat = len(e.tokens), size, e.repeat
}

// mergePieces makes blocks of neighbouring pieces whose symbols are
// distributed so alike that codes of their own would not pay.
func (e *Encoder) mergePieces() {
	e.blocks = append(e.blocks[:0], e.pieces[0])
	last := estimate(e.pieces[0].freq, nil)
	for _, p := range e.pieces[1:] {
		b := &e.blocks[len(e.blocks)-1]
		alone := estimate(p.freq, nil)
		together := estimate(b.freq, p.freq)
		if together > last+alone+e.splitBits {
			e.blocks = append(e.blocks, p)
			last = alone
			continue
		}
		b.freq.add(p.freq)
		b.to, b.size, b.repeat = p.to, b.size+p.size, p.repeat
		last = together
	}
}

// mergeByFrame makes each frame of the group one block.
func (e *Encoder) mergeByFrame() {
	e.blocks = e.blocks[:0]
	frame := 0
	for _, p := range e.pieces {
		if p.from == e.cuts[frame].token {
			p.freq.clear()
			e.blocks = append(e.blocks, p)
			frame++
		} else {
			b := &e.blocks[len(e.blocks)-1]
			b.to, b.size, b.repeat = p.to, b.size+p.size, p.repeat
		}
	}
	for _, b := range e.blocks {
		b.freq.count(e.tokens[b.from:b.to])
	}
}

// count adds the symbols of tokens.
func (f *freqs) count(tokens []token) {
	for _, t := range tokens {
		f.main[t.main]++
		if t.bits&flagLong != 0 {
			f.length[t.length]++
		}
		if t.bits&^flagLong >= 3 {
			f.aligned[t.footer&7]++
		}
	}
}

// headerBits is about what another block costs: its code lengths, and that its
// statistics know less. Chosen by trial.
const headerBits = 1200 << logFraction

// estimate is about how many bits the symbols of f and, if not nil, g take
// when coded together, in units of 2^-logFraction bits. It uses no floating
// point, so that every machine writes the same bytes.
func estimate(f, g *freqs) int {
	if g == nil {
		return entropy(f.main, nil) + entropy(f.length[:], nil)
	}
	return entropy(f.main, g.main) + entropy(f.length[:], g.length[:])
}

func entropy(a, b []uint32) int {
	var total uint32
	sum := 0
	for i, n := range a {
		if b != nil {
			n += b[i]
		}
		if n > 0 {
			total += n
			sum += int(n) * log2(n)
		}
	}
	if total == 0 {
		return 0
	}
	return int(total)*log2(total) - sum
}

// logFraction is the number of fraction bits of log2.
const logFraction = 8

// log2 returns the binary logarithm of n > 0 in units of 2^-logFraction, with
// an error below 1/100: linear in the mantissa m, corrected by 0.343 m (1-m).
func log2(n uint32) int {
	e := bits.Len32(n) - 1
	m := int(n<<(31-e)&(1<<31-1)) >> 15 // mantissa without its leading 1, 16 bits
	m += m * (1<<16 - m) >> 16 * 22480 >> 16
	return e<<logFraction + m>>(16-logFraction)
}
