package catalog

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"waptwua"
)

// ReadGraph reads the size bytes that WriteTo wrote and puts the graph over a
// Source. Every reference is checked, so that a damaged graph gives an error
// here (ErrGraph, or ErrVersion) and no panic later. Beside the graph it needs
// little memory.
func ReadGraph(in io.Reader, size int64, s Source) (*Graph, error) {
	r := &graphReader{in: bufio.NewReaderSize(in, int(min(graphBuffer, size))), left: size, g: &Graph{source: s}}
	if v := r.uvarint(); r.err == nil && v > graphVersion {
		return nil, fmt.Errorf("%w: version %d of the update graph, this program knows up to %d", ErrVersion, v, graphVersion)
	}
	for _, part := range []func(){r.head, r.guids, r.nodes, r.relations, r.categories, r.articles, r.evaluation} {
		if part(); r.err != nil {
			return nil, r.err
		}
	}
	if r.left > 0 {
		return nil, fmt.Errorf("%w: it goes on behind its end", ErrGraph)
	}
	return r.g, nil
}

// graphBuffer is how much of a stored graph is held at a time.
const graphBuffer = 64 << 10

// graphReader reads a stored graph. After the first error it gives zeros.
type graphReader struct {
	in   *bufio.Reader
	left int64 // bytes that are to come
	err  error
	g    *Graph
}

var errDamaged = fmt.Errorf("%w: damaged, or cut short", ErrGraph)

func (r *graphReader) fail() { r.broken(nil) }

// broken keeps the first error; what was behind the end is no error of its own.
func (r *graphReader) broken(err error) {
	switch {
	case r.err != nil:
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		r.err = errDamaged
	default:
		r.err = fmt.Errorf("%w: %w", ErrGraph, err)
	}
}

func (r *graphReader) uvarint() (v uint64) {
	for shift := 0; ; shift += 7 {
		b := r.take(1)
		if r.err == nil && shift > 56 {
			r.fail()
		}
		if r.err != nil {
			return 0
		}
		v |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return v
		}
	}
}

// length reads how many items of size bytes follow.
func (r *graphReader) length(size int) int {
	n := r.uvarint()
	if n > uint64(r.left)/uint64(size) {
		r.fail()
		return 0
	}
	return int(n)
}

// take gives the next n bytes, which are valid until the next call. n is at
// most graphBuffer.
func (r *graphReader) take(n int) []byte {
	if r.err != nil || int64(n) > r.left {
		r.fail()
		return nil
	}
	b, err := r.in.Peek(n)
	if err != nil {
		r.broken(err)
		return nil
	}
	if _, err := r.in.Discard(n); err != nil {
		r.broken(err)
		return nil
	}
	r.left -= int64(n)
	return b
}

// each calls visit for n items of size bytes, a buffer full at a time.
func (r *graphReader) each(n, size int, visit func(first int, b []byte)) {
	const most = graphBuffer / 16 // the largest item
	for done := 0; done < n && r.err == nil; {
		m := min(n-done, most)
		if b := r.take(m * size); r.err == nil {
			visit(done, b)
		}
		done += m
	}
}

func (r *graphReader) text() string {
	b := make([]byte, 0, r.length(1))
	r.each(cap(b), 1, func(_ int, part []byte) { b = append(b, part...) })
	return string(b)
}

func (r *graphReader) head() {
	var about storedHead
	if err := json.Unmarshal([]byte(r.text()), &about); err != nil {
		r.broken(err)
		return
	}
	r.g.head, r.g.stats = about.Head, about.Stats
	for range r.length(1) {
		r.g.names = append(r.g.names, r.text())
	}
}

func (r *graphReader) guids() {
	t := &r.g.guids
	t.keys = make([]key, r.length(len(key{})))
	r.each(len(t.keys), len(key{}), func(first int, b []byte) {
		for i := range len(b) / len(key{}) {
			t.keys[first+i] = key(b[len(key{})*i:])
		}
	})
	t.sorted = readInts[guid](r, 0, len(t.keys))
	if len(t.sorted) != len(t.keys) {
		r.fail()
	}
}

func (r *graphReader) nodes() {
	const anyNumber = math.MaxInt32
	g := r.g
	guids := readInts[guid](r, 0, len(g.guids.keys))
	g.nodes = make([]node, len(guids))
	for i, u := range guids {
		g.nodes[i].guid = u
	}
	r.column(0, anyNumber, func(n *node, v int32) { n.number = v })
	r.column(0, anyNumber, func(n *node, v int32) { n.revision = v })
	r.column(noRules, anyNumber, func(n *node, v int32) { n.rules = v })
	r.column(0, len(g.names), func(n *node, v int32) { n.typ = v })
	r.column(0, 1<<16, func(n *node, v int32) { n.kind, n.flags = kind(v&0xff), uint8(v>>8) })
	r.each(len(g.nodes), 8, func(first int, b []byte) {
		for i := range len(b) / 8 {
			g.nodes[first+i].created = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
	})
	for i := range g.nodes {
		if g.nodes[i].kind > evaluate {
			r.fail()
		}
	}
}

// column reads one number for each node.
func (r *graphReader) column(low int32, high int, set func(*node, int32)) {
	if r.length(4) != len(r.g.nodes) {
		r.fail()
	}
	r.ints(len(r.g.nodes), low, high, func(i int, v int32) { set(&r.g.nodes[i], v) })
}

func (r *graphReader) relations() {
	g, nodes, guids := r.g, len(r.g.nodes), len(r.g.guids.keys)
	g.revisions = readLists[index](r, guids, 0, nodes)
	g.needs = readClauses[guid](r, -1, 0, guids)
	g.setOf = readInts[int32](r, 0, len(g.needs.starts)-1)
	g.circular = readInts[int32](r, 0, 2)
	g.children = readClauses[index](r, nodes, int32(dangling), nodes)
	g.replacedBy = readLists[index](r, nodes, 0, nodes)
	g.supersedes = readLists[guid](r, nodes, 0, guids)
	if len(g.setOf) != nodes {
		r.fail()
	}
}

func (r *graphReader) categories() {
	g := r.g
	g.categories.starts = readInts[int32](r, 0, math.MaxInt32)
	kinds := readInts[int32](r, 0, len(g.names))
	guids := readInts[guid](r, 0, len(g.guids.keys))
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
	kbs := readInts[int32](r, math.MinInt32, math.MaxInt32)
	nodes := readInts[index](r, 0, len(r.g.nodes))
	if len(kbs) != len(nodes) {
		r.fail()
		return
	}
	r.g.articles = make([]article, len(kbs))
	for i := range kbs {
		r.g.articles[i] = article{waptwua.KB(uint32(kbs[i])), nodes[i]}
	}
}

func (r *graphReader) evaluation() {
	g, nodes, sets := r.g, len(r.g.nodes), len(r.g.needs.starts)-1
	g.ruleNodes = readInts[index](r, 0, nodes)
	g.order = readInts[index](r, 0, nodes)
	g.component = readInts[int32](r, 0, math.MaxInt32)
	if r.err != nil || len(g.order) != nodes || len(g.component) != nodes+sets || len(g.circular) != sets {
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

// ints calls set for n numbers from low up to high, without high.
func (r *graphReader) ints(n int, low int32, high int, set func(i int, v int32)) {
	r.each(n, 4, func(first int, b []byte) {
		for i := range len(b) / 4 {
			v := int32(binary.LittleEndian.Uint32(b[4*i:]))
			if v < low || int(v) >= high && high != math.MaxInt32 {
				r.fail()
				return
			}
			set(first+i, v)
		}
	})
}

// readInts reads a list of numbers from low up to high, without high.
func readInts[T ~int32](r *graphReader, low int32, high int) []T {
	list := make([]T, r.length(4))
	r.each(len(list), 4, func(first int, b []byte) {
		part, bad := list[first:first+len(b)/4], false
		for i := range part {
			v := int32(binary.LittleEndian.Uint32(b[4*i:]))
			bad = bad || v < low || int(v) >= high && high != math.MaxInt32
			part[i] = T(v)
		}
		if bad {
			r.fail()
		}
	})
	if r.err != nil {
		return nil
	}
	return list
}

// readLists reads the lists of a number of owners; -1: of any number.
func readLists[T ~int32](r *graphReader, owners int, low int32, high int) lists[T] {
	l := lists[T]{starts: readInts[int32](r, 0, math.MaxInt32), items: readInts[T](r, low, high)}
	if !ascending(l.starts, owners, len(l.items)) {
		r.fail()
		return lists[T]{starts: make([]int32, max(owners, 0)+1)}
	}
	return l
}

func readClauses[T ~int32](r *graphReader, owners int, low int32, high int) clauses[T] {
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
