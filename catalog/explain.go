package catalog

import (
	"slices"

	"waptwua"
	"waptwua/applicability"
)

// Explanation is the whole reasoning about one revision on one machine.
type Explanation struct {
	ID      waptwua.UpdateID `json:"id"`
	Title   string           `json:"title,omitempty"`
	Verdict Verdict          `json:"verdict"`
	Reason  string           `json:"reason"`

	Prerequisites []Clause              `json:"prerequisites,omitempty"` // all of them must hold
	Rules         []*applicability.Step `json:"rules,omitempty"`         // the sections that were asked
	Children      []Clause              `json:"children,omitempty"`      // of a bundle
	ReplacedBy    []Replacement         `json:"replaced_by,omitempty"`   // newer updates in the archive

	// Repeated says that the same revision is explained earlier in the tree.
	Repeated bool `json:"repeated,omitempty"`
}

// Clause is a set of alternatives.
type Clause struct {
	Result  applicability.Truth `json:"result"` // of prerequisites: one is installed; of children: one is installed or applicable
	Members []Member            `json:"members"`
}

// Member is one alternative of a clause.
type Member struct {
	GUID      string              `json:"guid"`
	Title     string              `json:"title,omitempty"`
	Result    applicability.Truth `json:"result"`
	Revisions []*Explanation      `json:"revisions,omitempty"` // empty: the archive holds none
}

// Replacement is an update that supersedes another.
type Replacement struct {
	ID      waptwua.UpdateID `json:"id"`
	Title   string           `json:"title,omitempty"`
	Verdict Verdict          `json:"verdict"`
}

// Explain evaluates the graph on the machine and explains one revision, nil
// when the graph does not hold it.
func (g *Graph) Explain(id waptwua.UpdateID, m *applicability.Machine) *Explanation {
	return g.Evaluate(m, EvaluateOptions{}).Explain(id)
}

// Explain explains one revision, nil when the graph does not hold it.
// Everything it depends on is explained with it, each revision once.
func (e *Evaluation) Explain(id waptwua.UpdateID) *Explanation {
	i, ok := e.graph.find(id)
	if !ok {
		return nil
	}
	x := explainer{e, map[index]bool{}}
	return x.explain(i, 0)
}

// maxExplained bounds how deep an explanation follows prerequisites.
const maxExplained = 50

type explainer struct {
	*Evaluation
	seen map[index]bool
}

func (x *explainer) explain(i index, depth int) *Explanation {
	g, r := x.graph, x.result(i)
	out := &Explanation{ID: r.ID, Title: g.record(i).text().Title, Verdict: r.Verdict, Reason: r.Reason}
	if x.seen[i] || depth > maxExplained {
		out.Repeated = true
		return out
	}
	x.seen[i] = true
	for k, end := g.needs.of(int(g.setOf[i])); k < end; k++ {
		out.Prerequisites = append(out.Prerequisites, x.prerequisite(g.needs.members.of(k), i, depth))
	}
	if x.states[i].why == causePrerequisite {
		return out // nothing else counted
	}
	if rules := g.rules(i); rules != nil {
		out.Rules = x.traceRules(rules).Steps
	}
	for k, end := g.children.of(int(i)); k < end; k++ {
		out.Children = append(out.Children, x.child(g.children.members.of(k), i, depth))
	}
	for _, newer := range x.replacements(i) {
		out.ReplacedBy = append(out.ReplacedBy, Replacement{g.id(newer), g.record(newer).text().Title, x.states[newer].verdict()})
	}
	return out
}

func (x *explainer) prerequisite(members []guid, i index, depth int) Clause {
	c := Clause{Result: no}
	for _, u := range members {
		m := Member{GUID: x.graph.guids.keys[u].String(), Title: x.graph.title(u), Result: x.guid(u, i)}
		for _, n := range x.graph.revisions.of(int(u)) {
			m.Revisions = append(m.Revisions, x.explain(n, depth+1))
		}
		c.Result = c.Result.Or(m.Result)
		c.Members = append(c.Members, m)
	}
	return c
}

func (x *explainer) child(members []index, bundle index, depth int) Clause {
	c := Clause{Result: no}
	for _, i := range members {
		s := x.childState(i, bundle)
		m := Member{Result: s.installed.Or(s.applicable)}
		if i != dangling {
			m.GUID, m.Title = x.graph.id(i).GUID, x.graph.record(i).text().Title
			m.Revisions = []*Explanation{x.explain(i, depth+1)}
		}
		c.Result = c.Result.Or(m.Result)
		c.Members = append(c.Members, m)
	}
	slices.SortStableFunc(c.Members, func(a, b Member) int { return rank(a.Result) - rank(b.Result) })
	return c
}

// rank puts what decided first: true, then unknown, then false.
func rank(t applicability.Truth) int {
	return [...]int{no: 2, yes: 0, unknown: 1}[t]
}
