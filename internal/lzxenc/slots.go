package lzxenc

import "math/bits"

// A match offset is written as offset+2 split into a position slot and footer
// bits; the slots 0, 1, 2 mean the recent offsets R0, R1, R2.

// repeatSlots is the number of slots that mean recent offsets.
const repeatSlots = 3

// minMatch and maxMatch bound the length of a match.
const (
	minMatch = 2
	maxMatch = 257
	// longLength is the smallest length that needs the length tree.
	longLength = minMatch + 7
)

// positionSlots is the number of position slots for a window of 2^window.
func positionSlots(window int) int {
	slot, _ := positionSlot(1<<window - 1)
	return slot + 1
}

// positionSlot returns the slot of a formatted offset (offset+2) and the number
// of its footer bits, which are the low bits of the formatted offset.
func positionSlot(formatted uint32) (slot int, footer uint) {
	if formatted < 4 {
		return int(formatted), 0
	}
	if formatted >= 1<<18 { // from here on all slots are 2^17 wide
		return 34 + int(formatted>>17), 17
	}
	n := uint(bits.Len32(formatted)) - 1
	return int(2*n) + int(formatted>>(n-1)&1), n - 1
}

// slotFooter is the number of footer bits of a slot.
func slotFooter(slot int) uint {
	if slot < 4 {
		return 0
	}
	return uint(min(slot/2-1, 17))
}
