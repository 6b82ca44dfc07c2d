package catalog

import (
	"fmt"
	"slices"

	"waptwua"
	"waptwua/applicability"
	"waptwua/wsusscn2"
)

// Options choose what a graph keeps.
type Options struct {
	Languages []string             // of titles, the best first; none: English
	SkipRules bool                 // for a graph that is only asked about updates and files
	Limits    applicability.Limits // of every rule set
}

// Builder takes the records of an archive, first the revisions of
// package.xml, then locations and fragments in any order, and makes a Graph
// of them. It must not be used by two goroutines at once.
type Builder struct {
	options Options
	parser  applicability.Parser
	graph   *Graph
	drafts  []draft // by index
}

// draft holds what a node is made of once all nodes are known.
type draft struct {
	prerequisites [][]string
	supersededBy  []int
	bundledBy     []int
	categories    []wsusscn2.Category
	bundled       []wsusscn2.BundleClause
	coreID        waptwua.UpdateID
}

// NewBuilder returns an empty Builder.
func NewBuilder(o Options) *Builder {
	if len(o.Languages) == 0 {
		o.Languages = []string{"en"}
	}
	return &Builder{
		options: o, parser: applicability.Parser{Limits: o.Limits},
		graph: &Graph{
			byGUID: map[string]guid{}, byID: map[waptwua.UpdateID]index{}, byRevision: map[int]index{},
			byKB: map[waptwua.KB][]index{}, locations: map[waptwua.SHA1]string{},
			stats: Stats{Unsupported: map[string]int{}},
		},
	}
}

// Languages are the languages of titles that the builder keeps.
func (b *Builder) Languages() []string { return b.options.Languages }

// Package takes the head of package.xml.
func (b *Builder) Package(p wsusscn2.Package) { b.graph.head = p }

// Revision takes one <Update>. Two with the same RevisionId or the same
// identity are an error (waptwua.ErrConflict).
func (b *Builder) Revision(r wsusscn2.Revision) error {
	if _, ok := b.graph.byRevision[r.RevisionID]; ok {
		return fmt.Errorf("revision %d: listed twice: %w", r.RevisionID, waptwua.ErrConflict)
	}
	if _, ok := b.graph.byID[r.ID]; ok {
		return fmt.Errorf("revision %d: update %s listed twice: %w", r.RevisionID, r.ID, waptwua.ErrConflict)
	}
	n := index(len(b.graph.nodes))
	b.graph.byRevision[r.RevisionID], b.graph.byID[r.ID] = n, n
	b.graph.nodes = append(b.graph.nodes, node{
		id: r.ID, revision: r.RevisionID, guid: b.guid(r.ID.GUID), kind: kindOf(r), bundle: r.IsBundle,
		software: r.IsSoftware, created: r.Created, payload: r.PayloadFiles,
	})
	b.drafts = append(b.drafts, draft{
		prerequisites: r.Prerequisites, supersededBy: r.SupersededBy, bundledBy: r.BundledBy, categories: r.Categories,
	})
	g := b.graph.nodes[n].guid
	b.graph.revisions[g] = append(b.graph.revisions[g], n)
	return nil
}

func kindOf(r wsusscn2.Revision) kind {
	switch r.DeploymentAction {
	case "Bundle":
		return child
	case "Evaluate":
		return evaluate
	}
	return topLevel
}

// guid numbers a GUID in lower case.
func (b *Builder) guid(s string) guid {
	g := b.graph
	if u, ok := g.byGUID[s]; ok {
		return u
	}
	u := guid(len(g.guids))
	g.byGUID[s] = u
	g.guids = append(g.guids, s)
	g.revisions = append(g.revisions, nil)
	return u
}

// Location takes one <FileLocation>. Files inside the archive are no
// payload and are skipped.
func (b *Builder) Location(l wsusscn2.Location) {
	if !l.Included {
		b.graph.locations[l.Digest] = l.URL
	}
}

// fragment finds the node of a fragment; false when there is none.
func (b *Builder) fragment(revision int) (index, bool) {
	n, ok := b.graph.byRevision[revision]
	if !ok {
		b.graph.stats.StrayFragments++
	}
	return n, ok
}

// Core takes the c/ fragment of a revision. Rules that cannot be parsed are
// counted and leave the revision unknown.
func (b *Builder) Core(revision int, c wsusscn2.Core) {
	i, ok := b.fragment(revision)
	if !ok {
		return
	}
	n, d := &b.graph.nodes[i], &b.drafts[i]
	n.core = coreFacts{updateType: c.UpdateType, eulaID: c.EulaID, present: true}
	n.supersedes = c.Supersedes
	d.bundled, d.coreID = c.Bundled, c.ID
	if b.options.SkipRules || c.Rules == nil {
		return
	}
	rules, err := b.parser.Parse(c.Rules)
	if err != nil {
		b.graph.stats.BadRules++
		return
	}
	n.rules = rules
	b.count(rules)
}

func (b *Builder) count(r *applicability.Rules) {
	s := &b.graph.stats
	s.RuleSets++
	for _, e := range []applicability.Expr{r.IsInstalled, r.IsInstallable, r.IsSuperseded} {
		applicability.Walk(e, func(applicability.Expr) { s.Operators++ })
	}
	for _, name := range r.Unsupported {
		s.Unsupported[name]++
	}
}

// Extended takes the x/ fragment of a revision.
func (b *Builder) Extended(revision int, x wsusscn2.Extended) {
	if i, ok := b.fragment(revision); ok {
		x.HandlerData = nil
		b.graph.nodes[i].extended = &x
	}
}

// Localized takes an l/ fragment of a revision; of several languages the one
// that Options.Languages names first stays.
func (b *Builder) Localized(revision int, l wsusscn2.Localized) {
	i, ok := b.fragment(revision)
	if !ok {
		return
	}
	n := &b.graph.nodes[i]
	if n.text.Language == "" || b.rank(l.Language) < b.rank(n.text.Language) {
		n.text = l
	}
}

func (b *Builder) rank(language string) int {
	if i := slices.Index(b.options.Languages, language); i >= 0 {
		return i
	}
	return len(b.options.Languages)
}

// Graph resolves every reference and returns the graph. The builder must not
// be used afterwards.
func (b *Builder) Graph() *Graph {
	g := b.graph
	children := b.bundledBy()
	own := b.coreIDs()
	for i := range g.nodes {
		n, d := &g.nodes[i], &b.drafts[i]
		n.prerequisites = b.clauses(d.prerequisites)
		n.categories = b.categories(d.categories)
		n.children = b.children(d.bundled, children[index(i)], own)
		b.tally(n)
	}
	b.drafts, b.graph = nil, nil
	for _, list := range g.revisions {
		slices.SortFunc(list, func(x, y index) int { return g.nodes[y].id.Revision - g.nodes[x].id.Revision })
	}
	g.sortDependencies()
	return g
}

func (b *Builder) tally(n *node) {
	g, s := b.graph, &b.graph.stats
	s.Revisions++
	switch n.kind {
	case topLevel:
		s.TopLevel++
	case child:
		s.Children++
	case evaluate:
		s.Categories++
	}
	if n.isBundle() {
		s.Bundles++
	}
	if !n.core.present {
		s.WithoutCore++
	}
	if n.extended == nil || n.kind != topLevel {
		return
	}
	for _, kb := range n.extended.KBs {
		g.byKB[kb] = append(g.byKB[kb], g.byID[n.id])
	}
}

func (n *node) isBundle() bool { return n.bundle || len(n.children) > 0 }

// clauses numbers the GUIDs of prerequisites; an empty clause asks nothing.
func (b *Builder) clauses(in [][]string) [][]guid {
	var out [][]guid
	for _, members := range in {
		var clause []guid
		for _, s := range members {
			u := b.guid(s)
			if len(b.graph.revisions[u]) == 0 {
				b.graph.stats.DanglingIDs++
			}
			clause = append(clause, u)
		}
		if clause != nil {
			out = append(out, clause)
		}
	}
	return out
}

func (b *Builder) categories(in []wsusscn2.Category) []category {
	var out []category
	for _, c := range in {
		u := b.guid(c.ID)
		if len(b.graph.revisions[u]) == 0 {
			b.graph.stats.DanglingIDs++
		}
		out = append(out, category{c.Type, u})
	}
	return out
}
