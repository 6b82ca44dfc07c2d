package world

import (
	"bytes"
	"strings"
	"testing"

	"waptwua"
	"waptwua/catalog"
	"waptwua/wsusscn2"
)

// TestSuccessor: the archive of the month after is one that can be read, most
// of it is as it was, and every line has a newer update.
func TestSuccessor(t *testing.T) {
	for name, spread := range map[string]bool{"together": false, "spread": true} {
		t.Run(name, func(t *testing.T) {
			w, before := graph(t, Options{Updates: 1200, Seed: 5})
			next := w.Successor(Change{Share: 0.05, Spread: spread})
			after := read(t, next)
			d := catalog.Compare(before, after)
			if len(d.Revised) != 30 || len(d.Added) < 15 || len(d.Removed) > 0 || len(d.Superseded) < len(platforms) {
				t.Errorf("%d revised, %d added, %d superseded, %d removed", len(d.Revised), len(d.Added), len(d.Superseded), len(d.Removed))
			}
			checkNewKBs(t, before, after, d.Added)
			if !after.Head().Created.After(before.Head().Created) {
				t.Error("the successor is not younger")
			}
			if s := after.Stats(); s.StrayFragments+s.WithoutCore+s.SupersedenceCycles > 0 {
				t.Errorf("stats %+v", s)
			}
			if got := after.Stats().Revisions; got != next.Updates() {
				t.Errorf("%d revisions, want %d", got, next.Updates())
			}
		})
	}
}

// checkNewKBs: what a month adds has KBs of its own, but for the tool that
// keeps its KB for ever.
func checkNewKBs(t *testing.T, before, after *catalog.Graph, added []waptwua.UpdateID) {
	t.Helper()
	for _, id := range added {
		u, _ := after.Update(id)
		for _, kb := range u.KBs {
			if old := before.ByKB(kb); len(old) > 0 && !strings.Contains(u.Title, "Removal Tool") {
				was, _ := before.Update(old[0])
				t.Errorf("%q has the KB of %q", u.Title, was.Title)
			}
		}
	}
}

func TestSuccessorLeavesItsPredecessor(t *testing.T) {
	w, before := generate(t, Options{Updates: 300, Seed: 5})
	w.Successor(Change{Share: 0.2, Spread: true}).Successor(Change{Share: 0.2})
	var again bytes.Buffer
	if err := w.Write(t.Context(), &again, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, again.Bytes()) {
		t.Error("the predecessor changed")
	}
}

// TestUnchangedShards: shards without a change are the same bytes.
func TestUnchangedShards(t *testing.T) {
	w, err := New(Options{Updates: 600, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	before, after := digests(t, w), digests(t, w.Successor(Change{Share: 0.02})) // of two shards the first has none of the changes
	same := 0
	for d := range after {
		if before[d] {
			same++
		}
	}
	if same == 0 || same == len(after) {
		t.Errorf("%d of %d shards are the same", same, len(after))
	}
}

func digests(t *testing.T, w *World) map[[32]byte]bool {
	t.Helper()
	all := map[[32]byte]bool{}
	err := archiveOf(t, w).Shards(t.Context(), wsusscn2.Selection{}, func(s *wsusscn2.Shard) error {
		defer s.Close()
		d, err := s.Digest()
		all[d] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func archiveOf(t *testing.T, w *World) *wsusscn2.Archive {
	t.Helper()
	var out bytes.Buffer
	if err := w.Write(t.Context(), &out, WriteOptions{Workers: 2}); err != nil {
		t.Fatal(err)
	}
	a, err := wsusscn2.Open(bytes.NewReader(out.Bytes()), int64(out.Len()), wsusscn2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func read(t *testing.T, w *World) *catalog.Graph {
	t.Helper()
	g, err := catalog.Load(t.Context(), archiveOf(t, w), catalog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}
