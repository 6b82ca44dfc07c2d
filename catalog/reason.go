package catalog

import (
	"fmt"
	"strings"

	"waptwua"
	"waptwua/applicability"
)

// cause is what decided a node's state.
type cause uint8

const (
	causeNoRules cause = iota
	causePrerequisite
	causePrerequisiteUnknown
	causeInstalled
	causeNotInstalled
	causeInstallable
	causeNotInstallable
	causeReplaced
	causeRules
	causeChildren
	causeClause
)

// Result is the verdict about one update with its reason.
type Result struct {
	ID      waptwua.UpdateID `json:"id"`
	Verdict Verdict          `json:"verdict"`
	Reason  string           `json:"reason"` // one English sentence without a full stop

	// Doubt is why the verdict is Unknown.
	Doubt applicability.Doubt `json:"doubt,omitzero"`

	// ReplacedBy is the newer update that a superseded one gives way to; for
	// an Unknown update, the one that may replace it.
	ReplacedBy waptwua.UpdateID `json:"replaced_by,omitzero"`
}

// Result is the verdict about any revision; ok is false when the graph does
// not hold it.
func (e *Evaluation) Result(id waptwua.UpdateID) (r Result, ok bool) {
	i, ok := e.graph.find(id)
	if !ok {
		return Result{}, false
	}
	return e.result(i), true
}

// Results are the results of all top-level updates, in the archive's order.
func (e *Evaluation) Results() []Result {
	var out []Result
	for i := range e.graph.nodes {
		if e.graph.nodes[i].kind == topLevel {
			out = append(out, e.result(index(i)))
		}
	}
	return out
}

func (e *Evaluation) result(i index) Result {
	r := Result{ID: e.graph.id(i), Verdict: e.verdicts[i]}
	newer, replaced := e.newer[i]
	if r.Verdict == Unknown {
		r.Doubt = e.doubt(i)
	}
	switch {
	case !replaced || r.Verdict == Applicable:
		r.Reason = e.reason(i)
	case r.Verdict == Superseded:
		r.ReplacedBy = e.graph.id(newer)
		r.Reason = "replaced by " + e.graph.label(newer)
	default:
		r.ReplacedBy = e.graph.id(newer)
		r.Reason = fmt.Sprintf("applicable, but %s may replace it, and whether that applies is unknown", e.graph.label(newer))
	}
	return r
}

// reason puts a node's cause into words.
func (e *Evaluation) reason(i index) string { return e.reasonWithin(i, maxNested) }

// maxNested bounds through how many bundles a reason follows.
const maxNested = 5

func (e *Evaluation) reasonWithin(i index, nested int) string {
	s := e.states[i]
	switch s.why {
	case causePrerequisite:
		return "needs " + e.graph.clauseLabel(i, s.detail)
	case causePrerequisiteUnknown:
		return "needs " + e.graph.clauseLabel(i, s.detail) + ", and whether that holds is unknown"
	case causeInstalled:
		return "its rule IsInstalled holds"
	case causeNotInstalled:
		return e.decided(i, "its rule IsInstalled does not hold", s.installed)
	case causeInstallable:
		return "its rule IsInstallable holds and it is not installed"
	case causeNotInstallable:
		return e.decided(i, "its rule IsInstallable does not hold", s.installed)
	case causeReplaced:
		return "its rule IsSuperseded holds"
	case causeRules:
		return e.decided(i, "", unknown)
	case causeChildren, causeClause:
		return e.bundleReason(i, nested)
	}
	if e.graph.nodes[i].rules != noRules {
		return "its rules cannot be read"
	}
	return "the archive has neither rules nor children for it"
}

// decided is the sentence unless the rules left something open.
func (e *Evaluation) decided(i index, sentence string, t applicability.Truth) string {
	if t == unknown {
		sentence, _ = e.openRule(i)
	}
	return sentence
}

// openRule names the first operator that left the rules of a node open.
func (e *Evaluation) openRule(i index) (sentence string, why applicability.Doubt) {
	rules := e.graph.rules(i)
	if rules == nil {
		return "its rules cannot be read", applicability.NotUnderstood
	}
	for _, section := range e.traceRules(rules).Steps {
		if leaf := firstUnknown(section); leaf != nil {
			return fmt.Sprintf("%s cannot be decided: %s: %s", section.Operator, leaf.Operator, leaf.Said), leaf.Doubt
		}
	}
	if rules.IsInstalled == nil {
		return "its rules have no section IsInstalled", applicability.NotInArchive
	}
	return "its rules have no section IsInstallable", applicability.NotInArchive
}

func firstUnknown(s *applicability.Step) *applicability.Step {
	if s.Result != unknown {
		return nil
	}
	for _, below := range s.Steps {
		if leaf := firstUnknown(below); leaf != nil {
			return leaf
		}
	}
	return s
}

// traceRules evaluates rules once more, recording.
func (e *Evaluation) traceRules(r *applicability.Rules) *applicability.Trace {
	trace := new(applicability.Trace)
	c := (&applicability.Context{Machine: e.machine}).WithTrace(trace)
	if r.Installed(c) != yes && r.IsInstallable != nil {
		r.Installable(c)
		r.Superseded(c)
	}
	return trace
}

// bundleReason speaks for the child that decided a bundle.
func (e *Evaluation) bundleReason(i index, nested int) string {
	g, s := e.graph, e.states[i]
	first, end := g.children.of(int(i))
	v := s.verdict()
	switch {
	case v == Installed:
		return "every child that applies is installed"
	case v == NotApplicable && s.why == causeClause:
		first += int(s.detail)
		end = first + 1
	}
	for k := first; k < end; k++ {
		for _, c := range g.children.members.of(k) {
			if text := e.childReason(c, i, v, nested); text != "" {
				return text
			}
		}
	}
	return "its children leave it open"
}

// childReason is the reason of child c when it has the verdict; "" otherwise.
func (e *Evaluation) childReason(c, bundle index, v Verdict, nested int) string {
	switch {
	case e.childState(c, bundle).verdict() != v:
		return ""
	case c == dangling:
		return "the archive does not hold a child that it names"
	case e.graph.component[c] == e.graph.component[bundle]:
		return "it contains itself"
	}
	text := fmt.Sprintf("child %s %s", e.graph.id(c), v)
	if nested == 0 {
		return text
	}
	return text + ": " + e.reasonWithin(c, nested-1)
}

// label names a node for people.
func (g *Graph) label(i index) string {
	if title := g.record(i).text().Title; title != "" {
		return title
	}
	return g.id(i).String()
}

// clauseLabel names the members of a prerequisite clause of node i for people.
func (g *Graph) clauseLabel(i index, clause int32) string {
	const shown = 3
	first, _ := g.needs.of(int(g.setOf[i]))
	members := g.needs.members.of(first + int(clause))
	var names []string
	for _, u := range members[:min(shown, len(members))] {
		names = append(names, g.guidLabel(u))
	}
	s := strings.Join(names, " or ")
	if more := len(members) - shown; more > 0 {
		s += fmt.Sprintf(" or one of %d others", more)
	}
	return s
}

func (g *Graph) guidLabel(u guid) string {
	if title := g.title(u); title != "" {
		return fmt.Sprintf("%q", title)
	}
	if len(g.revisions.of(int(u))) == 0 {
		return g.guids.keys[u].String() + " (not in the archive)"
	}
	return g.guids.keys[u].String()
}

// title is the title of the newest revision that has one.
func (g *Graph) title(u guid) string {
	for _, n := range g.revisions.of(int(u)) {
		if t := g.record(n).text().Title; t != "" {
			return t
		}
	}
	return ""
}
