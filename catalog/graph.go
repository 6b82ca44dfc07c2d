package catalog

import (
	"cmp"
	"slices"
	"time"

	"waptwua"
	"waptwua/applicability"
	"waptwua/wsusscn2"
)

// kind is what a node is for.
type kind uint8

const (
	topLevel kind = iota // may be offered
	child                // of a bundle
	evaluate             // category or detectoid
)

// index numbers the nodes of a graph, and guid its GUIDs.
type (
	index int32
	guid  int32
)

// dangling stands for a child that the archive does not hold.
const dangling index = -1

// noRules stands for the rule set of a node without rules.
const noRules int32 = -1

// node is one revision. It holds no pointers: what it relates to is in the
// lists of the graph, what describes it is in the graph's Source.
type node struct {
	guid     guid
	number   int32 // RevisionNumber
	revision int32 // the archive's RevisionId
	created  int64 // microseconds since 1970; 0: unknown
	rules    int32 // rule set, or noRules
	typ      int32 // update type, in Graph.names
	kind     kind
	flags    uint8
}

// The flags of a node.
const (
	flagBundle = 1 << iota
	flagSoftware
	flagCore // the archive has its core fragment
)

func (n *node) has(flag uint8) bool { return n.flags&flag != 0 }

func (n *node) publishedAt() time.Time {
	if n.created == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n.created).UTC()
}

type category struct {
	kind int32 // UpdateClassification, Product, ProductFamily, Company: in Graph.names
	guid guid
}

// article is a KB number and a top-level update that it describes.
type article struct {
	kb   waptwua.KB
	node index
}

// Graph is the update graph of one archive. It is immutable.
type Graph struct {
	head  wsusscn2.Package
	nodes []node
	names []string // of update types and category types

	guids     guidTable
	revisions lists[index] // by guid, newest first

	needs      clauses[guid]  // by set of prerequisites; nodes share sets
	setOf      []int32        // set of prerequisites, by node
	circular   []int32        // by set: 1 when a node that has it is in a cycle that runs through it
	children   clauses[index] // by node
	replacedBy lists[index]   // by node: newer updates; cycles cut
	supersedes lists[guid]    // by node: older updates
	categories lists[category]
	articles   []article // by KB, then in the archive's order
	ruleNodes  []index   // by rule set: the first node that has it

	order     []index // every node after those its state depends on
	component []int32 // nodes of one dependency cycle share a number; behind the nodes come the sets of prerequisites

	stats  Stats
	source Source
}

// Stats counts what a graph holds and what its archive lacks.
type Stats struct {
	Revisions  int `json:"revisions"`
	TopLevel   int `json:"top_level"`
	Children   int `json:"children"`
	Categories int `json:"categories"` // categories and detectoids
	Bundles    int `json:"bundles"`
	RuleSets   int `json:"rule_sets"` // revisions that have rules
	Operators  int `json:"operators,omitempty"`
	AskWindows int `json:"ask_windows,omitempty"` // revisions whose rules ask what only Windows can tell

	WithoutCore        int            `json:"without_core,omitempty"`        // revisions without a core fragment
	BadRules           int            `json:"bad_rules,omitempty"`           // rule sets that could not be parsed; they are unknown
	StrayFragments     int            `json:"stray_fragments,omitempty"`     // fragments of revisions that package.xml does not list
	DanglingIDs        int            `json:"dangling_ids,omitempty"`        // prerequisites, children, categories that name nothing
	DependencyCycles   int            `json:"dependency_cycles,omitempty"`   // among prerequisites and bundles
	SupersedenceCycles int            `json:"supersedence_cycles,omitempty"` // which were cut
	Unsupported        map[string]int `json:"unsupported,omitempty"`         // operators that could not be evaluated, by name
}

// Head is the head of the archive's package.xml.
func (g *Graph) Head() wsusscn2.Package { return g.head }

// Stats is what the graph holds. Operators, AskWindows, BadRules and
// Unsupported are what was known when the graph was built; CountRules counts
// them anew.
func (g *Graph) Stats() Stats { return g.stats }

// Len is the number of revisions.
func (g *Graph) Len() int { return len(g.nodes) }

// RuleSets is the number of different rule sets.
func (g *Graph) RuleSets() int { return len(g.ruleNodes) }

// Source is where the graph gets what it does not hold itself.
func (g *Graph) Source() Source { return g.source }

// With is the same graph with another source. The two share everything else.
func (g *Graph) With(s Source) *Graph {
	c := *g
	c.source = s
	return &c
}

// CountRules parses all rules and returns Stats with what was found.
func (g *Graph) CountRules() Stats {
	s := g.stats
	s.Operators, s.AskWindows, s.BadRules, s.Unsupported = 0, 0, 0, map[string]int{}
	for i := range g.nodes {
		if g.nodes[i].rules != noRules {
			s.count(g.rules(index(i)))
		}
	}
	return s
}

func (s *Stats) count(r *applicability.Rules) {
	if r == nil {
		s.BadRules++
		return
	}
	for _, e := range []applicability.Expr{r.IsInstalled, r.IsInstallable, r.IsSuperseded} {
		applicability.Walk(e, func(applicability.Expr) { s.Operators++ })
	}
	if r.AsksWindows() {
		s.AskWindows++
	}
	for _, name := range r.Unsupported {
		s.Unsupported[name]++
	}
}

// rules are the rules of a node; nil when it has none that could be parsed.
func (g *Graph) rules(i index) *applicability.Rules {
	set := g.nodes[i].rules
	if set == noRules {
		return nil
	}
	return g.source.Rules(int(set), int(g.nodes[g.ruleNodes[set]].revision))
}

// record describes a node; nil when nothing does.
func (g *Graph) record(i index) *Record { return g.source.Record(int(g.nodes[i].revision)) }

// id is the identity of a node.
func (g *Graph) id(i index) waptwua.UpdateID {
	n := &g.nodes[i]
	return waptwua.UpdateID{GUID: g.guids.keys[n.guid].String(), Revision: int(n.number)}
}

// find is the node of an identity.
func (g *Graph) find(id waptwua.UpdateID) (index, bool) {
	u, ok := g.findGUID(id.GUID)
	if !ok {
		return 0, false
	}
	for _, i := range g.revisions.of(int(u)) {
		if int(g.nodes[i].number) == id.Revision {
			return i, true
		}
	}
	return 0, false
}

func (g *Graph) findGUID(s string) (guid, bool) {
	k, err := wsusscn2.ParseGUID(s)
	if err != nil {
		return 0, false
	}
	return g.guids.find(k)
}

// Has tells whether the graph holds a revision.
func (g *Graph) Has(id waptwua.UpdateID) bool {
	_, ok := g.find(id)
	return ok
}

// Rules are the parsed rules of a revision; nil when it has none, as bundles.
func (g *Graph) Rules(id waptwua.UpdateID) *applicability.Rules {
	if i, ok := g.find(id); ok {
		return g.rules(i)
	}
	return nil
}

// Asked lists everything that the rules ask about machines.
func (g *Graph) Asked() applicability.Asked {
	var q applicability.Questions
	for set, i := range g.ruleNodes {
		if r := g.source.Rules(set, int(g.nodes[i].revision)); r != nil {
			q.Add(r)
		}
	}
	return q.Asked()
}

// TopLevel lists the top-level updates in the archive's order.
func (g *Graph) TopLevel() []waptwua.UpdateID { return g.idsOf(topLevel) }

// CategoryIDs lists the categories and detectoids in the archive's order.
func (g *Graph) CategoryIDs() []waptwua.UpdateID { return g.idsOf(evaluate) }

func (g *Graph) idsOf(k kind) []waptwua.UpdateID {
	var ids []waptwua.UpdateID
	for i := range g.nodes {
		if g.nodes[i].kind == k {
			ids = append(ids, g.id(index(i)))
		}
	}
	return ids
}

// ByKB lists the top-level updates of a KB article.
func (g *Graph) ByKB(kb waptwua.KB) []waptwua.UpdateID {
	first, _ := slices.BinarySearchFunc(g.articles, kb, func(a article, kb waptwua.KB) int { return cmp.Compare(a.kb, kb) })
	var ids []waptwua.UpdateID
	for _, a := range g.articles[first:] {
		if a.kb != kb {
			break
		}
		ids = append(ids, g.id(a.node))
	}
	return ids
}

// ByGUID lists the revisions of an update, newest first. The GUID is compared
// without case.
func (g *Graph) ByGUID(s string) []waptwua.UpdateID {
	u, ok := g.findGUID(s)
	if !ok {
		return nil
	}
	return g.ids(g.revisions.of(int(u)))
}

func (g *Graph) ids(list []index) []waptwua.UpdateID {
	ids := make([]waptwua.UpdateID, len(list))
	for i, n := range list {
		ids[i] = g.id(n)
	}
	return ids
}

// Record is what the fragments say about a revision; nil when the graph does
// not hold it, or the archive no fragment that describes it.
func (g *Graph) Record(id waptwua.UpdateID) *Record {
	if i, ok := g.find(id); ok {
		return g.record(i)
	}
	return nil
}
