package lzxenc

import "slices"

// The limits of code lengths and the sizes of the alphabets.
const (
	maxCodeLen    = 16
	maxPreLen     = 15 // code lengths of the pre-tree are written in 4 bits
	maxAlignedLen = 7  // those of the aligned tree in 3
	literals      = 256
	lengthSymbols = 249
	alignedSyms   = 8
	preSymbols    = 20
)

// code is a canonical Huffman code: for each symbol its bits and their number
// (0 when the symbol does not occur).
type code struct {
	bits []uint16
	lens []uint8
	keys []uint32 // scratch: frequency<<keyShift | symbol, then code lengths
}

// keyShift leaves room for the largest alphabet, 656 symbols, below the
// frequency, which is at most GroupFrames*FrameSize = 2^18.
const keyShift = 10

func newCode(symbols int) code {
	return code{
		bits: make([]uint16, symbols),
		lens: make([]uint8, symbols),
		keys: make([]uint32, 0, symbols),
	}
}

// build makes the code for the given frequencies with no length above limit.
// Decoders refuse incomplete codes, so a single used symbol gets a companion;
// without any used symbol all lengths are 0.
func (c *code) build(freq []uint32, limit int) {
	c.keys = c.keys[:0]
	for s, f := range freq {
		c.lens[s] = 0
		if f > 0 {
			c.keys = append(c.keys, f<<keyShift|uint32(s))
		}
	}
	switch len(c.keys) {
	case 0:
		return
	case 1:
		only := c.keys[0] & (1<<keyShift - 1)
		c.lens[only] = 1
		c.lens[companion(only)] = 1
	default:
		slices.Sort(c.keys)
		c.assignLengths(limit)
	}
	c.assignBits()
}

// companion is a symbol other than s.
func companion(s uint32) uint32 {
	if s == 0 {
		return 1
	}
	return 0
}

// assignLengths gives the rarest symbols the longest codes.
func (c *code) assignLengths(limit int) {
	var symbols [1 << keyShift]uint16
	for i, k := range c.keys {
		symbols[i] = uint16(k & (1<<keyShift - 1))
		c.keys[i] = k >> keyShift
	}
	huffmanDepths(c.keys)
	count := limitedCounts(c.keys, limit)
	i := 0
	for l := limit; l > 0; l-- {
		for range count[l] {
			c.lens[symbols[i]] = uint8(l)
			i++
		}
	}
}

// huffmanDepths replaces ascending weights by the depths of their leaves in a
// Huffman tree, in place (Moffat and Katajainen, "In-place calculation of
// minimum-redundancy codes", 1995). It needs at least two weights.
func huffmanDepths(a []uint32) {
	n := len(a)
	a[0] += a[1]
	root, leaf := 0, 2
	for next := 1; next < n-1; next++ { // weights and parents of inner nodes
		take := func() (w uint32) {
			if leaf >= n || root < next && a[root] < a[leaf] {
				w = a[root]
				a[root] = uint32(next)
				root++
				return w
			}
			w = a[leaf]
			leaf++
			return w
		}
		first := take()
		a[next] = first + take()
	}
	a[n-2] = 0
	for next := n - 3; next >= 0; next-- { // depths of inner nodes
		a[next] = a[a[next]] + 1
	}
	leafDepths(a)
}

// leafDepths turns the depths of the inner nodes into those of the leaves.
func leafDepths(a []uint32) {
	available, depth := 1, uint32(0)
	root, next := len(a)-2, len(a)-1
	for available > 0 {
		used := 0
		for root >= 0 && a[root] == depth {
			used++
			root--
		}
		for ; available > used; available-- {
			a[next] = depth
			next--
		}
		available = 2 * used
		depth++
	}
}

// limitedCounts counts the depths, moving those beyond limit up to it and
// shorter ones down until the code is complete again.
func limitedCounts(depths []uint32, limit int) (count [maxCodeLen + 1]int) {
	kraft := 0 // in units of 2^-limit
	for _, d := range depths {
		l := min(int(d), limit)
		count[l]++
		kraft += 1 << (limit - l)
	}
	for kraft > 1<<limit { // a leaf moves down and takes one of the lowest along
		l := limit - 1
		for count[l] == 0 {
			l--
		}
		count[l]--
		count[l+1] += 2
		count[limit]--
		kraft--
	}
	return count
}

// assignBits numbers the codes in the order of length, then symbol.
func (c *code) assignBits() {
	var count, next [maxCodeLen + 2]uint16
	for _, l := range c.lens {
		count[l]++
	}
	count[0] = 0
	for l := 1; l <= maxCodeLen; l++ {
		next[l+1] = (next[l] + count[l]) << 1
	}
	for s, l := range c.lens {
		if l > 0 {
			c.bits[s] = next[l]
			next[l]++
		}
	}
}

// size is the number of bits that symbols of the given frequencies take.
func (c *code) size(freq []uint32) (bits int) {
	for s, f := range freq {
		bits += int(f) * int(c.lens[s])
	}
	return bits
}
