package sim

import (
	"maps"
	"slices"
	"strings"

	"waptwua/applicability"
)

// installer gives the edits for an operator about the Windows Installer; see
// registry. It does not take products away.
func (s *solver) installer(e applicability.Expr, want bool) (edits []edit, ok bool) {
	switch e := e.(type) {
	case *applicability.MsiProductInstalled:
		if !want {
			return nil, true
		}
		return s.product(e), true
	case *applicability.MsiPartInstalled:
		return s.parts(e, want), true
	case *applicability.MsiPatchState:
		if e.Ask != applicability.PatchIsInstalled || s.meta == nil || s.meta.Patch == nil {
			return nil, true
		}
		return s.patch(want), true
	case *applicability.MsiApplicationState:
		if e.Ask != applicability.PatchIsInstalled || !want || s.meta == nil || s.meta.Application == "" {
			return nil, true
		}
		return []edit{{Product: s.meta.Application, Install: &applicability.Product{Version: "1.0"}}}, true
	}
	return nil, false
}

// product installs a product in a version that the rule accepts.
func (s *solver) product(e *applicability.MsiProductInstalled) []edit {
	var v applicability.Version
	possible := true
	switch {
	case e.VersionMin != nil && e.ExcludeVersionMin:
		v, possible = version(applicability.GreaterThan, *e.VersionMin)
	case e.VersionMin != nil:
		v = *e.VersionMin
	case e.VersionMax != nil && e.ExcludeVersionMax:
		v, possible = version(applicability.LessThan, *e.VersionMax)
	case e.VersionMax != nil:
		v = *e.VersionMax
	}
	if !possible {
		return nil
	}
	_, p := s.installedProduct(e.ProductCode)
	p.Version = v.String()
	if e.Language != nil {
		p.Language = *e.Language
	}
	return []edit{{Product: e.ProductCode, Install: p}}
}

// installedProduct is a copy of a product as it is, and whether it is there.
func (s *solver) installedProduct(code string) (bool, *applicability.Product) {
	have := entry(s.facts.Products, code, strings.ToLower)
	if have == nil {
		return false, new(applicability.Product)
	}
	p := *have
	p.Features, p.Components, p.Patches = slices.Clone(p.Features), slices.Clone(p.Components), maps.Clone(p.Patches)
	return true, &p
}

// parts adds a feature, component or patch to the products that are there,
// or takes it away.
func (s *solver) parts(e *applicability.MsiPartInstalled, want bool) []edit {
	var edits []edit
	for _, code := range e.Products {
		there, p := s.installedProduct(code)
		if !there {
			continue
		}
		for _, part := range e.Parts {
			setPart(p, e.Part, part, want)
		}
		edits = append(edits, edit{Product: code, Install: p})
	}
	return edits
}

func setPart(p *applicability.Product, kind applicability.MsiPart, name string, want bool) {
	is := func(s string) bool { return strings.EqualFold(s, name) }
	switch kind {
	case applicability.MsiFeature:
		p.Features = slices.DeleteFunc(p.Features, is)
		if want {
			p.Features = append(p.Features, name)
		}
	case applicability.MsiComponent:
		p.Components = slices.DeleteFunc(p.Components, is)
		if want {
			p.Components = append(p.Components, name)
		}
	case applicability.MsiPatch:
		setPatch(p, name, want)
	}
}

func setPatch(p *applicability.Product, code string, want bool) {
	maps.DeleteFunc(p.Patches, func(s string, _ int) bool { return strings.EqualFold(s, code) })
	if !want {
		return
	}
	if p.Patches == nil {
		p.Patches = map[string]int{}
	}
	p.Patches[code] = applicability.PatchApplied
}

// patch applies the patch of the rules' metadata to every target product
// that is installed.
func (s *solver) patch(want bool) []edit {
	var edits []edit
	done := map[string]bool{}
	for i := range s.meta.Patch.Targets {
		code := s.meta.Patch.Targets[i].ProductCode
		there, p := s.installedProduct(code)
		if !there || done[strings.ToLower(code)] {
			continue
		}
		done[strings.ToLower(code)] = true
		setPatch(p, s.meta.Patch.Code, want)
		edits = append(edits, edit{Product: code, Install: p})
	}
	return edits
}
