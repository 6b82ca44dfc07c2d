package catalog

import (
	"maps"
	"slices"
	"sync"
)

// revisions lists the nodes of each GUID, newest first.
func (b *Builder) revisions() {
	g := b.graph
	pairs := make([]pair, len(g.nodes))
	for i := range g.nodes {
		pairs[i] = pair{index(g.nodes[i].guid), index(i)}
	}
	g.revisions = grouped(len(g.guids.keys), pairs)
	for u := range g.guids.keys {
		slices.SortFunc(g.revisions.of(u), func(x, y index) int { return int(g.nodes[y].number - g.nodes[x].number) })
	}
}

func (b *Builder) tally(i index) {
	g, s, n := b.graph, &b.graph.stats, &b.graph.nodes[i]
	s.Revisions++
	switch n.kind {
	case topLevel:
		s.TopLevel++
		for _, kb := range b.kbs[b.drafts[i].kbs.first:b.drafts[i].kbs.end] {
			g.articles = append(g.articles, article{kb, i})
		}
	case child:
		s.Children++
	case evaluate:
		s.Categories++
	}
	if n.has(flagBundle) || !g.children.none(int(i)) {
		s.Bundles++
	}
	if !n.has(flagCore) {
		s.WithoutCore++
	}
	first, end := g.needs.of(int(g.setOf[i]))
	for k := first; k < end; k++ {
		for _, u := range g.needs.members.of(k) {
			b.noteDangling(u)
		}
	}
	for _, c := range g.categories.of(int(i)) {
		b.noteDangling(c.guid)
	}
}

func (b *Builder) noteDangling(u guid) {
	if len(b.graph.revisions.of(int(u))) == 0 {
		b.graph.stats.DanglingIDs++
	}
}

// relate resolves supersedence and the children of bundles.
func (b *Builder) relate() {
	var bundling sync.WaitGroup
	bundling.Go(b.bundle)
	g := b.graph
	g.supersedes = listsFor[guid](len(b.drafts), len(b.older))
	replaced := make([]pair, 0, len(b.supersededBy.items)+len(b.older))
	for i := range b.drafts {
		d := &b.drafts[i]
		replaced = b.replaced(replaced, index(i))
		g.supersedes.add(b.older[d.older.first:d.older.end]...)
	}
	g.replacedBy = grouped(len(g.nodes), replaced)
	bundling.Wait()
}

// bundle resolves the children of bundles.
func (b *Builder) bundle() {
	g := b.graph
	g.children.starts, g.children.members.starts = []int32{0}, []int32{0}
	bundled := make([]pair, 0, len(b.bundledBy.items))
	for i := range b.drafts {
		for _, r := range b.bundledBy.of(i) {
			if bundle, ok := b.byRev[r]; ok {
				bundled = append(bundled, pair{bundle, index(i)})
			} else {
				g.stats.DanglingIDs++
			}
		}
	}
	named, own := grouped(len(g.nodes), bundled), b.coreIDs()
	for i := range b.drafts {
		g.children.add(b.children(b.drafts[i].bundled, named.of(i), own)...)
	}
}

// replaced joins what package.xml says of the newer updates with what the
// newer updates say of the older: pairs of an older update and a newer.
func (b *Builder) replaced(pairs []pair, i index) []pair {
	for _, r := range b.supersededBy.of(int(i)) {
		if newer, ok := b.byRev[r]; ok && newer != i {
			pairs = push(pairs, pair{i, newer})
		} // many name revisions outside the archive's selection
	}
	for _, old := range b.older[b.drafts[i].older.first:b.drafts[i].older.end] {
		for _, older := range b.graph.revisions.of(int(old)) {
			if older != i {
				pairs = push(pairs, pair{older, i})
			}
		}
	}
	return pairs
}

// coreIDs maps the identities that fragments give themselves, where these
// are not those of package.xml.
func (b *Builder) coreIDs() map[identity]index {
	own := make(map[identity]index)
	for _, i := range slices.Sorted(maps.Keys(b.ownIDs)) { // of equal ones the last
		own[b.ownIDs[i]] = i
	}
	return own
}

// children are the clauses of a bundle. The fragment groups them; where it
// names none that the archive holds, those that name the bundle are one
// clause of alternatives.
func (b *Builder) children(clauses span, named []index, own map[identity]index) [][]index {
	var out [][]index
	resolved := false
	for c := clauses.first; c < clauses.end; c++ {
		if clause := b.childClause(b.clauses.of(int(c)), own); clause != nil {
			out = append(out, clause)
			resolved = resolved || clause[0] != dangling
		}
	}
	if !resolved && len(named) > 0 {
		return [][]index{slices.Clone(named)}
	}
	return out
}

// childClause drops members that the archive does not hold, and keeps one
// dangling member when it holds none of them.
func (b *Builder) childClause(members []index, own map[identity]index) []index {
	clause := members[:0]
	for _, n := range members {
		ok := n >= 0
		if !ok {
			n, ok = own[b.unknown[dangling-1-n]]
		}
		if !ok {
			b.graph.stats.DanglingIDs++
			continue
		}
		clause = append(clause, n)
	}
	switch {
	case len(members) == 0:
		return nil
	case len(clause) == 0:
		return []index{dangling}
	}
	return clause
}
