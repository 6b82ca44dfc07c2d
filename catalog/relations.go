package catalog

import "slices"

// relate resolves supersedence and the children of bundles.
func (b *Builder) relate() {
	g := b.graph
	g.supersedes.starts, g.children.starts, g.children.members.starts = []int32{0}, []int32{0}, []int32{0}
	var replaced, bundled []pair
	for i := range b.drafts {
		replaced = b.replaced(replaced, index(i))
		for _, r := range b.drafts[i].bundledBy {
			if bundle, ok := b.byRev[r]; ok {
				bundled = append(bundled, pair{bundle, index(i)})
			} else {
				g.stats.DanglingIDs++
			}
		}
	}
	g.replacedBy = grouped(len(g.nodes), replaced)
	named, own := grouped(len(g.nodes), bundled), b.coreIDs()
	for i := range b.drafts {
		d := &b.drafts[i]
		g.children.add(b.children(d.bundled, named.of(i), own)...)
		var older []guid
		for _, k := range d.supersedes {
			older = append(older, b.byKey[k])
		}
		g.supersedes.add(older...)
	}
}

// replaced joins what package.xml says of the newer updates with what the
// newer updates say of the older: pairs of an older update and a newer.
func (b *Builder) replaced(pairs []pair, i index) []pair {
	for _, r := range b.drafts[i].supersededBy {
		if newer, ok := b.byRev[r]; ok && newer != i {
			pairs = append(pairs, pair{i, newer})
		} // many name revisions outside the archive's selection
	}
	for _, old := range b.drafts[i].supersedes {
		for _, older := range b.graph.revisions.of(int(b.byKey[old])) {
			if older != i {
				pairs = append(pairs, pair{older, i})
			}
		}
	}
	return pairs
}

// coreIDs maps the identities that fragments give themselves, where these
// are not those of package.xml.
func (b *Builder) coreIDs() map[identity]index {
	own := make(map[identity]index)
	for i := range b.drafts {
		n := &b.graph.nodes[i]
		id := b.drafts[i].coreID
		if id != (identity{}) && id != (identity{b.graph.guids.keys[n.guid], int(n.number)}) {
			own[id] = index(i)
		}
	}
	return own
}

// children are the clauses of a bundle. The fragment groups them; where it
// names none that the archive holds, those that name the bundle are one
// clause of alternatives.
func (b *Builder) children(clauses [][]identity, named []index, own map[identity]index) [][]index {
	var out [][]index
	resolved := false
	for _, c := range clauses {
		if clause := b.childClause(c, own); clause != nil {
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
func (b *Builder) childClause(members []identity, own map[identity]index) []index {
	var clause []index
	for _, id := range members {
		n, ok := b.find(id)
		if !ok {
			n, ok = own[id]
		}
		if !ok {
			b.graph.stats.DanglingIDs++
			continue
		}
		clause = append(clause, n)
	}
	if clause == nil && len(members) > 0 {
		return []index{dangling}
	}
	return clause
}
