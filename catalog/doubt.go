package catalog

import "waptwua/applicability"

// Doubts counts the top-level updates that are Unknown by what would have to
// be better for an answer.
func (e *Evaluation) Doubts() map[applicability.Doubt]int {
	counts := map[applicability.Doubt]int{}
	for i := range e.graph.nodes {
		if e.graph.nodes[i].kind == topLevel && e.verdicts[i] == Unknown {
			counts[e.doubt(index(i))]++
		}
	}
	return counts
}

// doubt is why a verdict is Unknown. It follows whatever left the node open,
// the first of several, to where rules did, or the archive.
func (e *Evaluation) doubt(i index) applicability.Doubt {
	if newer, ok := e.newer[i]; ok {
		i = newer // applicable, but for this one
	}
	for {
		d, below := e.doubtHere(i)
		if d != applicability.NoDoubt {
			return d
		}
		i = below
	}
}

// doubtHere is the doubt about node i if it is its own, and the node that it
// comes from otherwise. That node comes before i in the graph's order.
func (e *Evaluation) doubtHere(i index) (applicability.Doubt, index) {
	switch e.states[i].why {
	case causePrerequisiteUnknown:
		return e.prerequisiteDoubt(i)
	case causeChildren, causeClause:
		return e.childDoubt(i)
	case causeNoRules:
		if e.graph.nodes[i].rules == noRules {
			return applicability.NotInArchive, dangling
		}
	}
	_, d := e.openRule(i)
	return d, dangling
}

func (e *Evaluation) prerequisiteDoubt(i index) (applicability.Doubt, index) {
	g := e.graph
	first, _ := g.needs.of(int(g.setOf[i]))
	for _, u := range g.needs.members.of(first + int(e.states[i].detail)) {
		for _, n := range g.revisions.of(int(u)) {
			switch {
			case g.component[n] == g.component[i]: // a cycle
				return applicability.NotUnderstood, dangling
			case e.states[n].installed == unknown:
				return applicability.NoDoubt, n
			}
		}
	}
	return applicability.NotInArchive, dangling
}

func (e *Evaluation) childDoubt(i index) (applicability.Doubt, index) {
	g := e.graph
	for k, end := g.children.of(int(i)); k < end; k++ {
		for _, c := range g.children.members.of(k) {
			switch {
			case e.childState(c, i).verdict() != Unknown || c == dangling:
			case g.component[c] == g.component[i]: // a cycle
				return applicability.NotUnderstood, dangling
			default:
				return applicability.NoDoubt, c
			}
		}
	}
	return applicability.NotInArchive, dangling
}
