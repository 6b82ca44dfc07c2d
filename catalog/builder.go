package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"waptwua"
	"waptwua/applicability"
	"waptwua/wsusscn2"
)

// Options choose what a graph in memory keeps.
type Options struct {
	Languages []string             // of titles, the best first; none: English
	SkipRules bool                 // for a graph that is only asked about updates and files
	Limits    applicability.Limits // of every rule set
}

// Builder makes a Graph. It takes the revisions of package.xml first, then
// what fragments say, in any order. It must not be used by two goroutines at
// once.
//
// A graph in memory takes fragments (Core, Extended, Localized) and locations
// and keeps all of them. A graph over a Source of its own takes Facts, which
// a Gatherer made of fragments elsewhere, and the Source has the rest.
type Builder struct {
	options  Options
	graph    *Graph
	numbers  map[string]guid // of GUIDs that revisions refer to, as they are spelled
	byKey    map[key]guid    // of all
	latest   []index         // by guid: the revision of it that was taken last, or dangling
	before   []index         // by index: the revision of the same GUID taken before it, or dangling
	byRev    map[int]index
	names    map[string]int32
	sets     map[string]int32 // sets of prerequisites, by their encoding
	ruleSets map[[16]byte]int32
	drafts   []draft // by index

	gatherer *Gatherer
	source   *memory
}

// draft holds what a node is made of once all nodes are known.
type draft struct {
	supersededBy []int
	bundledBy    []int
	supersedes   []key
	bundled      [][]identity
	coreID       identity
	kbs          []waptwua.KB
}

// many is how many revisions maps have room for before they grow.
const many = 10_000

// NewBuilder returns an empty Builder.
func NewBuilder(o Options) *Builder {
	return &Builder{
		options: o, graph: &Graph{},
		numbers: map[string]guid{}, byKey: make(map[key]guid, many), byRev: make(map[int]index, many),
		names: map[string]int32{}, sets: map[string]int32{}, ruleSets: map[[16]byte]int32{},
		gatherer: NewGatherer(o.Languages),
		source:   &memory{records: map[int]*Record{}, payload: map[int][]waptwua.SHA1{}, locations: map[waptwua.SHA1]string{}},
	}
}

// Selection is what the builder wants of an archive's fragments.
func (b *Builder) Selection() wsusscn2.Selection { return b.gatherer.Selection() }

// Package takes the head of package.xml.
func (b *Builder) Package(p wsusscn2.Package) { b.graph.head = p }

// Revision takes one <Update>. Two with the same RevisionId or the same
// identity are an error (waptwua.ErrConflict), and so is a GUID that is none.
func (b *Builder) Revision(r wsusscn2.Revision) error {
	if err := b.revision(&r); err != nil {
		return fmt.Errorf("revision %d: %w", r.RevisionID, err)
	}
	if len(r.PayloadFiles) > 0 {
		b.source.payload[r.RevisionID] = r.PayloadFiles
	}
	return nil
}

// Node takes one <Update> as Revision does, but leaves its payload files to
// the Source.
func (b *Builder) Node(r wsusscn2.Revision) error {
	if err := b.revision(&r); err != nil {
		return fmt.Errorf("revision %d: %w", r.RevisionID, err)
	}
	return nil
}

func (b *Builder) revision(r *wsusscn2.Revision) error {
	k, err := parseKey(r.ID.GUID)
	if err != nil {
		return err
	}
	i, u := index(len(b.graph.nodes)), b.keyNumber(k)
	if _, ok := b.byRev[r.RevisionID]; ok {
		return fmt.Errorf("listed twice: %w", waptwua.ErrConflict)
	}
	if _, ok := b.find(identity{k, r.ID.Revision}); ok {
		return fmt.Errorf("update %s listed twice: %w", r.ID, waptwua.ErrConflict)
	}
	n := node{
		guid: u, number: int32(r.ID.Revision), revision: int32(r.RevisionID), kind: kindOf(r),
		created: microseconds(r.Created), rules: noRules, typ: b.name(""), flags: flagsOf(r),
	}
	set, err := b.set(r.Prerequisites)
	if err != nil {
		return err
	}
	if err := b.place(r.Categories); err != nil {
		return err
	}
	b.byRev[r.RevisionID] = i
	b.before, b.latest[u] = append(b.before, b.latest[u]), i
	b.graph.nodes, b.graph.setOf = append(b.graph.nodes, n), append(b.graph.setOf, set)
	b.drafts = append(b.drafts, draft{supersededBy: r.SupersededBy, bundledBy: r.BundledBy})
	return nil
}

func kindOf(r *wsusscn2.Revision) kind {
	switch r.DeploymentAction {
	case "Bundle":
		return child
	case "Evaluate":
		return evaluate
	}
	return topLevel
}

func flagsOf(r *wsusscn2.Revision) (flags uint8) {
	if r.IsBundle {
		flags |= flagBundle
	}
	if r.IsSoftware {
		flags |= flagSoftware
	}
	return flags
}

func microseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// guid numbers a GUID.
func (b *Builder) guid(s string) (guid, error) {
	if u, ok := b.numbers[s]; ok {
		return u, nil
	}
	k, err := parseKey(s)
	if err != nil {
		return 0, err
	}
	u := b.keyNumber(k)
	b.numbers[s] = u
	return u, nil
}

func (b *Builder) keyNumber(k key) guid {
	if u, ok := b.byKey[k]; ok {
		return u
	}
	t := &b.graph.guids
	u := guid(len(t.keys))
	t.keys = append(t.keys, k)
	b.latest = append(b.latest, dangling)
	b.byKey[k] = u
	return u
}

// find is the node of an identity.
func (b *Builder) find(id identity) (index, bool) {
	u, ok := b.byKey[id.key]
	if !ok {
		return 0, false
	}
	for i := b.latest[u]; i != dangling; i = b.before[i] {
		if int(b.graph.nodes[i].number) == id.number {
			return i, true
		}
	}
	return 0, false
}

// name numbers a word that many nodes share.
func (b *Builder) name(s string) int32 {
	n, ok := b.names[s]
	if !ok {
		n = int32(len(b.graph.names))
		b.graph.names = append(b.graph.names, s)
		b.names[s] = n
	}
	return n
}

// set numbers a set of prerequisites. Most revisions share theirs with many
// others, and what is shared is evaluated once. An empty clause asks nothing.
func (b *Builder) set(list [][]string) (int32, error) {
	var encoded []byte
	var needs [][]guid
	for _, members := range list {
		var clause []guid
		for _, s := range members {
			u, err := b.guid(s)
			if err != nil {
				return 0, err
			}
			clause = append(clause, u)
			encoded = append(encoded, byte(u), byte(u>>8), byte(u>>16), byte(u>>24))
		}
		if clause != nil {
			needs = append(needs, clause)
			encoded = append(encoded, 0xff, 0xff, 0xff, 0xff) // no guid has this number
		}
	}
	set, ok := b.sets[string(encoded)]
	if !ok {
		set = int32(len(b.sets))
		b.sets[string(encoded)] = set
		b.graph.needs.add(needs...)
	}
	return set, nil
}

func (b *Builder) place(list []wsusscn2.Category) error {
	var out []category
	for _, c := range list {
		u, err := b.guid(c.ID)
		if err != nil {
			return err
		}
		out = append(out, category{b.name(c.Type), u})
	}
	b.graph.categories.add(out...)
	return nil
}

// Location takes one <FileLocation>. Files inside the archive are no
// payload and are skipped.
func (b *Builder) Location(l wsusscn2.Location) {
	if !l.Included {
		b.source.locations[l.Digest] = l.URL
	}
}

// Fragment takes a fragment of the Selection.
func (b *Builder) Fragment(f wsusscn2.Fragment) error { return b.gatherer.Take(f) }

// Core takes the c/ fragment of a revision. Rules that cannot be parsed are
// counted and leave the revision unknown.
func (b *Builder) Core(revision int, c wsusscn2.Core) { b.gatherer.core(revision, c) }

// Extended takes the x/ fragment of a revision.
func (b *Builder) Extended(revision int, x wsusscn2.Extended) { b.gatherer.extended(revision, x) }

// Localized takes an l/ fragment of a revision; of several languages the one
// that Options.Languages names first is its title.
func (b *Builder) Localized(revision int, l wsusscn2.Localized) { b.gatherer.localized(revision, l) }

// Facts takes what a Gatherer made of fragments. Those of revisions that
// package.xml does not list are counted.
func (b *Builder) Facts(encoded []byte) error { return eachFacts(encoded, b.facts) }

func (b *Builder) facts(f *facts) {
	i, ok := b.byRev[f.revision]
	if !ok {
		b.graph.stats.StrayFragments += f.fragments
		return
	}
	n, d := &b.graph.nodes[i], &b.drafts[i]
	if f.hasCore {
		n.flags |= flagCore
		n.typ = b.name(f.updateType)
		d.supersedes, d.bundled, d.coreID = f.supersedes, f.bundled, f.id
	}
	if f.hasRules {
		n.rules = b.ruleSet(f.rules, i)
	}
	d.kbs = f.kbs
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

// Graph resolves every reference and returns the graph in memory. The builder
// must not be used afterwards.
func (b *Builder) Graph() *Graph {
	drafts := b.gatherer.sorted()
	for _, d := range drafts {
		b.facts(&d.facts)
	}
	parser := applicability.Parser{Limits: b.options.Limits}
	b.source.rules = make([]*applicability.Rules, len(b.graph.ruleNodes))
	for _, d := range drafts {
		b.source.records[d.row.Revision] = &d.row.Record
		i, ok := b.byRev[d.row.Revision]
		if !ok || !d.facts.hasRules || b.options.SkipRules {
			continue
		}
		if set := b.graph.nodes[i].rules; b.graph.ruleNodes[set] == i {
			b.source.rules[set], _ = parser.Parse(d.row.Rules) // nil is counted below
		}
	}
	g := b.GraphOver(b.source)
	if !b.options.SkipRules {
		g.stats = g.CountRules()
	}
	return g
}

// GraphOver resolves every reference and returns the graph over a Source. The
// builder must not be used afterwards.
func (b *Builder) GraphOver(s Source) *Graph {
	g := b.graph
	b.revisions()
	b.relate()
	for i := range g.nodes {
		b.tally(index(i))
	}
	slices.SortStableFunc(g.articles, func(x, y article) int { return cmp.Compare(x.kb, y.kb) })
	g.guids.sort()
	g.sortDependencies()
	g.source = s
	b.graph, b.drafts = nil, nil
	return g
}

// revisions lists the nodes of each GUID, newest first.
func (b *Builder) revisions() {
	g := b.graph
	for i := range b.drafts { // number the GUIDs that only fragments name
		for _, k := range b.drafts[i].supersedes {
			b.keyNumber(k)
		}
	}
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
		for _, kb := range b.drafts[i].kbs {
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
