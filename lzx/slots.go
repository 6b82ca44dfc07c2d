package lzx

// A position slot stands for a range of match offsets: those whose formatted
// offset (offset + 2) is base to base + 2^extra - 1. The slots 0, 1 and 2
// are not ranges: they name R0, R1 and R2.
type slot struct {
	base  uint32 // the first formatted offset, less 2
	extra uint8  // bits that say which offset of the range: 0 to 17
}

// slots has an entry for every value of six bits; 50 are in use.
var slots = makeSlots()

func makeSlots() (s [64]slot) {
	base := uint32(0)
	for i := range s {
		extra := uint8(0)
		if i >= 4 {
			extra = min(uint8(i/2-1), 17)
		}
		s[i] = slot{base: base - 2, extra: extra}
		base += 1 << extra
	}
	return s
}

// positionSlots returns how many slots a window of the given bits has.
func positionSlots(window int) int {
	switch window {
	case 20:
		return 42
	case 21:
		return 50
	}
	return 2 * window
}
