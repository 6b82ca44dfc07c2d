package lzxenc

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCodeLengths(t *testing.T) {
	fibonacci := make([]uint32, 26)
	fibonacci[0], fibonacci[1] = 1, 1
	for i := 2; i < len(fibonacci); i++ {
		fibonacci[i] = fibonacci[i-1] + fibonacci[i-2]
	}
	for _, c := range []struct {
		name  string
		freq  []uint32
		limit int
		want  []uint8 // nil: only that the code is complete
	}{
		{"nothing", []uint32{0, 0, 0}, 7, []uint8{0, 0, 0}},
		{"only the first", []uint32{5, 0, 0}, 7, []uint8{1, 1, 0}},
		{"only another", []uint32{0, 0, 9}, 7, []uint8{1, 0, 1}},
		{"two", []uint32{1, 0, 100}, 7, []uint8{1, 0, 1}},
		{"skewed", []uint32{8, 4, 2, 1, 1}, 7, []uint8{1, 2, 3, 4, 4}},
		{"skewed beyond the limit", []uint32{8, 4, 2, 1, 1}, 3, []uint8{1, 3, 3, 3, 3}},
		{"equal", []uint32{3, 3, 3, 3}, 2, []uint8{2, 2, 2, 2}},
		{"as deep as can be", fibonacci, 16, nil},
		{"as flat as can be", fibonacci, 5, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newCode(len(c.freq))
			k.build(c.freq, c.limit)
			if c.want != nil {
				if diff := cmp.Diff(c.want, k.lens); diff != "" {
					t.Errorf("lengths (-want +got):\n%s", diff)
				}
				return
			}
			checkComplete(t, &k, c.limit)
		})
	}
}

// fataler is what testing.T and rapid.T have in common here.
type fataler interface{ Fatalf(string, ...any) }

// checkComplete checks that the lengths use up the code space, and no more.
func checkComplete(t fataler, c *code, limit int) {
	kraft := 0
	for s, l := range c.lens {
		if int(l) > limit {
			t.Fatalf("symbol %d has %d bits, more than %d", s, l, limit)
		}
		if l > 0 {
			kraft += 1 << (limit - int(l))
		}
	}
	if kraft != 1<<limit {
		t.Fatalf("the code fills %d of %d", kraft, 1<<limit)
	}
}

func TestCodeIsCompleteAndMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		freq := rapid.SliceOfN(rapid.Uint32Range(0, 1<<18), 2, 100).Draw(t, "freq")
		freq[0]++
		limit := rapid.IntRange(7, maxCodeLen).Draw(t, "limit")
		c := newCode(len(freq))
		c.build(freq, limit)
		checkComplete(t, &c, limit)
		for a := range freq {
			for b := range freq {
				if freq[a] > freq[b] && freq[b] > 0 && c.lens[a] > c.lens[b] {
					t.Fatalf("symbol %d is more frequent than %d and has more bits", a, b)
				}
			}
		}
	})
}

func TestCodeLengthItems(t *testing.T) {
	for _, c := range []struct {
		name       string
		prev, lens []uint8
		want       []preItem
	}{
		{"differences", []uint8{5, 5, 5}, []uint8{5, 3, 9}, []preItem{{symbol: 0}, {symbol: 2}, {symbol: 13}}},
		{"three zeros", []uint8{1, 0, 1}, []uint8{0, 0, 0}, []preItem{{symbol: 1}, {symbol: 0}, {symbol: 1}}},
		{"four zeros", make([]uint8, 4), make([]uint8, 4), []preItem{{preZeros, 0, 4}}},
		{"nineteen zeros", make([]uint8, 19), make([]uint8, 19), []preItem{{preZeros, 15, 4}}},
		{"twenty zeros", make([]uint8, 20), make([]uint8, 20), []preItem{{preManyZeros, 0, 5}}},
		{"many zeros", make([]uint8, 56), make([]uint8, 56), []preItem{{preManyZeros, 31, 5}, {preZeros, 1, 4}}},
		{"the same", bytes.Repeat([]uint8{8}, 5), bytes.Repeat([]uint8{7}, 5), []preItem{{preSame, 1, 1}, {symbol: 1}}},
		{"long the same", bytes.Repeat([]uint8{0}, 6), bytes.Repeat([]uint8{1}, 6), []preItem{{preSame, 1, 1}, {symbol: 16}, {symbol: 16}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s codeSet
			s.collect(c.prev, c.lens)
			if diff := cmp.Diff(c.want, s.items, cmp.AllowUnexported(preItem{})); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

// The table of the specification: footer bits and first offset of each slot.
func TestPositionSlots(t *testing.T) {
	base := uint32(0)
	for slot := range 50 {
		footer := uint(0)
		if slot >= 4 {
			footer = uint(min(slot/2-1, 17))
		}
		for _, formatted := range []uint32{base, base + 1<<footer - 1} {
			gotSlot, gotFooter := positionSlot(formatted)
			if gotSlot != slot || gotFooter != footer {
				t.Errorf("offset %d: slot %d with %d bits, want %d with %d", formatted, gotSlot, gotFooter, slot, footer)
			}
		}
		base += 1 << footer
	}
	var counts []int
	for window := MinWindow; window <= MaxWindow; window++ {
		counts = append(counts, positionSlots(window))
	}
	if want := []int{30, 32, 34, 36, 38, 42, 50}; !slices.Equal(counts, want) {
		t.Errorf("slots by window: %v, want %v", counts, want)
	}
}

func TestLog2(t *testing.T) {
	for n, want := range map[uint32]int{1: 0, 2: 256, 3: 406, 1000: 2551, 1 << 18: 18 * 256, 1<<32 - 1: 8192} {
		if got := log2(n); got < want-3 || got > want+3 {
			t.Errorf("log2(%d) = %d/256, want about %d/256", n, got, want)
		}
	}
}

// untranslate is the decoder's side of the specification.
func untranslate(frame []byte, start, fileSize int32) {
	for i := 0; i < len(frame)-10; i++ {
		if frame[i] != 0xE8 {
			continue
		}
		at := start + int32(i)
		abs := int32(binary.LittleEndian.Uint32(frame[i+1:]))
		if abs >= -at && abs < fileSize {
			rel := abs + fileSize
			if abs >= 0 {
				rel = abs - at
			}
			binary.LittleEndian.PutUint32(frame[i+1:], uint32(rel))
		}
		i += 4
	}
}

func TestTranslateFrame(t *testing.T) {
	call := func(target uint32) []byte {
		b := append(make([]byte, 20), 0xE8, 0, 0, 0, 0)
		binary.LittleEndian.PutUint32(b[21:], target)
		return append(b, make([]byte, 10)...)
	}
	for _, c := range []struct {
		name      string
		rel, want uint32
	}{
		{"forward", 1000, 1000 + 100 + 20},
		{"to the folder's begin", ^uint32(119), 0},
		{"before it", ^uint32(120), ^uint32(120)},
		{"beyond the file", 5000, 5000},
		{"wraps", 4950, ^uint32(49)},
	} {
		t.Run(c.name, func(t *testing.T) {
			frame := call(c.rel)
			translateFrame(frame, 100, 5000)
			if diff := cmp.Diff(call(c.want), frame); diff != "" {
				t.Errorf("frame (-want +got):\n%s", diff)
			}
			untranslate(frame, 100, 5000)
			if diff := cmp.Diff(call(c.rel), frame); diff != "" {
				t.Errorf("translated back (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("last ten bytes", func(t *testing.T) {
		frame := bytes.Repeat([]byte{0xE8}, 10)
		translateFrame(frame, 0, 5000)
		if !bytes.Equal(frame, bytes.Repeat([]byte{0xE8}, 10)) {
			t.Errorf("changed to %x", frame)
		}
	})
}
