package applicability

// Rules are the applicability rules of one update. A nil section was not
// given. Rules are immutable and may be shared by goroutines.
type Rules struct {
	IsInstalled   Expr
	IsInstallable Expr
	IsSuperseded  Expr
	Metadata      *Metadata // nil: none that an operator asks about

	// Unsupported names each operator that could not be read, once per
	// occurrence; every one of them evaluates to Unknown.
	Unsupported []string
}

// Metadata is what the operators without attributes ask about.
type Metadata struct {
	Package     string         // identity of the component package: name~token~arch~language~version
	Patch       *PatchMetadata // of the Windows Installer patch
	Application string         // product code of the Windows Installer product
}

// PatchMetadata is the part of MsiPatchMetadata that decides applicability.
type PatchMetadata struct {
	Code    string // the patch code, a GUID in braces
	Targets []PatchTarget

	code string
}

// PatchTarget is a product that a patch applies to.
type PatchTarget struct {
	ProductCode string
	Comparison  Comparison    // of the installed version with Version
	Filter      VersionFilter // which parts of the versions count
	Version     *Version      // nil: any
	Language    *int          // nil: any

	code string
}

// VersionFilter is the ComparisonFilter of a patch's target version: how many
// leading parts are compared.
type VersionFilter int

func (f VersionFilter) cut(v Version) Version {
	if f <= 0 {
		return v
	}
	for i := int(f); i < len(v); i++ {
		v[i] = 0
	}
	return v
}

// Installed evaluates IsInstalled; Unknown when the section is missing.
func (r *Rules) Installed(c *Context) Truth {
	return r.section(c, "IsInstalled", r.IsInstalled, Unknown)
}

// Installable evaluates IsInstallable; Unknown when the section is missing.
func (r *Rules) Installable(c *Context) Truth {
	return r.section(c, "IsInstallable", r.IsInstallable, Unknown)
}

// Superseded evaluates IsSuperseded. Nearly all updates have no such
// section, and then nothing but the update graph supersedes them: False.
func (r *Rules) Superseded(c *Context) Truth {
	return r.section(c, "IsSuperseded", r.IsSuperseded, False)
}

func (r *Rules) section(c *Context, name string, e Expr, missing Truth) Truth {
	if e == nil {
		return missing
	}
	c.meta = r.Metadata
	defer func() { c.meta = nil }()
	if c.trace == nil {
		return e.Eval(c)
	}
	return c.trace.section(c, name, e)
}
