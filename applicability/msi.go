package applicability

import (
	"fmt"
	"strings"
)

// MsiProductInstalled is true when the product is installed in a version
// between VersionMin and VersionMax (nil: no bound; included unless
// excluded) and, where Language is given, in that language.
type MsiProductInstalled struct {
	ProductCode            string
	VersionMin, VersionMax *Version
	ExcludeVersionMin      bool
	ExcludeVersionMax      bool
	Language               *int

	code string
}

// Eval implements Expr.
func (e *MsiProductInstalled) Eval(c *Context) Truth {
	p, t := c.Machine.product(e.code)
	if t != True {
		return t
	}
	return truthOf((e.Language == nil || *e.Language == p.language) && e.inRange(p.version))
}

func (e *MsiProductInstalled) inRange(v Version) bool {
	return (e.VersionMin == nil || lowest(e.ExcludeVersionMin).Holds(v.Compare(*e.VersionMin))) &&
		(e.VersionMax == nil || highest(e.ExcludeVersionMax).Holds(v.Compare(*e.VersionMax)))
}

func lowest(excluded bool) Comparison {
	if excluded {
		return GreaterThan
	}
	return GreaterThanOrEqualTo
}

func highest(excluded bool) Comparison {
	if excluded {
		return LessThan
	}
	return LessThanOrEqualTo
}

func (e *MsiProductInstalled) said(c *Context) string {
	return describeProduct(c.Machine.product(e.code))
}

func (m *Machine) product(code string) (*productFacts, Truth) {
	return found(m, SectionProducts, m.products, code)
}

func describeProduct(p *productFacts, t Truth) string {
	if t != True {
		return absence(t)
	}
	return fmt.Sprintf("version %s, language %d", p.version, p.language)
}

// MsiPart is what a part of a product is called in MsiPartInstalled.
type MsiPart uint8

// The parts of a product.
const (
	MsiFeature MsiPart = iota
	MsiComponent
	MsiPatch
)

// MsiPartInstalled is MsiFeatureInstalledForProduct,
// MsiComponentInstalledForProduct or MsiPatchInstalledForProduct: true when
// a part (all of them with AllPartsRequired) is installed in one of the
// products (in all of them with AllProductsRequired).
type MsiPartInstalled struct {
	Part                MsiPart
	Parts               []string // features, component GUIDs or patch codes
	Products            []string // product codes
	AllPartsRequired    bool
	AllProductsRequired bool

	parts, products []string // folded
}

// Eval implements Expr.
func (e *MsiPartInstalled) Eval(c *Context) Truth {
	return quantify(e.AllProductsRequired, e.products, func(code string) Truth {
		p, t := c.Machine.product(code)
		if t != True {
			return t
		}
		return quantify(e.AllPartsRequired, e.parts, func(part string) Truth { return e.has(p, part) })
	})
}

// quantify is the conjunction (all) or the disjunction of of over list.
func quantify(all bool, list []string, of func(string) Truth) Truth {
	t := truthOf(all && len(list) > 0)
	for _, s := range list {
		if all {
			t = t.And(of(s))
		} else {
			t = t.Or(of(s))
		}
	}
	return t
}

func (e *MsiPartInstalled) has(p *productFacts, part string) Truth {
	switch e.Part {
	case MsiFeature:
		return truthOf(p.features[part])
	case MsiComponent:
		return truthOf(p.components[part])
	}
	return truthOf(p.patches[part] == PatchApplied)
}

func (e *MsiPartInstalled) said(c *Context) string {
	said := make([]string, len(e.products))
	for i, code := range e.products {
		said[i] = e.Products[i] + " " + describeProduct(c.Machine.product(code))
	}
	return strings.Join(said, "; ")
}

// MsiPatchState is MsiPatchInstalled, MsiPatchInstallable or
// MsiPatchSuperseded, which ask about the patch in the rules' metadata.
type MsiPatchState struct{ Ask PatchQuestion }

// PatchQuestion is what MsiPatchState asks.
type PatchQuestion uint8

// The questions about a patch.
const (
	PatchIsInstalled PatchQuestion = iota
	PatchIsInstallable
	PatchIsSuperseded
)

// Eval implements Expr. Installed: applied to a product. Installable: not
// applied anywhere, and a target product is installed in the target's
// version and language. Superseded: so marked on a product; a patch that is
// nowhere recorded may still be superseded by the sequence of others, which
// only the Windows Installer computes, so that is unknown when a target
// product is installed.
func (e *MsiPatchState) Eval(c *Context) Truth {
	if c.meta == nil || c.meta.Patch == nil {
		return Unknown
	}
	patch := c.meta.Patch
	installed, superseded := c.Machine.patch(patch)
	switch e.Ask {
	case PatchIsInstalled:
		return installed
	case PatchIsSuperseded:
		if superseded == False {
			return c.Machine.targeted(patch).And(Unknown)
		}
		return superseded
	}
	return installed.Not().And(superseded.Not()).And(c.Machine.targeted(patch))
}

func (e *MsiPatchState) said(c *Context) string {
	if c.meta == nil || c.meta.Patch == nil {
		return "the rules carry no patch metadata"
	}
	installed, _ := c.Machine.patch(c.meta.Patch)
	return fmt.Sprintf("patch %s installed: %s; a target product installed: %s",
		c.meta.Patch.Code, installed, c.Machine.targeted(c.meta.Patch))
}

// patch tells whether a patch is applied to, and superseded on, any product
// recorded.
func (m *Machine) patch(p *PatchMetadata) (installed, superseded Truth) {
	for _, product := range m.products {
		if product == nil {
			continue
		}
		switch product.patches[p.code] {
		case PatchApplied:
			installed = True
		case PatchSuperseded, PatchObsoleted:
			superseded = True
		}
	}
	if m.everywhere(p.code) || installed == True {
		return installed, superseded
	}
	return installed.Or(Unknown), superseded.Or(Unknown)
}

// everywhere tells whether each product that has the patch is recorded.
func (m *Machine) everywhere(patch string) bool {
	return m.complete[SectionProducts] || m.patches[patch]
}

// targeted tells whether one of the patch's target products is installed.
func (m *Machine) targeted(p *PatchMetadata) Truth {
	t := False
	for i := range p.Targets {
		target := &p.Targets[i]
		product, is := m.product(target.code)
		if is == True {
			is = truthOf(target.matches(product))
		}
		t = t.Or(is)
	}
	return t
}

func (t *PatchTarget) matches(p *productFacts) bool {
	if t.Version != nil && !t.Comparison.Holds(t.Filter.cut(p.version).Compare(t.Filter.cut(*t.Version))) {
		return false
	}
	return t.Language == nil || *t.Language == p.language
}

// MsiApplicationState is MsiApplicationInstalled, MsiApplicationInstallable
// or MsiApplicationSuperseded, about the product in the rules' metadata.
type MsiApplicationState struct{ Ask PatchQuestion }

// Eval implements Expr. Superseded depends on upgrade codes that recordings
// do not hold and is unknown.
func (e *MsiApplicationState) Eval(c *Context) Truth {
	if c.meta == nil || c.meta.Application == "" || e.Ask == PatchIsSuperseded {
		return Unknown
	}
	_, t := c.Machine.product(fold(c.meta.Application))
	if e.Ask == PatchIsInstallable {
		return t.Not()
	}
	return t
}

func (e *MsiApplicationState) said(c *Context) string {
	if c.meta == nil || c.meta.Application == "" {
		return "the rules carry no application metadata"
	}
	return c.meta.Application + " " + describeProduct(c.Machine.product(fold(c.meta.Application)))
}
