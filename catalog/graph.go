package catalog

import (
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

// node is one revision.
type node struct {
	id       waptwua.UpdateID
	revision int // the archive's RevisionId
	guid     guid
	kind     kind
	bundle   bool
	software bool
	created  time.Time

	prerequisites [][]guid  // AND of ORs
	children      [][]index // AND of ORs; of bundles
	replacedBy    []index   // newer updates; cycles cut
	categories    []category
	supersedes    []string // GUIDs of older updates
	payload       []waptwua.SHA1

	rules    *applicability.Rules // nil: none, or they were skipped
	core     coreFacts
	extended *wsusscn2.Extended // nil: the archive has no such fragment
	text     wsusscn2.Localized
}

type coreFacts struct {
	updateType string // Software, Category, Detectoid, Driver
	eulaID     string
	present    bool
}

type category struct {
	kind string // UpdateClassification, Product, ProductFamily, Company
	guid guid
}

// Graph is the update graph of one archive. It is immutable.
type Graph struct {
	head      wsusscn2.Package
	nodes     []node
	order     []index // every node after those its state depends on
	component []int32 // nodes of one dependency cycle share a number

	guids      []string // by guid
	revisions  [][]index
	byGUID     map[string]guid
	byID       map[waptwua.UpdateID]index
	byRevision map[int]index
	byKB       map[waptwua.KB][]index
	locations  map[waptwua.SHA1]string
	stats      Stats
}

// Stats counts what a graph holds and what its archive lacks.
type Stats struct {
	Revisions  int `json:"revisions"`
	TopLevel   int `json:"top_level"`
	Children   int `json:"children"`
	Categories int `json:"categories"` // categories and detectoids
	Bundles    int `json:"bundles"`
	RuleSets   int `json:"rule_sets"`
	Operators  int `json:"operators"`

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

// Stats is what the graph holds.
func (g *Graph) Stats() Stats { return g.stats }

// Len is the number of revisions.
func (g *Graph) Len() int { return len(g.nodes) }

// Rules are the parsed rules of a revision; nil when it has none, as bundles.
func (g *Graph) Rules(id waptwua.UpdateID) *applicability.Rules {
	if n, ok := g.byID[id]; ok {
		return g.nodes[n].rules
	}
	return nil
}

// Asked lists everything that the rules ask about machines.
func (g *Graph) Asked() applicability.Asked {
	var q applicability.Questions
	for i := range g.nodes {
		if r := g.nodes[i].rules; r != nil {
			q.Add(r)
		}
	}
	return q.Asked()
}

// TopLevel lists the top-level updates in the archive's order.
func (g *Graph) TopLevel() []waptwua.UpdateID {
	return g.idsOf(func(n *node) bool { return n.kind == topLevel })
}

// CategoryIDs lists the categories and detectoids in the archive's order.
func (g *Graph) CategoryIDs() []waptwua.UpdateID {
	return g.idsOf(func(n *node) bool { return n.kind == evaluate })
}

func (g *Graph) idsOf(want func(*node) bool) []waptwua.UpdateID {
	var ids []waptwua.UpdateID
	for i := range g.nodes {
		if want(&g.nodes[i]) {
			ids = append(ids, g.nodes[i].id)
		}
	}
	return ids
}

// ByKB lists the top-level updates of a KB article.
func (g *Graph) ByKB(kb waptwua.KB) []waptwua.UpdateID { return g.ids(g.byKB[kb]) }

// ByGUID lists the revisions of an update, newest first. The GUID is compared
// without case.
func (g *Graph) ByGUID(s string) []waptwua.UpdateID {
	norm, err := waptwua.NormalizeGUID(s)
	if err != nil {
		return nil
	}
	u, ok := g.byGUID[norm]
	if !ok {
		return nil
	}
	return g.ids(g.revisions[u])
}

func (g *Graph) ids(list []index) []waptwua.UpdateID {
	ids := make([]waptwua.UpdateID, len(list))
	for i, n := range list {
		ids[i] = g.nodes[n].id
	}
	return ids
}
