package lzx

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// randomLengths returns the lengths of a complete code for up to n symbols,
// made by splitting leaves of a tree at random; depth prefers deep ones.
func randomLengths(r *rand.Rand, n, limit int, depth float64) []uint8 {
	leaves := []uint8{1, 1}
	for len(leaves) < n {
		i := r.IntN(len(leaves))
		if r.Float64() < depth {
			i = len(leaves) - 1
		}
		if int(leaves[i]) == limit {
			if r.IntN(50) == 0 {
				break
			}
			continue
		}
		leaves[i]++
		leaves = append(leaves, leaves[i])
	}
	lengths := make([]uint8, n)
	copy(lengths, leaves)
	r.Shuffle(n, func(i, j int) { lengths[i], lengths[j] = lengths[j], lengths[i] })
	return lengths
}

// Every code of a table decodes to its symbol, and the tables are as large
// as the comment at build promises.
func TestTables(t *testing.T) {
	var tr trees
	tests := []struct {
		name           string
		table          []uint32
		root, n, limit int
	}{
		{"main", tr.main[:], mainRoot, maxMainSymbols, maxCodeLength},
		{"length", tr.length[:], lengthRoot, numLengths, maxCodeLength},
		{"pretree", tr.pretree[:], pretreeRoot, numPretree, 15},
		{"aligned", tr.aligned[:], alignedRoot, numAligned, 7},
	}
	for _, tt := range tests {
		for _, depth := range []float64{0, 0.2, 0.5, 0.9, 1} {
			t.Run(fmt.Sprint(tt.name, " ", depth), func(t *testing.T) {
				r := rand.New(rand.NewPCG(6, uint64(depth*10)))
				for range 20 {
					lengths := randomLengths(r, tt.n, tt.limit, depth)
					if err := tr.builder.build(tt.table, tt.root, lengths); err != nil {
						t.Fatal(err)
					}
					checkTable(t, tt.table, uint(tt.root), lengths)
				}
			})
		}
	}
}

func checkTable(t *testing.T, table []uint32, root uint, lengths []uint8) {
	t.Helper()
	for sym, code := range canonical(lengths) {
		n := uint(lengths[sym])
		if n == 0 {
			continue
		}
		for _, rest := range []uint64{0, 1<<(64-n) - 1} {
			b := bitReader{buf: uint64(code)<<(64-n) | rest, count: 63, next: len(bitReader{}.input)}
			got, ok := b.symbol(table, root)
			if !ok || got != uint32(sym) || b.count != 63-n {
				t.Fatalf("the code %0*b gives symbol %d, want %d", n, code, got, sym)
			}
		}
	}
}

func TestTableErrors(t *testing.T) {
	tests := []struct {
		name    string
		lengths []uint8
		want    error
	}{
		{"empty", []uint8{0, 0, 0}, nil},
		{"complete", []uint8{1, 2, 2}, nil},
		{"one symbol", []uint8{1}, errIncomplete},
		{"incomplete", []uint8{1, 2, 3}, errIncomplete},
		{"oversubscribed", []uint8{1, 1, 1}, errOversubscribed},
		{"oversubscribed by the longest code", []uint8{1, 1, 16}, errOversubscribed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b tableBuilder
			if err := b.build(make([]uint32, 1<<mainRoot), mainRoot, tt.lengths); err != tt.want {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestSlots(t *testing.T) {
	for window := MinWindow; window <= MaxWindow; window++ {
		last := slots[positionSlots(window)-1]
		if end := int(last.base) + 2 + 1<<last.extra; end != 1<<window {
			t.Errorf("window %d: the slots end at %d, want %d", window, end, 1<<window)
		}
	}
}
