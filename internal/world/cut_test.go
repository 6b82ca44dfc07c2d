package world

import (
	"slices"
	"testing"
)

// TestCut: parts have about the same number of bytes, and none has more files
// than a cabinet can, however light they are.
func TestCut(t *testing.T) {
	var all []*revision
	for i := range 6000 { // two thirds of the bytes in the first tenth, all titles in the rest
		r := &revision{id: 10 * i, padding: 400_000}
		if i >= 600 {
			r = &revision{id: 10 * i, title: "t", allLangs: true, eula: true}
		}
		all = append(all, r)
	}
	starts := cut(all, 4)
	if !slices.IsSorted(starts) || starts[0] != 0 || len(starts) < 4 {
		t.Errorf("parts begin at %v", starts)
	}
	for i, start := range starts {
		end := 10 * len(all)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		if n := fragmentsOf(all[start/10 : end/10]); n > shardFiles || n == 0 {
			t.Errorf("the part from %d on has %d files", start, n)
		}
	}
	if even := cut(all[:600], 4); !slices.Equal(even, []int{0, 1500, 3000, 4500}) {
		t.Errorf("equal revisions are cut at %v", even)
	}
}

// TestShardsOfTheFullSize: the archive of the size of 2026 and the one of the
// month after have no shard with more files than a cabinet can have.
func TestShardsOfTheFullSize(t *testing.T) {
	w, err := New(Options{Updates: 137_000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []*World{w, w.Successor(Change{Share: 0.05}), w.Successor(Change{Share: 0.05, Spread: true})} {
		for _, s := range w.shards() {
			if n := fragmentsOf(s.revisions); n > shardFiles {
				t.Errorf("%s of %s has %d fragments", s.name, w.opt.Created.Format("2006-01"), n)
			}
		}
	}
}

func fragmentsOf(list []*revision) (n int) {
	for _, r := range list {
		n += r.fragments()
	}
	return n
}
