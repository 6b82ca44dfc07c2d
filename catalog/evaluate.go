package catalog

import (
	"sync"

	"waptwua"
	"waptwua/applicability"
)

// Truth values, for brevity.
const (
	no      = applicability.False
	yes     = applicability.True
	unknown = applicability.Unknown
)

// EvaluateOptions choose what an evaluation reports.
type EvaluateOptions struct {
	IncludeSuperseded bool // keep superseded updates Applicable

	// Hidden are updates that supersede nothing unless they are installed:
	// those that a search leaves out because they are hidden.
	Hidden map[waptwua.UpdateID]bool
}

// Verdict is what an evaluation says about an update.
type Verdict uint8

// The verdicts.
const (
	Unknown Verdict = iota
	NotApplicable
	Applicable
	Installed
	Superseded
)

// String is "unknown", "not applicable", "applicable", "installed" or
// "superseded".
func (v Verdict) String() string {
	return [...]string{"unknown", "not applicable", "applicable", "installed", "superseded"}[v]
}

// MarshalText writes the form of String.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// state is what is known of a node on a machine.
type state struct {
	installed, applicable applicability.Truth
	why                   cause
	detail                int32 // clause or node the cause is about
}

func (s state) verdict() Verdict {
	switch {
	case s.installed == yes:
		return Installed
	case s.applicable == yes:
		return Applicable
	case s.installed == no && s.applicable == no:
		return NotApplicable
	}
	return Unknown
}

// Evaluation is what a machine has and lacks of a graph. It is immutable.
type Evaluation struct {
	graph    *Graph
	machine  *applicability.Machine
	states   []state
	verdicts []Verdict // of top-level nodes; of others as their state says
	newer    map[index]index
}

// evaluator is an evaluation under way.
type evaluator struct {
	*Evaluation
	scratch
	context *applicability.Context
}

// scratch is what only an evaluation under way needs. It is used again by
// others: fresh memory for each machine of a fleet took a third of the time.
type scratch struct {
	sets  []met  // by set of prerequisites, once they are known
	guids []held // by GUID, once they are known
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// newScratch has nothing known of g. It goes back to scratches.
func newScratch(g *Graph) *scratch {
	s := scratches.Get().(*scratch) //nolint:forcetypeassert // nothing else is put there
	s.sets, s.guids = zeroed(s.sets, len(g.needs.starts)-1), zeroed(s.guids, len(g.guids.keys))
	return s
}

// zeroed is n zeros, in the place of s where that is large enough.
func zeroed[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// met says how far a set of prerequisites holds, and which clause decided.
type met struct {
	truth  applicability.Truth
	known  bool
	clause int32
}

// held says whether any revision of a GUID is installed.
type held struct {
	truth applicability.Truth
	known bool
}

// Evaluate tells the state of every update on the machine. Of the rules it
// asks the graph's Source only for those that may matter: categories and
// detectoids first, and then those of updates whose prerequisites hold.
func (g *Graph) Evaluate(m *applicability.Machine, o EvaluateOptions) *Evaluation {
	e := &evaluator{
		Evaluation: &Evaluation{
			graph: g, machine: m, newer: map[index]index{},
			states: make([]state, len(g.nodes)), verdicts: make([]Verdict, len(g.nodes)),
		},
		context: &applicability.Context{Machine: m},
	}
	s := newScratch(g)
	e.scratch = *s
	defer scratches.Put(s)
	for _, i := range g.order {
		e.states[i] = e.state(i)
	}
	for i := range g.nodes {
		e.verdicts[i] = e.states[i].verdict()
	}
	for i := range g.nodes {
		if g.nodes[i].kind == topLevel && !o.IncludeSuperseded && e.lacks(index(i)) {
			e.supersede(index(i), o.Hidden)
		}
	}
	return e.Evaluation
}

func (e *evaluator) state(i index) state {
	needs := e.prerequisites(i)
	if needs.truth == no {
		return state{no, no, causePrerequisite, needs.clause}
	}
	var s state
	if e.graph.children.none(int(i)) {
		s = ruleState(e.graph.nodes[i].kind, e.graph.rules(i), e.context)
	} else {
		s = e.bundle(i)
	}
	s.installed, s.applicable = needs.truth.And(s.installed), needs.truth.And(s.applicable)
	if needs.truth == unknown && s.verdict() == Unknown {
		s.why, s.detail = causePrerequisiteUnknown, needs.clause
	}
	return s
}

// ruleState asks the rules, and of them no more than the answer needs.
// Categories and detectoids are only ever installed or not.
func ruleState(k kind, r *applicability.Rules, c *applicability.Context) state {
	if r == nil {
		return state{unknown, unknown, causeNoRules, 0}
	}
	s := state{installed: r.Installed(c), why: causeRules}
	switch {
	case s.installed == yes:
		s.why = causeInstalled
		return s
	case k == evaluate:
		s.why = causeNotInstalled
		return s
	}
	superseded, installable := r.Superseded(c), r.Installable(c)
	s.applicable = s.installed.Not().And(superseded.Not()).And(installable)
	switch {
	case s.applicable == yes:
		s.why = causeInstallable
	case superseded == yes:
		s.why = causeReplaced
	case installable == no:
		s.why = causeNotInstallable
	}
	return s
}

// prerequisites tells how far those of node i hold. Nodes that share a set
// share the answer, but for those within a cycle that runs through the set.
func (e *evaluator) prerequisites(i index) met {
	g, set := e.graph, e.graph.setOf[i]
	if g.circular[set] != 0 && g.component[len(g.nodes)+int(set)] == g.component[i] {
		return e.conjunction(int(set), func(u guid) applicability.Truth { return e.guid(u, i) })
	}
	if !e.sets[set].known {
		e.sets[set] = e.conjunction(int(set), func(u guid) applicability.Truth { return e.outside(u, i) })
	}
	return e.sets[set]
}

// outside is guid for a node i that is in no cycle with a revision of u: then
// the answer is the same for all.
func (e *evaluator) outside(u guid, i index) applicability.Truth {
	if !e.guids[u].known {
		e.guids[u] = held{e.guid(u, i), true}
	}
	return e.guids[u].truth
}

// conjunction is that of the clauses of a set, and the clause that decided.
func (e *evaluator) conjunction(set int, holds func(guid) applicability.Truth) met {
	out := met{truth: yes, known: true}
	first, end := e.graph.needs.of(set)
	for k := first; k < end; k++ {
		t := no
		for _, u := range e.graph.needs.members.of(k) {
			if t = t.Or(holds(u)); t == yes {
				break
			}
		}
		if t == no {
			return met{no, true, int32(k - first)}
		}
		if t == unknown && out.truth == yes {
			out.truth, out.clause = unknown, int32(k-first)
		}
	}
	return out
}

// guid tells whether any revision of u is installed, as far as node i may
// ask: within a cycle of dependencies nothing is known.
func (e *Evaluation) guid(u guid, i index) applicability.Truth {
	g := e.graph
	list := g.revisions.of(int(u))
	if len(list) == 0 {
		return unknown
	}
	t := no
	for _, n := range list {
		if g.component[n] == g.component[i] {
			t = t.Or(unknown)
		} else {
			t = t.Or(e.states[n].installed)
		}
	}
	return t
}

// bundle derives the state of a bundle from its children, as the package
// comment says.
func (e *Evaluation) bundle(i index) state {
	someInstalled, someApplicable, complete := no, no, yes
	s := state{why: causeChildren}
	first, end := e.graph.children.of(int(i))
	for k := first; k < end; k++ {
		installed, applicable := no, no
		for _, c := range e.graph.children.members.of(k) {
			cs := e.childState(c, i)
			installed, applicable = installed.Or(cs.installed), applicable.Or(cs.applicable)
		}
		someInstalled, someApplicable = someInstalled.Or(installed), someApplicable.Or(applicable)
		covered := installed.Or(applicable)
		if covered != yes && complete == yes {
			s.why, s.detail = causeClause, int32(k-first)
		}
		complete = complete.And(covered)
	}
	s.installed = someInstalled.And(someApplicable.Not())
	s.applicable = someApplicable.And(complete)
	return s
}

func (e *Evaluation) childState(c, bundle index) state {
	if c == dangling || e.graph.component[c] == e.graph.component[bundle] {
		return state{installed: unknown, applicable: unknown}
	}
	return e.states[c]
}

// lacks tells whether the machine does not have node i and, as far as is
// known, needs it.
func (e *Evaluation) lacks(i index) bool {
	return e.states[i].installed == no && e.states[i].applicable != no
}

// supersede lowers an update that the machine lacks when a newer one replaces
// it. That the newer one does decides even where it is unknown whether the
// older one would apply; that it may leaves an applicable one open.
func (e *Evaluation) supersede(i index, hidden map[waptwua.UpdateID]bool) {
	replaced, newer := e.replaced(i, hidden)
	switch {
	case replaced == yes:
		e.verdicts[i], e.newer[i] = Superseded, newer
	case replaced == unknown && e.verdicts[i] == Applicable:
		e.verdicts[i], e.newer[i] = Unknown, newer
	}
}

// replaced tells whether an update replaces i, and the one that decided.
func (e *Evaluation) replaced(i index, hidden map[waptwua.UpdateID]bool) (replaced applicability.Truth, by index) {
	g := e.graph
	for _, newer := range e.replacements(i) {
		t := e.states[newer].installed
		if !hidden[g.id(newer)] {
			t = t.Or(e.states[newer].applicable)
		}
		switch {
		case t == yes, newer == g.newest(i):
			return yes, newer
		case t == unknown && replaced == no:
			replaced, by = unknown, newer
		}
	}
	return replaced, by
}

// replacements are the updates that may supersede i: those that say so, and
// its own newest revision.
func (e *Evaluation) replacements(i index) []index {
	list := e.graph.replacedBy.of(int(i))
	if n := e.graph.newest(i); n != i {
		list = append(list[:len(list):len(list)], n)
	}
	return list
}

// newest is the newest top-level revision of the update of i.
func (g *Graph) newest(i index) index {
	for _, n := range g.revisions.of(int(g.nodes[i].guid)) {
		if g.nodes[n].kind == topLevel {
			return n
		}
	}
	return i
}

// Verdict is what the evaluation says about any revision; ok is false when
// the graph does not hold it.
func (e *Evaluation) Verdict(id waptwua.UpdateID) (v Verdict, ok bool) {
	i, ok := e.graph.find(id)
	if !ok {
		return Unknown, false
	}
	return e.verdicts[i], true
}

// Missing lists the top-level updates that the machine lacks: Applicable.
func (e *Evaluation) Missing() []waptwua.UpdateID { return e.with(topLevel, Applicable) }

// Installed lists the top-level updates that the machine has.
func (e *Evaluation) Installed() []waptwua.UpdateID { return e.with(topLevel, Installed) }

// Categories lists the categories and detectoids that hold on the machine.
func (e *Evaluation) Categories() []waptwua.UpdateID { return e.with(evaluate, Installed) }

func (e *Evaluation) with(k kind, v Verdict) []waptwua.UpdateID {
	var ids []waptwua.UpdateID
	for i := range e.verdicts {
		if e.verdicts[i] == v && e.graph.nodes[i].kind == k {
			ids = append(ids, e.graph.id(index(i)))
		}
	}
	return ids
}

// Counts counts the top-level updates by verdict.
func (e *Evaluation) Counts() map[Verdict]int {
	counts := map[Verdict]int{}
	for i := range e.verdicts {
		if e.graph.nodes[i].kind == topLevel {
			counts[e.verdicts[i]]++
		}
	}
	return counts
}
