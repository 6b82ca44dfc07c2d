package catalog

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"waptwua"
	"waptwua/wsusscn2"
)

// graphVersion is the version of the encoding of a graph.
const graphVersion = 1

// ErrGraph says that bytes are no encoded graph, or a damaged one.
var ErrGraph = errors.New("not a stored update graph")

// ErrVersion says that stored bytes were written by a newer program.
var ErrVersion = errors.New("written by a newer program")

// AppendBinary appends the graph without its Source: every list as it lies
// in memory, little-endian. ReadGraph is the inverse.
func (g *Graph) AppendBinary(b []byte) ([]byte, error) {
	about, err := json.Marshal(storedHead{g.head, g.stats})
	if err != nil {
		return nil, fmt.Errorf("storing the update graph: %w", err)
	}
	b = binary.AppendUvarint(b, graphVersion)
	b = appendText(b, string(about))
	b = binary.AppendUvarint(b, uint64(len(g.names)))
	for _, s := range g.names {
		b = appendText(b, s)
	}
	b = binary.AppendUvarint(b, uint64(len(g.guids.keys)))
	for _, k := range g.guids.keys {
		b = append(b, k[:]...)
	}
	b = appendInts(b, g.guids.sorted)
	b = appendNodes(b, g.nodes)
	b = appendLists(b, &g.revisions)
	b = appendClauses(b, &g.needs)
	b = appendInts(b, g.setOf)
	b = appendInts(b, g.circular)
	b = appendClauses(b, &g.children)
	b = appendLists(b, &g.replacedBy)
	b = appendLists(b, &g.supersedes)
	b = appendInts(b, g.categories.starts)
	b = appendColumn(b, g.categories.items, func(c *category) int32 { return c.kind })
	b = appendColumn(b, g.categories.items, func(c *category) int32 { return int32(c.guid) })
	b = appendColumn(b, g.articles, func(a *article) int32 { return int32(a.kb) })
	b = appendColumn(b, g.articles, func(a *article) int32 { return int32(a.node) })
	b = appendInts(b, g.ruleNodes)
	b = appendInts(b, g.order)
	return appendInts(b, g.component), nil
}

// storedHead is the part of a stored graph that is JSON.
type storedHead struct {
	Head  wsusscn2.Package
	Stats Stats
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendInts[T ~int32](b []byte, list []T) []byte {
	return appendColumn(b, list, func(v *T) int32 { return int32(*v) })
}

func appendColumn[T any](b []byte, list []T, field func(*T) int32) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for i := range list {
		b = binary.LittleEndian.AppendUint32(b, uint32(field(&list[i])))
	}
	return b
}

func appendLists[T ~int32](b []byte, l *lists[T]) []byte {
	return appendInts(appendInts(b, l.starts), l.items)
}

func appendClauses[T ~int32](b []byte, c *clauses[T]) []byte {
	return appendLists(appendInts(b, c.starts), &c.members)
}

func appendNodes(b []byte, nodes []node) []byte {
	b = appendColumn(b, nodes, func(n *node) int32 { return int32(n.guid) })
	b = appendColumn(b, nodes, func(n *node) int32 { return n.number })
	b = appendColumn(b, nodes, func(n *node) int32 { return n.revision })
	b = appendColumn(b, nodes, func(n *node) int32 { return n.rules })
	b = appendColumn(b, nodes, func(n *node) int32 { return n.typ })
	b = appendColumn(b, nodes, func(n *node) int32 { return int32(n.kind) | int32(n.flags)<<8 })
	for i := range nodes {
		b = binary.LittleEndian.AppendUint64(b, uint64(nodes[i].created))
	}
	return b
}

// ReadGraph decodes what AppendBinary wrote and puts it over a Source. Every
// reference is checked, so that a damaged graph gives an error here (ErrGraph,
// or ErrVersion) and no panic later.
func ReadGraph(data []byte, s Source) (*Graph, error) {
	r := &graphReader{decoder: decoder{rest: data}, g: &Graph{source: s}}
	if v := r.uvarint(); v > graphVersion {
		return nil, fmt.Errorf("%w: version %d of the update graph, this program knows up to %d", ErrVersion, v, graphVersion)
	}
	if err := r.head(); err != nil {
		return nil, err
	}
	r.nodes()
	r.relations()
	if r.failed || len(r.rest) > 0 {
		return nil, fmt.Errorf("%w: damaged, or cut short", ErrGraph)
	}
	return r.g, nil
}

// graphReader decodes a graph.
type graphReader struct {
	decoder
	g *Graph
}

func (r *graphReader) head() error {
	var about storedHead
	if err := json.Unmarshal(r.bytes(r.length(1)), &about); err != nil {
		return fmt.Errorf("%w: %w", ErrGraph, err)
	}
	r.g.head, r.g.stats = about.Head, about.Stats
	for range r.length(1) {
		r.g.names = append(r.g.names, string(r.bytes(r.length(1))))
	}
	r.g.guids.keys = make([]key, r.length(len(key{})))
	for i := range r.g.guids.keys {
		r.g.guids.keys[i] = r.key()
	}
	r.g.guids.sorted = readInts[guid](&r.decoder, 0, len(r.g.guids.keys))
	if len(r.g.guids.sorted) != len(r.g.guids.keys) {
		r.fail()
	}
	return nil
}

func (r *graphReader) nodes() {
	const any = math.MaxInt32
	g := r.g
	guids := readInts[guid](&r.decoder, 0, len(g.guids.keys))
	g.nodes = make([]node, len(guids))
	numbers := r.column(0, any)
	revisions := r.column(0, any)
	rules := r.column(noRules, any)
	types := r.column(0, len(g.names))
	kinds := r.column(0, 1<<16)
	created := r.bytes(8 * len(guids))
	if r.failed {
		return
	}
	for i := range g.nodes {
		g.nodes[i] = node{
			guid: guids[i], number: numbers[i], revision: revisions[i], rules: rules[i], typ: types[i],
			kind: kind(kinds[i] & 0xff), flags: uint8(kinds[i] >> 8), created: int64(binary.LittleEndian.Uint64(created[8*i:])),
		}
		if g.nodes[i].kind > evaluate {
			r.fail()
		}
	}
}

// column reads one number for each node.
func (r *graphReader) column(low int32, high int) []int32 {
	c := readInts[int32](&r.decoder, low, high)
	if len(c) != len(r.g.nodes) {
		r.fail()
	}
	return c
}

func (r *graphReader) relations() {
	g, nodes, guids := r.g, len(r.g.nodes), len(r.g.guids.keys)
	g.revisions = readLists[index](&r.decoder, guids, 0, nodes)
	g.needs = readClauses[guid](&r.decoder, -1, 0, guids)
	sets := len(g.needs.starts) - 1
	g.setOf = r.column(0, sets)
	g.circular = readInts[int32](&r.decoder, 0, 2)
	g.children = readClauses[index](&r.decoder, nodes, int32(dangling), nodes)
	g.replacedBy = readLists[index](&r.decoder, nodes, 0, nodes)
	g.supersedes = readLists[guid](&r.decoder, nodes, 0, guids)
	r.categories()
	r.articles()
	g.ruleNodes = readInts[index](&r.decoder, 0, nodes)
	g.order = readInts[index](&r.decoder, 0, nodes)
	g.component = readInts[int32](&r.decoder, 0, math.MaxInt32)
	if r.failed || len(g.order) != nodes || len(g.component) != nodes+sets || len(g.circular) != sets {
		r.fail()
		return
	}
	for i := range g.nodes {
		if int(g.nodes[i].rules) >= len(g.ruleNodes) {
			r.fail()
			return
		}
	}
}

func (r *graphReader) categories() {
	g := r.g
	g.categories.starts = readInts[int32](&r.decoder, 0, math.MaxInt32)
	kinds := readInts[int32](&r.decoder, 0, len(g.names))
	guids := readInts[guid](&r.decoder, 0, len(g.guids.keys))
	if len(kinds) != len(guids) || !ascending(g.categories.starts, len(g.nodes), len(kinds)) {
		r.fail()
		return
	}
	g.categories.items = make([]category, len(kinds))
	for i := range kinds {
		g.categories.items[i] = category{kinds[i], guids[i]}
	}
}

func (r *graphReader) articles() {
	kbs := readInts[int32](&r.decoder, math.MinInt32, math.MaxInt32)
	nodes := readInts[index](&r.decoder, 0, len(r.g.nodes))
	if len(kbs) != len(nodes) {
		r.fail()
		return
	}
	r.g.articles = make([]article, len(kbs))
	for i := range kbs {
		r.g.articles[i] = article{waptwua.KB(uint32(kbs[i])), nodes[i]}
	}
}

// readInts reads a list of numbers from low up to high, without high.
func readInts[T ~int32](r *decoder, low int32, high int) []T {
	list := make([]T, r.length(4))
	b := r.bytes(4 * len(list))
	for i := range list {
		v := int32(binary.LittleEndian.Uint32(b[4*i:]))
		if v < low || int(v) >= high && high != math.MaxInt32 {
			r.fail()
			return nil
		}
		list[i] = T(v)
	}
	return list
}

// readLists reads the lists of a number of owners; -1: of any number.
func readLists[T ~int32](r *decoder, owners int, low int32, high int) lists[T] {
	l := lists[T]{starts: readInts[int32](r, 0, math.MaxInt32), items: readInts[T](r, low, high)}
	if !ascending(l.starts, owners, len(l.items)) {
		r.fail()
		return lists[T]{starts: make([]int32, max(owners, 0)+1)}
	}
	return l
}

func readClauses[T ~int32](r *decoder, owners int, low int32, high int) clauses[T] {
	c := clauses[T]{starts: readInts[int32](r, 0, math.MaxInt32)}
	c.members = readLists[T](r, -1, low, high)
	if !ascending(c.starts, owners, c.members.len()) {
		r.fail()
		return clauses[T]{starts: make([]int32, max(owners, 0)+1)}
	}
	return c
}

// ascending tells whether starts are those of lists of so many owners (-1: of
// any number) that share so many items.
func ascending(starts []int32, owners, items int) bool {
	if len(starts) == 0 || owners >= 0 && len(starts) != owners+1 || starts[0] != 0 || int(starts[len(starts)-1]) != items {
		return false
	}
	for i := range len(starts) - 1 {
		if starts[i] > starts[i+1] {
			return false
		}
	}
	return true
}
