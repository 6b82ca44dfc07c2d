package catalog

import (
	"slices"

	"waptwua"
)

// Named is what a GUID means in the archive.
type Named struct {
	GUID  string `json:"guid"` // lower case
	Title string `json:"title,omitempty"`
}

// Prerequisites are those of a revision: of each list, which are
// alternatives, one must be installed.
func (g *Graph) Prerequisites(id waptwua.UpdateID) [][]Named {
	i, ok := g.find(id)
	if !ok {
		return nil
	}
	var out [][]Named
	for k, end := g.needs.of(int(g.setOf[i])); k < end; k++ {
		out = append(out, g.named(g.needs.members.of(k)))
	}
	return out
}

// Replaces lists what a revision supersedes directly, by its own fragment, the
// newest first; what the archive does not hold comes last.
func (g *Graph) Replaces(id waptwua.UpdateID) []Named {
	i, ok := g.find(id)
	if !ok {
		return nil
	}
	older := slices.Clone(g.supersedes.of(int(i)))
	slices.SortStableFunc(older, func(a, b guid) int { return g.newestRevisionFirst(a, b) })
	return g.named(older)
}

func (g *Graph) newestRevisionFirst(a, b guid) int {
	x, y := g.revisions.of(int(a)), g.revisions.of(int(b))
	if len(x) == 0 || len(y) == 0 {
		return len(y) - len(x)
	}
	return g.newestFirst(x[0], y[0])
}

func (g *Graph) named(list []guid) []Named {
	out := make([]Named, len(list))
	for k, u := range list {
		out[k] = Named{g.guids.keys[u].String(), g.title(u)}
	}
	return out
}
