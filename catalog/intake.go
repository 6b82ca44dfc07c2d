package catalog

// Facts takes what a Gatherer made of fragments. Those of revisions that
// package.xml does not list are counted.
func (b *Builder) Facts(encoded []byte) error { return eachFacts(encoded, b.facts) }

func (b *Builder) facts(f *facts) {
	i, ok := b.byRev[int32(f.revision)]
	if !ok {
		b.graph.stats.StrayFragments += f.fragments
		return
	}
	n, d := &b.graph.nodes[i], &b.drafts[i]
	if f.hasCore {
		n.flags |= flagCore
		n.typ = b.name(f.updateType)
		b.identify(i, f.id)
		b.core(d, f)
	}
	if f.hasRules {
		n.rules = b.ruleSet(f.rules, i)
	}
	d.kbs = span{int32(len(b.kbs)), int32(len(b.kbs) + len(f.kbs))}
	b.kbs = push(b.kbs, f.kbs...)
}

// identify takes the identity that a core fragment gives itself.
func (b *Builder) identify(i index, id identity) {
	n := &b.graph.nodes[i]
	delete(b.ownIDs, i)
	if id != (identity{GUID: b.graph.guids.keys[n.guid], Number: int(n.number)}) {
		b.ownIDs[i] = id
	}
}

// core takes the relations of a core fragment.
func (b *Builder) core(d *draft, f *facts) {
	d.older.first = int32(len(b.older))
	for _, k := range f.supersedes {
		b.older = push(b.older, b.guid(k))
	}
	d.older.end = int32(len(b.older))
	d.bundled.first = int32(b.clauses.len())
	for _, members := range f.bundled {
		collect(&b.clauses, members, b.member)
	}
	d.bundled.end = int32(b.clauses.len())
}

// member is the node of an identity, or where it is among the unknown.
func (b *Builder) member(id identity) index {
	if n, ok := b.find(id); ok {
		return n
	}
	b.unknown = append(b.unknown, id)
	return dangling - index(len(b.unknown))
}

// ruleSet numbers rules by their digest; equal ones are parsed once.
func (b *Builder) ruleSet(digest [16]byte, i index) int32 {
	b.graph.stats.RuleSets++
	set, ok := b.ruleSets[digest]
	if !ok {
		set = int32(len(b.graph.ruleNodes))
		b.ruleSets[digest] = set
		b.graph.ruleNodes = append(b.graph.ruleNodes, i)
	}
	return set
}
