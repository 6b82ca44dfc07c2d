package lzx

import "errors"

// A decoding table is indexed by the next root bits of the stream. An entry
// is a symbol (from bit symbolShift) with its code's length (lengthMask), or,
// for codes longer than root, a reference to a second-level table: the flag
// subtable, the index of its first entry (from bit symbolShift) and how many
// further bits index it (from bit subBitsShift). The entry 0 stands for "no
// symbol": all entries are 0 in the table of a tree without symbols.
const (
	lengthMask   = 0x1f
	symbolShift  = 8
	subBitsShift = 24
	subtable     = 1 << 31

	maxCodeLength = 16
)

// subIndex returns the index of the entry for rest, the bits after the root.
func subIndex(e uint32, rest uint64) uint32 {
	return e>>symbolShift&0xffff + uint32(rest>>(64-e>>subBitsShift&0x1f))
}

var (
	errOversubscribed = errors.New("has more codes than fit")
	errIncomplete     = errors.New("leaves codes without a symbol")
)

// tableBuilder builds decoding tables; it holds scratch space only.
type tableBuilder struct {
	count  [maxCodeLength + 1]int
	sorted [maxMainSymbols + runSlack]uint16 // symbols by code length, then by value
}

// build fills table for the canonical Huffman code with the given lengths (0:
// the symbol is not used, at most maxCodeLength). The code must be complete,
// or empty.
//
// A table of 2^root entries plus one for each symbol plus, for every length
// above root, a second-level table that length shares with a longer one, is
// large enough; the arrays in trees are sized by this.
func (b *tableBuilder) build(table []uint32, root int, lengths []uint8) error {
	used, err := b.sort(lengths)
	if err != nil {
		return err
	}
	if used == 0 {
		clear(table[:1<<root])
		return nil
	}
	next := b.fillRoot(table, root)
	b.fillSubtables(table, root, next)
	return nil
}

// sort orders the symbols by code, checks the code, and returns how many
// symbols it has.
func (b *tableBuilder) sort(lengths []uint8) (used int, err error) {
	b.count = [maxCodeLength + 1]int{}
	for _, n := range lengths {
		b.count[n]++
	}
	used = len(lengths) - b.count[0]
	b.count[0] = 0
	space := 1 << maxCodeLength
	var start [maxCodeLength + 2]int
	for n, c := range b.count {
		space -= c << (maxCodeLength - n)
		start[n+1] = start[n] + c
	}
	switch {
	case used == 0:
		return 0, nil
	case space < 0:
		return 0, errOversubscribed
	case space > 0:
		return 0, errIncomplete
	}
	for sym, n := range lengths {
		if n != 0 {
			b.sorted[start[n]] = uint16(sym)
			start[n]++
		}
	}
	return used, nil
}

// fillRoot enters the codes of up to root bits. Canonical codes grow with
// length and symbol, so that the entries come in order. It returns how many
// of the sorted symbols it has entered.
func (b *tableBuilder) fillRoot(table []uint32, root int) int {
	next, at := 0, 0
	for n := 1; n <= root; n++ {
		width := 1 << (root - n)
		for range b.count[n] {
			e := uint32(b.sorted[next])<<symbolShift | uint32(n)
			for i := range table[at : at+width] {
				table[at+i] = e
			}
			at += width
			next++
		}
	}
	return next
}

// fillSubtables enters the codes of more than root bits, from the sorted
// symbol next on.
func (b *tableBuilder) fillSubtables(table []uint32, root, next int) {
	free := 1 << root // where the next second-level table goes
	code, prefix := 0, -1
	var subBits, subStart int
	for n := 1; n <= maxCodeLength; n++ {
		code <<= 1
		if n <= root {
			code += b.count[n]
			continue
		}
		for left := b.count[n]; left > 0; left-- {
			if p := code >> (n - root); p != prefix {
				prefix, subStart = p, free
				subBits = b.subtableBits(n, left, root)
				free += 1 << subBits
				table[p] = subtable | uint32(subBits)<<subBitsShift | uint32(subStart)<<symbolShift | uint32(root)
			}
			b.fillCode(table[subStart:subStart+1<<subBits], code, n, root, subBits, next)
			code++
			next++
		}
	}
}

// fillCode enters the sorted symbol next, of the given code and length n, in
// its second-level table.
func (b *tableBuilder) fillCode(sub []uint32, code, n, root, subBits, next int) {
	width := 1 << (subBits - (n - root))
	at := code & (1<<(n-root) - 1) * width
	e := uint32(b.sorted[next])<<symbolShift | uint32(n)
	for i := range sub[at : at+width] {
		sub[at+i] = e
	}
}

// subtableBits returns how many bits index a second-level table whose first
// code has length n, left codes of that length being still to enter: enough
// for the longest code in it.
func (b *tableBuilder) subtableBits(n, left, root int) int {
	bits := n - root
	room := 1<<bits - left
	for n < maxCodeLength && room > 0 {
		n++
		bits++
		room = room<<1 - b.count[n]
	}
	return bits
}
