package catalog

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"waptwua/wsusscn2"
)

// graphVersion is the version of the encoding of a graph.
const graphVersion = 1

// ErrGraph says that bytes are no encoded graph, or a damaged one.
var ErrGraph = errors.New("not a stored update graph")

// ErrVersion says that stored bytes were written by a newer program.
var ErrVersion = errors.New("written by a newer program")

// WriteTo writes the graph without its Source: every list as it lies in
// memory, little-endian. ReadGraph is the inverse.
func (g *Graph) WriteTo(w io.Writer) (n int64, err error) {
	about, err := json.Marshal(storedHead{g.head, g.stats})
	if err != nil {
		return 0, fmt.Errorf("storing the update graph: %w", err)
	}
	var b []byte
	for _, part := range g.parts(string(about)) {
		b = part(b[:0])
		m, err := w.Write(b)
		if n += int64(m); err != nil {
			return n, fmt.Errorf("storing the update graph: %w", err)
		}
	}
	return n, nil
}

// parts append what is stored, one after the other.
func (g *Graph) parts(about string) []func([]byte) []byte {
	return []func(b []byte) []byte{
		func(b []byte) []byte { return g.appendHead(b, about) },
		func(b []byte) []byte { return g.appendGUIDs(b) },
		func(b []byte) []byte { return appendNodes(b, g.nodes) },
		func(b []byte) []byte { return appendLists(b, &g.revisions) },
		func(b []byte) []byte { return appendInts(appendInts(appendClauses(b, &g.needs), g.setOf), g.circular) },
		func(b []byte) []byte { return appendClauses(b, &g.children) },
		func(b []byte) []byte { return appendLists(b, &g.replacedBy) },
		func(b []byte) []byte { return appendLists(b, &g.supersedes) },
		func(b []byte) []byte { return g.appendPlaces(b) },
		func(b []byte) []byte { return appendInts(appendInts(appendInts(b, g.ruleNodes), g.order), g.component) },
	}
}

func (g *Graph) appendHead(b []byte, about string) []byte {
	b = binary.AppendUvarint(b, graphVersion)
	b = appendText(b, about)
	b = binary.AppendUvarint(b, uint64(len(g.names)))
	for _, s := range g.names {
		b = appendText(b, s)
	}
	return b
}

func (g *Graph) appendGUIDs(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(g.guids.keys)))
	for i := range g.guids.keys {
		b = append(b, g.guids.keys[i][:]...)
	}
	return appendInts(b, g.guids.sorted)
}

// appendPlaces appends categories and articles.
func (g *Graph) appendPlaces(b []byte) []byte {
	b = appendInts(b, g.categories.starts)
	b = appendColumn(b, g.categories.items, func(c *category) int32 { return c.kind })
	b = appendColumn(b, g.categories.items, func(c *category) int32 { return int32(c.guid) })
	b = appendColumn(b, g.articles, func(a *article) int32 { return int32(a.kb) })
	return appendColumn(b, g.articles, func(a *article) int32 { return int32(a.node) })
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
