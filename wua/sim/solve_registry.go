package sim

import (
	"strings"

	"waptwua/applicability"
)

// loopTarget is the name under which the body of a loop means the sub-key at
// hand.
const loopTarget = "HKEY_LOOP_TARGET"

// keysOf lists the registry keys that an operator names.
func keysOf(e applicability.Expr) []applicability.RegKey {
	switch e := e.(type) {
	case *applicability.RegKeyExists:
		return []applicability.RegKey{e.RegKey}
	case *applicability.RegValueExists:
		return []applicability.RegKey{e.RegKey}
	case *applicability.RegDword:
		return []applicability.RegKey{e.RegKey}
	case *applicability.RegSz:
		return []applicability.RegKey{e.RegKey}
	case *applicability.RegSzToVersion:
		return []applicability.RegKey{e.RegKey}
	case *applicability.RegKeyLoop:
		return []applicability.RegKey{e.RegKey}
	}
	if p := pathOf(e); p != nil && p.Base != nil {
		return []applicability.RegKey{p.Base.RegKey}
	}
	return nil
}

// registry gives the edits for an operator about the registry; ok is false
// when e is none, and edits are nil when it cannot be done.
func (s *solver) registry(e applicability.Expr, want bool, loop string) (edits []edit, ok bool) {
	switch e := e.(type) {
	case *applicability.RegKeyExists:
		return []edit{{Key: s.key(&e.RegKey, loop), Gone: !want}}, true
	case *applicability.RegValueExists:
		return s.value(&e.RegValue, valueOf(e.Type), want, loop), true
	case *applicability.RegDword:
		n, possible := number(e.Comparison, e.Data)
		return s.possibly(possible, &e.RegValue, applicability.DWORD(n), want, loop), true
	case *applicability.RegSz:
		v := applicability.SZ(e.Data)
		if e.Expand {
			v.Type = applicability.RegExpandSZ
		}
		return s.value(&e.RegValue, v, want, loop), true
	case *applicability.RegSzToVersion:
		v, possible := version(e.Comparison, e.Data)
		return s.possibly(possible, &e.RegValue, applicability.SZ(v.String()), want, loop), true
	}
	return nil, false
}

func (s *solver) possibly(possible bool, v *applicability.RegValue, data *applicability.Value, want bool, loop string) []edit {
	if want && !possible {
		return nil
	}
	return s.value(v, data, want, loop)
}

// value sets a value, or takes it away.
func (s *solver) value(v *applicability.RegValue, data *applicability.Value, want bool, loop string) []edit {
	e := edit{Key: s.key(&v.RegKey, loop), Value: &v.Value, Data: data}
	if !want {
		e.Data, e.Gone = nil, true
	}
	if e.Key == "" {
		return nil
	}
	return []edit{e}
}

// valueOf is some value of a type.
func valueOf(kind string) *applicability.Value {
	switch strings.ToUpper(kind) {
	case applicability.RegDWORD, applicability.RegQWORD:
		return &applicability.Value{Type: strings.ToUpper(kind), Number: 1}
	case applicability.RegExpandSZ, applicability.RegMultiSZ:
		return &applicability.Value{Type: strings.ToUpper(kind), Text: "1"}
	case applicability.RegBinary:
		return &applicability.Value{Type: applicability.RegBinary, Text: "01"}
	}
	return applicability.SZ("1")
}

// key is the path of a rule's key on this machine; "" when a loop target
// stands outside a loop.
func (s *solver) key(k *applicability.RegKey, loop string) string {
	path := cleanKey(k.Key + `\` + k.Subkey)
	if strings.EqualFold(k.Key, loopTarget) {
		if loop == "" {
			return ""
		}
		path = cleanKey(loop + `\` + k.Subkey)
	}
	if k.RegType32 && s.has32BitView() {
		if rest, ok := strings.CutPrefix(path, `hklm\software\`); ok && !strings.HasPrefix(rest, "wow6432node") {
			path = `hklm\software\wow6432node\` + rest
		}
	}
	return path
}

func (s *solver) has32BitView() bool {
	p := s.base.Processor
	return p != nil && p.Architecture != applicability.ArchX86 && p.Architecture != applicability.ArchARM
}

// loop makes the body hold for one sub-key: one that is there, or a new one.
// Other demands on a loop are beyond it.
func (s *solver) loop(e *applicability.RegKeyLoop, want bool, outer string, then func() bool) bool {
	if !want || e.TrueIf != applicability.LoopAny || outer != "" {
		return false
	}
	parent := s.key(&e.RegKey, outer)
	for _, sub := range append(s.subkeys(parent), parent+`\{simulated}`) {
		body := func() bool { return s.make(e.Body, true, sub, then) }
		if s.with([]edit{{Key: sub}}, body) {
			return true
		}
	}
	return false
}

// subkeys lists the keys directly below parent, at most a few.
func (s *solver) subkeys(parent string) []string {
	const few = 20
	seen := map[string]bool{}
	var list []string
	for name, key := range s.facts.Registry {
		rest, ok := strings.CutPrefix(cleanKey(name), parent+`\`)
		if !ok || key == nil {
			continue
		}
		sub, _, _ := strings.Cut(rest, `\`)
		if !seen[sub] {
			seen[sub] = true
			list = append(list, parent+`\`+sub)
		}
	}
	return firstSorted(list, few)
}
