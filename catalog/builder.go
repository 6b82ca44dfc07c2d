package catalog

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
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
	Fragments wsusscn2.Limits      // of every fragment; Load takes those of the archive
	Expect    int                  // about how many revisions will come; 0: not known
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
	byKey    map[key]guid
	latest   []index // by guid: the revision of it that was taken last, or dangling
	before   []index // by index: the revision of the same GUID taken before it, or dangling
	byRev    map[int32]index
	names    map[string]int32
	sets     map[string]int32 // sets of prerequisites, by their encoding
	encoded  []byte           // of the set that was looked up last
	ruleSets map[[16]byte]int32

	supersededBy lists[int32]       // RevisionIds, by index
	bundledBy    lists[int32]       // RevisionIds, by index
	drafts       []draft            // by index
	older        []guid             // of drafts, one after the other
	clauses      lists[index]       // of drafts; members below dangling are in unknown
	unknown      []identity         // that no node has, by dangling - 1 - member
	kbs          []waptwua.KB       // of drafts
	ownIDs       map[index]identity // that core fragments give themselves, where it is not that of package.xml

	gatherer *Gatherer
	source   *memory
}

// draft is what fragments say of a node, for when all of them are known:
// parts of lists that all nodes share.
type draft struct {
	older, bundled, kbs span
}

// span is the part from first up to end, without end, of a list.
type span struct{ first, end int32 }

// many is how many revisions maps have room for before they grow.
const many = 10_000

// NewBuilder returns an empty Builder.
func NewBuilder(o Options) *Builder {
	n := max(o.Expect, 0)
	return &Builder{
		options: o, graph: &Graph{
			nodes: make([]node, 0, n), setOf: make([]int32, 0, n), guids: guidTable{keys: make([]key, 0, n)},
			needs:      clauses[guid]{starts: []int32{0}, members: lists[guid]{starts: []int32{0}}},
			categories: listsFor[category](n, 2*n),
		},
		byKey: make(map[key]guid, max(n, many)), byRev: make(map[int32]index, max(n, many)),
		latest: make([]index, 0, n), before: make([]index, 0, n), drafts: make([]draft, 0, n),
		supersededBy: listsFor[int32](n, 2*n), bundledBy: listsFor[int32](n, n), ownIDs: map[index]identity{},
		names: map[string]int32{}, sets: map[string]int32{}, ruleSets: map[[16]byte]int32{},
		gatherer: NewGatherer(o.Languages, o.Fragments),
		source:   &memory{records: map[int]*Record{}, payload: map[int][]waptwua.SHA1{}, locations: map[waptwua.SHA1]string{}},
	}
}

// Selection is what the builder wants of an archive's fragments.
func (b *Builder) Selection() wsusscn2.Selection {
	sel := b.gatherer.Selection()
	sel.Abridge = nil
	return sel
}

// Package takes the head of package.xml.
func (b *Builder) Package(p wsusscn2.Package) { b.graph.head = p }

// Revision takes one <Update>. Two with the same RevisionId or the same
// identity are an error (waptwua.ErrConflict).
func (b *Builder) Revision(r wsusscn2.Revision) error {
	if err := b.Node(r); err != nil {
		return err
	}
	if len(r.PayloadFiles) > 0 {
		b.source.payload[r.RevisionID] = slices.Clone(r.PayloadFiles)
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
	i, u := index(len(b.graph.nodes)), b.guid(r.ID.GUID)
	if _, ok := b.byRev[int32(r.RevisionID)]; ok {
		return fmt.Errorf("listed twice: %w", waptwua.ErrConflict)
	}
	if _, ok := b.revisionOf(u, r.ID.Number); ok {
		return fmt.Errorf("update %s listed twice: %w", r.ID, waptwua.ErrConflict)
	}
	n := node{
		guid: u, number: int32(r.ID.Number), revision: int32(r.RevisionID), kind: kindOf(r),
		created: microseconds(r.Created), rules: noRules, typ: b.name(""), flags: flagsOf(r),
	}
	set := b.set(r.Prerequisites)
	b.place(r.Categories)
	b.byRev[int32(r.RevisionID)] = i
	b.before, b.latest[u] = push(b.before, b.latest[u]), i
	b.graph.nodes, b.graph.setOf = push(b.graph.nodes, n), push(b.graph.setOf, set)
	collect(&b.supersededBy, r.SupersededBy, narrow)
	collect(&b.bundledBy, r.BundledBy, narrow)
	b.drafts = push(b.drafts, draft{})
	return nil
}

func narrow(revision int) int32 { return int32(revision) }

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
func (b *Builder) guid(k key) guid {
	if u, ok := b.byKey[k]; ok {
		return u
	}
	t := &b.graph.guids
	u := guid(len(t.keys))
	t.keys, b.latest = push(t.keys, k), push(b.latest, dangling)
	b.byKey[k] = u
	return u
}

// find is the node of an identity.
func (b *Builder) find(id identity) (index, bool) {
	u, ok := b.byKey[id.GUID]
	if !ok {
		return 0, false
	}
	return b.revisionOf(u, id.Number)
}

// revisionOf is the node of a GUID with a revision number.
func (b *Builder) revisionOf(u guid, number int) (index, bool) {
	for i := b.latest[u]; i != dangling; i = b.before[i] {
		if int(b.graph.nodes[i].number) == number {
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
func (b *Builder) set(list [][]key) int32 {
	b.encoded = b.encoded[:0]
	for _, members := range list {
		b.encoded = binary.LittleEndian.AppendUint32(b.encoded, uint32(len(members)))
		for i := range members {
			b.encoded = append(b.encoded, members[i][:]...)
		}
	}
	set, ok := b.sets[string(b.encoded)]
	if !ok {
		set = int32(len(b.sets))
		b.sets[string(b.encoded)] = set
		b.need(list)
	}
	return set
}

// need appends the clauses of the next set.
func (b *Builder) need(list [][]key) {
	needs := &b.graph.needs
	for _, members := range list {
		if len(members) > 0 {
			collect(&needs.members, members, b.guid)
		}
	}
	needs.starts = push(needs.starts, int32(needs.members.len()))
}

func (b *Builder) place(list []wsusscn2.Category) {
	collect(&b.graph.categories, list, func(c wsusscn2.Category) category { return category{b.name(c.Type), b.guid(c.ID)} })
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
func (b *Builder) Core(revision int, c wsusscn2.Core) {
	c.Rules = applicability.Reduce(c.Rules)
	b.gatherer.core(revision, c)
}

// Extended takes the x/ fragment of a revision.
func (b *Builder) Extended(revision int, x wsusscn2.Extended) { b.gatherer.extended(revision, x) }

// Localized takes an l/ fragment of a revision; of several languages the one
// that Options.Languages names first is its title.
func (b *Builder) Localized(revision int, l wsusscn2.Localized) { b.gatherer.localized(revision, l) }

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
		i, ok := b.byRev[int32(d.row.Revision)]
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
	var sorting sync.WaitGroup
	sorting.Go(g.guids.sort) // nobody adds a GUID or looks for one until then
	b.revisions()
	b.relate()
	for i := range g.nodes {
		b.tally(index(i))
	}
	slices.SortStableFunc(g.articles, func(x, y article) int { return cmp.Compare(x.kb, y.kb) })
	g.sortDependencies()
	sorting.Wait()
	g.source = s
	b.graph, b.drafts = nil, nil
	return g
}
