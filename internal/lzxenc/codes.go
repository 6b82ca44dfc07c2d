package lzxenc

// codeSet holds the codes of the current block and the code lengths that the
// decoder remembers from the block before.
type codeSet struct {
	main, length, aligned, pre code
	prevMain, prevLength       []uint8
	preFreq                    [preSymbols]uint32
	items                      []preItem
	saved                      []uint8
}

// preItem is a symbol of the pre-tree and the bits that follow it.
type preItem struct {
	symbol uint8
	extra  uint8
	bits   uint8
}

// The symbols of the pre-tree from 17 on stand for runs of code lengths.
const (
	preZeros     = 17 // 4..19 zeros
	preManyZeros = 18 // 20..51 zeros
	preSame      = 19 // 4..5 times what the next symbol says
)

func (c *codeSet) init(window int) {
	symbols := literals + 8*positionSlots(window)
	c.main, c.length = newCode(symbols), newCode(lengthSymbols)
	c.aligned, c.pre = newCode(alignedSyms), newCode(preSymbols)
	c.prevMain, c.prevLength = make([]uint8, symbols), make([]uint8, lengthSymbols)
	c.items = make([]preItem, 0, symbols)
	c.saved = make([]uint8, symbols+lengthSymbols)
}

// forget makes the remembered lengths those of the folder's begin: all 0.
func (c *codeSet) forget() {
	clear(c.prevMain)
	clear(c.prevLength)
}

// remember returns the remembered lengths, for restore; it keeps one copy.
func (c *codeSet) remember() []uint8 {
	n := copy(c.saved, c.prevMain)
	copy(c.saved[n:], c.prevLength)
	return c.saved
}

func (c *codeSet) restore(saved []uint8) {
	n := copy(c.prevMain, saved)
	copy(c.prevLength, saved[n:])
}

// build makes the codes of a block.
func (c *codeSet) build(f *freqs) {
	c.main.build(f.main, maxCodeLen)
	c.length.build(f.length[:], maxCodeLen)
	c.aligned.build(f.aligned[:], maxAlignedLen)
	if len(c.aligned.keys) == 0 { // the aligned tree must not be empty
		for s := range c.aligned.lens {
			c.aligned.lens[s] = 3
		}
		c.aligned.assignBits()
	}
}

// writeLengths writes the code lengths of the main and the length tree and
// remembers them.
func (c *codeSet) writeLengths(w *bitWriter) {
	c.writeDeltas(w, c.prevMain[:literals], c.main.lens[:literals])
	c.writeDeltas(w, c.prevMain[literals:], c.main.lens[literals:])
	c.writeDeltas(w, c.prevLength, c.length.lens)
	copy(c.prevMain, c.main.lens)
	copy(c.prevLength, c.length.lens)
}

// writeDeltas writes the lengths lens, coded against prev, with a pre-tree.
func (c *codeSet) writeDeltas(w *bitWriter, prev, lens []uint8) {
	c.collect(prev, lens)
	c.pre.build(c.preFreq[:], maxPreLen)
	w.reserve(4*preSymbols + 4*len(c.items))
	for _, l := range c.pre.lens {
		w.put(uint64(l), 4)
	}
	for _, it := range c.items {
		w.put(uint64(c.pre.bits[it.symbol]), uint(c.pre.lens[it.symbol]))
		w.put(uint64(it.extra), uint(it.bits))
	}
}

// collect turns lens into items and counts their symbols.
func (c *codeSet) collect(prev, lens []uint8) {
	c.items = c.items[:0]
	clear(c.preFreq[:])
	for i := 0; i < len(lens); {
		run := runLength(lens[i:])
		switch {
		case lens[i] == 0 && run >= 20:
			run = min(run, 51)
			c.item(preItem{preManyZeros, uint8(run - 20), 5})
		case lens[i] == 0 && run >= 4:
			run = min(run, 19)
			c.item(preItem{preZeros, uint8(run - 4), 4})
		case run >= 4:
			run = min(run, 5)
			c.item(preItem{preSame, uint8(run - 4), 1})
			c.item(preItem{symbol: delta(prev[i], lens[i])})
		default:
			run = 1
			c.item(preItem{symbol: delta(prev[i], lens[i])})
		}
		i += run
	}
}

func (c *codeSet) item(it preItem) {
	c.preFreq[it.symbol]++
	c.items = append(c.items, it)
}

// delta codes a length as the difference from the one before, modulo 17.
func delta(prev, now uint8) uint8 { return (prev + 17 - now) % 17 }

// runLength counts how often the first element is repeated at the start.
func runLength(lens []uint8) int {
	n := 1
	for n < len(lens) && lens[n] == lens[0] {
		n++
	}
	return n
}
