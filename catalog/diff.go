package catalog

import (
	"slices"

	"waptwua"
)

// Difference is what a newer archive changed, in top-level updates.
type Difference struct {
	Added      []waptwua.UpdateID `json:"added"`      // of GUIDs that the older archive did not have
	Revised    []Revised          `json:"revised"`    // with another newest revision than before
	Removed    []waptwua.UpdateID `json:"removed"`    // of GUIDs that the newer archive does not have
	Superseded []waptwua.UpdateID `json:"superseded"` // in both, and only in the newer one superseded
}

// Revised is an update with its newest revision before and after.
type Revised struct {
	Old waptwua.UpdateID `json:"old"`
	New waptwua.UpdateID `json:"new"`
}

// Compare tells what newer changed since older, each list in the order of
// its archive.
func Compare(older, newer *Graph) Difference {
	var d Difference
	for i := range newer.nodes {
		if !newer.heads(index(i)) {
			continue
		}
		was, ok := older.sameUpdate(newer, index(i))
		switch {
		case !ok:
			d.Added = append(d.Added, newer.id(index(i)))
		case older.nodes[was].number != newer.nodes[i].number:
			d.Revised = append(d.Revised, Revised{older.id(was), newer.id(index(i))})
		}
		if ok && newer.isSuperseded(index(i)) && !older.isSuperseded(was) {
			d.Superseded = append(d.Superseded, newer.id(index(i)))
		}
	}
	for i := range older.nodes {
		if !older.heads(index(i)) {
			continue
		}
		if _, ok := newer.sameUpdate(older, index(i)); !ok {
			d.Removed = append(d.Removed, older.id(index(i)))
		}
	}
	return d
}

// heads tells whether node i is the newest revision of a top-level update.
func (g *Graph) heads(i index) bool { return g.nodes[i].kind == topLevel && g.newest(i) == i }

// sameUpdate is the newest top-level revision that g has of the update of
// node i of another graph.
func (g *Graph) sameUpdate(other *Graph, i index) (index, bool) {
	u, ok := g.guids.find(other.guids.keys[other.nodes[i].guid])
	if !ok {
		return 0, false
	}
	list := g.revisions.of(int(u))
	k := slices.IndexFunc(list, func(n index) bool { return g.nodes[n].kind == topLevel })
	if k < 0 {
		return 0, false
	}
	return list[k], true
}
