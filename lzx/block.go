package lzx

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Kinds of block, as coded in its header's first three bits.
const (
	verbatimBlock     = 1
	alignedBlock      = 2
	uncompressedBlock = 3
)

const (
	numLiterals    = 256
	maxMainSymbols = numLiterals + 8*50
	numLengths     = 249
	numAligned     = 8
	numPretree     = 20

	mainRoot    = 11
	lengthRoot  = 9
	alignedRoot = 7
	pretreeRoot = 8

	// A run of code lengths can be 51 symbols long and may begin at the last
	// symbol of a tree; what lies beyond the tree is ignored.
	runSlack = 64
)

// poisoned stands for a recent offset that no match may use.
const poisoned = 1 << 30

// block is what is known of the block that is being decoded.
type block struct {
	kind      uint32
	remaining int  // content bytes still to come
	padding   bool // uncompressed, of odd size: a pad byte follows
}

// trees are a block's codes: the lengths, which the next block's are coded
// against, and the decoding tables.
type trees struct {
	builder  tableBuilder
	mainSize int // symbols of the main tree: 256 + 8 × position slots

	mainLengths   [maxMainSymbols + runSlack]uint8
	lengthLengths [numLengths + runSlack]uint8

	main    [4096]uint32
	length  [2048]uint32
	aligned [1 << alignedRoot]uint32
	pretree [1024]uint32
}

func (t *trees) reset() {
	t.mainLengths = [maxMainSymbols + runSlack]uint8{}
	t.lengthLengths = [numLengths + runSlack]uint8{}
}

// nextBlock reads a block's header.
func (d *Decoder) nextBlock(src []byte) error {
	if d.block.kind == uncompressedBlock {
		d.leaveRaw(src)
	}
	kind := d.bits.take(3)
	d.block = block{kind: kind, remaining: int(d.bits.take(24))}
	if kind != uncompressedBlock {
		d.bits.loadRest(src)
	}
	var err error
	switch kind {
	case verbatimBlock:
		err = d.trees.read(&d.bits)
	case alignedBlock:
		if err = d.trees.readAligned(&d.bits); err == nil {
			err = d.trees.read(&d.bits)
		}
	case uncompressedBlock:
		err = d.readRawHeader(src)
	default:
		err = fmt.Errorf("block of type %d", kind)
	}
	if d.bits.overrun() {
		return d.fault(cutOff)
	}
	if err != nil {
		return d.fault("%v", err)
	}
	return nil
}

// readRawHeader reads R0, R1 and R2, which open an uncompressed block. They
// begin at the next word; a header that ends on a word is followed by an
// empty one.
func (d *Decoder) readRawHeader(src []byte) error {
	d.bits.take(1)
	d.bits.alignWord()
	at := d.bits.offset()
	if at+12 > len(src) {
		return errors.New(cutOff)
	}
	for i := range d.recent {
		r := binary.LittleEndian.Uint32(src[at+4*i:])
		if r == 0 || r > uint32(d.windowSize) {
			r = poisoned
		}
		d.recent[i] = r
	}
	d.bits.seek(at + 12)
	d.block.padding = d.block.remaining%2 == 1
	return nil
}

// leaveRaw goes back to bits after an uncompressed block. Words are counted
// from there: a block whose first part, in an earlier frame, was of odd size
// leaves the rest of this frame's words at odd offsets.
func (d *Decoder) leaveRaw(src []byte) {
	at := d.bits.offset()
	if d.block.padding {
		at = min(at+1, len(src))
	}
	d.bits.load(src, at)
}

// copyRaw copies n bytes of an uncompressed block to the ring.
func (d *Decoder) copyRaw(src []byte, n int) error {
	at := d.bits.offset()
	if at+n > len(src) {
		return d.fault(cutOff)
	}
	copy(d.ring[d.pos:], src[at:at+n])
	d.bits.seek(at + n)
	d.pos += n
	return nil
}

func (t *trees) readAligned(b *bitReader) error {
	var lengths [numAligned]uint8
	for i := range lengths {
		lengths[i] = uint8(b.take(3))
	}
	if err := t.builder.build(t.aligned[:], alignedRoot, lengths[:]); err != nil {
		return fmt.Errorf("the aligned offset tree %w", err)
	}
	if t.aligned[0] == 0 {
		return fmt.Errorf("the aligned offset tree is empty")
	}
	return nil
}

// read reads the main and the length tree.
func (t *trees) read(b *bitReader) error {
	err := t.readLengths(b, t.mainLengths[:], 0, numLiterals)
	if err == nil {
		err = t.readLengths(b, t.mainLengths[:], numLiterals, t.mainSize)
	}
	if err == nil {
		err = t.builder.build(t.main[:], mainRoot, t.mainLengths[:t.mainSize])
	}
	if err == nil && t.main[0] == 0 {
		err = errIncomplete
	}
	if err != nil {
		return fmt.Errorf("the main tree %w", err)
	}
	err = t.readLengths(b, t.lengthLengths[:], 0, numLengths)
	if err == nil {
		err = t.builder.build(t.length[:], lengthRoot, t.lengthLengths[:numLengths])
	}
	if err != nil {
		return fmt.Errorf("the length tree %w", err)
	}
	return nil
}

// readLengths reads the code lengths of the symbols first to last-1, coded
// as differences, modulo 17, from the lengths there are.
func (t *trees) readLengths(b *bitReader, lengths []uint8, first, last int) error {
	if err := t.readPretree(b); err != nil {
		return err
	}
	for i := first; i < last; {
		if b.overrun() {
			return errors.New("is cut off")
		}
		code, _ := b.symbol(t.pretree[:], pretreeRoot)
		run, length := 1, uint8(0)
		switch code {
		case 17: // 4 to 19 unused symbols
			run = 4 + int(b.take(4))
		case 18: // 20 to 51 unused symbols
			run = 20 + int(b.take(5))
		case 19: // 4 or 5 symbols of the same length
			run = 4 + int(b.take(1))
			code, _ = b.symbol(t.pretree[:], pretreeRoot)
			if code > 16 {
				return fmt.Errorf("repeats code %d, which is no length", code)
			}
			length = difference(lengths[i], code)
		default:
			length = difference(lengths[i], code)
		}
		for range run {
			lengths[i] = length
			i++
		}
	}
	return nil
}

func (t *trees) readPretree(b *bitReader) error {
	var lengths [numPretree]uint8
	for i := range lengths {
		lengths[i] = uint8(b.take(4))
	}
	if err := t.builder.build(t.pretree[:], pretreeRoot, lengths[:]); err != nil {
		return fmt.Errorf("has a pretree that %w", err)
	}
	if t.pretree[0] == 0 {
		return fmt.Errorf("has an empty pretree")
	}
	return nil
}

// difference returns (old - code) mod 17.
func difference(old uint8, code uint32) uint8 {
	n := int(old) - int(code)
	if n < 0 {
		n += 17
	}
	return uint8(n)
}
