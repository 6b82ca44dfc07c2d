package lzx

import "encoding/binary"

// decodeSymbols decodes n bytes of a verbatim or aligned block to the ring,
// where they lie within one frame.
//
// This is the inner loop of the package. The bit reader's and the decoder's
// state are kept in local variables; 56 bits, which refill makes ready, are
// enough for a literal and then, after another refill, for a whole match: 16
// for the main code, 16 for the length code, 14 + 7 (or 17) for the offset.
func (d *Decoder) decodeSymbols(n int, aligned bool) error {
	var (
		ring       = d.ring
		pos, end   = d.pos, d.pos + n
		input      = &d.bits.input
		buf, count = d.bits.buf, d.bits.count
		next       = d.bits.next
		limit      = d.bits.limit
		r0, r1, r2 = d.recent[0], d.recent[1], d.recent[2]
		main       = &d.trees.main
		msg        string
	)
	for pos < end {
		if uint(next) > uint(limit) {
			msg = cutOff
			break
		}
		buf |= binary.BigEndian.Uint64(input[next:]) >> (count & 63)
		next += int(7 - count>>3)
		count |= 56

		e := main[buf>>(64-mainRoot)]
		if e&subtable != 0 {
			e = main[subIndex(e, buf<<mainRoot)&uint32(len(main)-1)]
		}
		buf <<= e & lengthMask
		count -= uint(e & lengthMask)
		if e < numLiterals<<symbolShift {
			ring[pos] = byte(e >> symbolShift)
			pos++
			continue
		}

		sym := e>>symbolShift - numLiterals
		length := int(sym&7) + 2
		if sym&7 == 7 {
			e := d.trees.length[buf>>(64-lengthRoot)]
			if e&subtable != 0 {
				e = d.trees.length[subIndex(e, buf<<lengthRoot)&uint32(len(d.trees.length)-1)]
			}
			if e == 0 {
				msg = "a match takes its length from an empty tree"
				break
			}
			buf <<= e & lengthMask
			count -= uint(e & lengthMask)
			length += int(e >> symbolShift)
		}

		var offset uint32
		switch s := sym >> 3 & 63; s {
		case 0:
			offset = r0
		case 1:
			offset = r1
			r1, r0 = r0, offset
		case 2:
			offset = r2
			r2, r0 = r0, offset
		default:
			extra := uint(slots[s].extra)
			offset = slots[s].base
			if aligned && extra >= 3 {
				offset += uint32(buf>>1>>((66-extra)&63)) << 3
				buf <<= (extra - 3) & 63
				e := d.trees.aligned[buf>>(64-alignedRoot)]
				buf <<= e & lengthMask
				count -= extra - 3 + uint(e&lengthMask)
				offset += e >> symbolShift
			} else {
				offset += uint32(buf >> 1 >> ((63 - extra) & 63))
				buf <<= extra & 63
				count -= extra
			}
			r2, r1, r0 = r1, r0, offset
		}

		if length > end-pos {
			msg = "a match goes beyond the end of its block or frame"
			break
		}
		from := pos - int(offset)
		if from < 0 {
			if from += d.ringSize; !d.reaches(offset, pos) {
				msg = "a match begins before the start of the stream or window"
				break
			}
			if from+length > d.ringSize {
				d.copyAround(pos, from, length)
				pos += length
				continue
			}
		}
		copyMatch(ring, pos, from, length)
		pos += length
	}
	d.pos = pos
	d.bits.buf, d.bits.count, d.bits.next = buf, count, next
	d.recent = [3]uint32{r0, r1, r2}
	if msg != "" && d.bits.overrun() {
		msg = cutOff // what came after the end were zeros
	}
	if msg != "" {
		return d.fault("%s", msg)
	}
	return nil
}

// reaches tells whether a match at pos may go back by an offset greater than
// pos: only when the ring has been filled once, and not beyond the window.
func (d *Decoder) reaches(offset uint32, pos int) bool {
	return d.total >= int64(d.ringSize) && offset <= uint32(d.windowSize)
}

// copyAround copies a match whose source crosses the end of the ring.
func (d *Decoder) copyAround(pos, from, length int) {
	n := copy(d.ring[pos:pos+length], d.ring[from:d.ringSize])
	copyMatch(d.ring, pos+n, 0, length-n)
}

// copyMatch copies length bytes within the ring from from to pos; where they
// overlap, bytes just written are repeated. It may write up to windowSlack
// bytes beyond.
func copyMatch(ring []byte, pos, from, length int) {
	if gap := pos - from; uint(gap) < 8 { // a source ahead of pos is far from it
		copyOverlap(ring, pos, from, length)
		return
	}
	for ; length > 0; length -= 8 {
		src, dst := ring[from:from+8], ring[pos:pos+8]
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(src))
		pos += 8
		from += 8
	}
}

// copyOverlap copies a match whose source is less than eight bytes back: the
// same few bytes again and again, twice as many with each copy.
func copyOverlap(ring []byte, pos, from, length int) {
	end := pos + length
	for pos < end {
		pos += copy(ring[pos:end], ring[from:pos])
	}
}
