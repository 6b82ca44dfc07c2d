package catalog

import (
	"slices"

	"waptwua"
	"waptwua/wsusscn2"
)

// bundledBy inverts the BundledBy references and fills replacedBy.
func (b *Builder) bundledBy() map[index][]index {
	g := b.graph
	children := map[index][]index{}
	for i := range b.drafts {
		for _, r := range b.drafts[i].bundledBy {
			if bundle, ok := g.byRevision[r]; ok {
				children[bundle] = append(children[bundle], index(i))
			} else {
				g.stats.DanglingIDs++
			}
		}
		b.replaced(index(i))
	}
	return children
}

// replaced joins what package.xml says of the newer updates with what the
// newer updates say of the older.
func (b *Builder) replaced(i index) {
	g := b.graph
	for _, r := range b.drafts[i].supersededBy {
		if newer, ok := g.byRevision[r]; ok {
			g.replace(i, newer)
		} // many name revisions outside the archive's selection
	}
	for _, old := range g.nodes[i].supersedes {
		if u, ok := g.byGUID[old]; ok {
			for _, older := range g.revisions[u] {
				g.replace(older, i)
			}
		}
	}
}

func (g *Graph) replace(older, newer index) {
	list := &g.nodes[older].replacedBy
	if older != newer && !slices.Contains(*list, newer) {
		*list = append(*list, newer)
	}
}

// coreIDs maps the identities that fragments give themselves.
func (b *Builder) coreIDs() map[waptwua.UpdateID]index {
	own := make(map[waptwua.UpdateID]index)
	for i := range b.drafts {
		if id := b.drafts[i].coreID; !id.IsZero() && id != b.graph.nodes[i].id {
			own[id] = index(i)
		}
	}
	return own
}

// children are the clauses of a bundle. The fragment groups them; where it
// names none that the archive holds, those that name the bundle are one
// clause of alternatives.
func (b *Builder) children(clauses []wsusscn2.BundleClause, named []index, own map[waptwua.UpdateID]index) [][]index {
	var out [][]index
	resolved := false
	for _, c := range clauses {
		if clause := b.childClause(c, own); clause != nil {
			out = append(out, clause)
			resolved = resolved || clause[0] != dangling
		}
	}
	if !resolved && len(named) > 0 {
		return [][]index{named}
	}
	return out
}

// childClause drops members that the archive does not hold, and keeps one
// dangling member when it holds none of them.
func (b *Builder) childClause(c wsusscn2.BundleClause, own map[waptwua.UpdateID]index) []index {
	var clause []index
	for _, id := range c.Members {
		n, ok := b.graph.byID[id]
		if !ok {
			n, ok = own[id]
		}
		if !ok {
			b.graph.stats.DanglingIDs++
			continue
		}
		clause = append(clause, n)
	}
	if clause == nil && len(c.Members) > 0 {
		return []index{dangling}
	}
	return clause
}
