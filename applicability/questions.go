package applicability

import (
	"maps"
	"slices"
)

// Questions collects what rules ask about machines, so that an inventory can
// record just that. The zero value is empty and ready to use.
type Questions struct {
	keys, values, loops, files, queries map[string]bool
	metrics                             map[int]bool
	licenses, products, packages        map[string]bool
	features, components, patches       map[string]bool
	releases, attributes                map[string]bool
}

// Asked is the sorted form of Questions, in the rules' own spelling.
type Asked struct {
	Keys       []string `json:"keys,omitempty"`   // registry keys whose existence is asked; "|32" after a key: the 32-bit view
	Values     []string `json:"values,omitempty"` // key "@" value name; "|32" as above
	Loops      []string `json:"loops,omitempty"`  // keys whose sub-keys are enumerated
	Files      []string `json:"files,omitempty"`  // "csidl:" or "key@value:" and the path below it
	Queries    []string `json:"queries,omitempty"`
	Metrics    []int    `json:"metrics,omitempty"`
	Licenses   []string `json:"licenses,omitempty"`
	Products   []string `json:"products,omitempty"` // product codes
	Features   []string `json:"features,omitempty"` // names of features, of any of the products
	Components []string `json:"components,omitempty"`
	Patches    []string `json:"patches,omitempty"`  // patch codes
	Packages   []string `json:"packages,omitempty"` // identities of component packages
	Releases   []string `json:"releases,omitempty"`
	Attributes []string `json:"attributes,omitempty"`
}

// Add collects what r asks. Values below HKEY_LOOP_TARGET are named so.
func (q *Questions) Add(r *Rules) {
	q.prepare()
	for _, e := range []Expr{r.IsInstalled, r.IsInstallable, r.IsSuperseded} {
		Walk(e, func(e Expr) { q.registry(e); q.others(e) })
	}
	if r.Metadata == nil {
		return
	}
	note(q.packages, r.Metadata.Package)
	note(q.products, r.Metadata.Application)
	if r.Metadata.Patch != nil {
		note(q.patches, r.Metadata.Patch.Code)
		for i := range r.Metadata.Patch.Targets {
			note(q.products, r.Metadata.Patch.Targets[i].ProductCode)
		}
	}
}

func (q *Questions) prepare() {
	if q.keys != nil {
		return
	}
	for _, set := range []*map[string]bool{
		&q.keys, &q.values, &q.loops, &q.files, &q.queries, &q.licenses, &q.products, &q.features, &q.components, &q.patches,
		&q.packages, &q.releases, &q.attributes,
	} {
		*set = map[string]bool{}
	}
	q.metrics = map[int]bool{}
}

func note(set map[string]bool, s string) {
	if s != "" {
		set[s] = true
	}
}

func (q *Questions) registry(e Expr) {
	switch e := e.(type) {
	case *RegKeyExists:
		note(q.keys, e.RegKey.String())
	case *RegKeyLoop:
		note(q.loops, e.RegKey.String())
	case *RegValueExists:
		note(q.values, e.RegValue.String())
	case *RegDword:
		note(q.values, e.RegValue.String())
	case *RegSz:
		note(q.values, e.RegValue.String())
	case *RegSzToVersion:
		note(q.values, e.RegValue.String())
	case *FileExists:
		q.file(&e.FilePath)
	case *FileVersion:
		q.file(&e.FilePath)
	case *FileSize:
		q.file(&e.FilePath)
	case *FileTime:
		q.file(&e.FilePath)
	}
}

func (q *Questions) others(e Expr) {
	switch e := e.(type) {
	case *WmiQuery:
		note(q.queries, e.Namespace+": "+e.WqlQuery)
	case *SystemMetric:
		q.metrics[e.Index] = true
	case *LicenseDword:
		note(q.licenses, e.Value)
	case *MsiProductInstalled:
		note(q.products, e.ProductCode)
	case *MsiPartInstalled:
		q.part(e)
	case *CbsPackageInstalledByIdentity:
		note(q.packages, e.PackageIdentity)
	case *ProductRelease:
		note(q.releases, e.Name)
	case *DeviceAttribute:
		note(q.attributes, e.Name)
	}
}

func (q *Questions) part(e *MsiPartInstalled) {
	for _, p := range e.Products {
		note(q.products, p)
	}
	for _, p := range e.Parts {
		note(map[MsiPart]map[string]bool{MsiFeature: q.features, MsiComponent: q.components, MsiPatch: q.patches}[e.Part], p)
	}
}

func (q *Questions) file(p *FilePath) {
	if p.Base != nil {
		note(q.values, p.Base.String())
	}
	note(q.files, p.String())
}

// Asked sorts what was collected.
func (q *Questions) Asked() Asked {
	return Asked{
		Keys: sorted(q.keys), Values: sorted(q.values), Loops: sorted(q.loops), Files: sorted(q.files),
		Queries: sorted(q.queries), Metrics: slices.Sorted(maps.Keys(q.metrics)), Licenses: sorted(q.licenses),
		Products: sorted(q.products), Features: sorted(q.features), Components: sorted(q.components), Patches: sorted(q.patches),
		Packages: sorted(q.packages), Releases: sorted(q.releases), Attributes: sorted(q.attributes),
	}
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
