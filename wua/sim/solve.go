package sim

import (
	"errors"
	"slices"
	"strings"

	"waptwua/applicability"
)

// maxTries bounds how many alternatives one installation tries.
const maxTries = 200

// solver looks for edits of a machine that make a rule hold. It follows the
// expression: each operand of a conjunction, one operand of a disjunction
// after the other, and for each operator the smallest change of the fact it
// asks about. What it chose for one operand it takes back when the rest
// cannot be made to hold beside it. Operators about what installing an
// update does not change, such as the processor, can only be found to hold.
type solver struct {
	base  *applicability.Facts
	meta  *applicability.Metadata
	edits []edit // so far
	tries int

	facts   *applicability.Facts // base with the edits
	machine *applicability.Machine
}

// hold returns edits of facts after which rules' IsInstalled is true. It
// fails when it finds none.
func hold(facts *applicability.Facts, rules *applicability.Rules) ([]edit, error) {
	if rules == nil || rules.IsInstalled == nil {
		return nil, errors.New("the update has no rule that tells when it is installed")
	}
	s := &solver{base: facts, meta: rules.Metadata}
	if err := s.refresh(); err != nil {
		return nil, err
	}
	holds := func() bool { return s.is(rules.IsInstalled) == applicability.True }
	if !s.make(rules.IsInstalled, true, "", holds) {
		return nil, errors.New("no change of the simulated machine makes its rule IsInstalled hold")
	}
	return s.edits, nil
}

// refresh builds the machine as the edits leave it.
func (s *solver) refresh() error {
	s.facts = apply(s.base, s.edits)
	m, err := applicability.NewMachine(s.facts)
	if err != nil {
		return err
	}
	s.machine = m
	return nil
}

// is evaluates a whole expression outside loops.
func (s *solver) is(e applicability.Expr) applicability.Truth {
	r := applicability.Rules{IsInstalled: e, Metadata: s.meta}
	return r.Installed(&applicability.Context{Machine: s.machine})
}

// make looks for edits that give e the value want and for which then, the
// rest of the work, is true, and keeps them. loop is the key that
// HKEY_LOOP_TARGET means; "" outside a loop.
func (s *solver) make(e applicability.Expr, want bool, loop string, then func() bool) bool {
	if (loop == "" || !mentionsLoop(e)) && s.is(e) == truth(want) {
		return then()
	}
	switch e := e.(type) {
	case *applicability.And:
		return s.combine(e.Operands, want, want, loop, then)
	case *applicability.Or:
		return s.combine(e.Operands, want, !want, loop, then)
	case *applicability.Not:
		return s.make(e.Operand, !want, loop, then)
	case *applicability.RegKeyLoop:
		return s.loop(e, want, loop, then)
	}
	edits, ok := s.leaf(e, want, loop)
	return ok && s.with(edits, then)
}

// combine gives all operands the value want (all), or one of them.
func (s *solver) combine(operands []applicability.Expr, want, all bool, loop string, then func() bool) bool {
	if all {
		if len(operands) == 0 {
			return then()
		}
		return s.make(operands[0], want, loop, func() bool { return s.combine(operands[1:], want, all, loop, then) })
	}
	for _, o := range operands {
		if s.make(o, want, loop, then) {
			return true
		}
	}
	return false
}

// with does the rest of the work with edits, and takes them back when it
// fails or too much was tried.
func (s *solver) with(edits []edit, then func() bool) bool {
	if s.tries++; s.tries > maxTries {
		return false
	}
	saved := s.edits
	s.edits = slices.Concat(saved, edits)
	if s.refresh() == nil && then() {
		return true
	}
	s.edits = saved
	_ = s.refresh() // it could be built before
	return false
}

// mentionsLoop tells whether e asks about the sub-key of a loop around it.
func mentionsLoop(e applicability.Expr) bool {
	found := false
	applicability.Walk(e, func(e applicability.Expr) {
		for _, k := range keysOf(e) {
			found = found || strings.EqualFold(k.Key, loopTarget)
		}
	})
	return found
}

// leaf gives the edits for an operator without operands.
func (s *solver) leaf(e applicability.Expr, want bool, loop string) ([]edit, bool) {
	if edits, ok := s.registry(e, want, loop); ok {
		return edits, edits != nil
	}
	if edits, ok := s.file(e, want, loop); ok {
		return edits, edits != nil
	}
	if edits, ok := s.installer(e, want); ok {
		return edits, edits != nil
	}
	return s.servicing(e, want)
}

func truth(b bool) applicability.Truth {
	if b {
		return applicability.True
	}
	return applicability.False
}

// number is a value near data that compares to it as c asks; false when
// there is none of at least zero.
func number[N int | int64 | uint32 | uint64](c applicability.Comparison, data N) (N, bool) {
	switch c {
	case applicability.LessThan:
		return data - 1, data > 0
	case applicability.GreaterThan:
		return data + 1, data+1 > data
	}
	return data, true
}

// version is a version near v that compares to it as c asks.
func version(c applicability.Comparison, v applicability.Version) (applicability.Version, bool) {
	switch c {
	case applicability.GreaterThan:
		v[3]++
		return v, v[3] != 0
	case applicability.LessThan:
		for i := len(v) - 1; i >= 0; i-- {
			if v[i] > 0 {
				v[i]--
				return v, true
			}
		}
		return v, false
	}
	return v, true
}
