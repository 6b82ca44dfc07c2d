package applicability

// Doubt is why something is Unknown. It tells what would have to be better:
// the recording, this package, the archive, or nothing at all.
type Doubt uint8

// The doubts. The zero value says that there is none.
const (
	NoDoubt       Doubt = iota
	OnlyWindows         // Windows computes it from what no recording holds
	NotRecorded         // the recording does not cover what was asked
	NotUnderstood       // an operator is unknown to this package, or malformed
	NotInArchive        // the archive lacks what the answer depends on
)

// String is a phrase that follows "unknown: ".
func (d Doubt) String() string {
	return [...]string{"", "only Windows can tell", "not recorded", "not understood", "not in the archive"}[d]
}

// MarshalText writes the form of String.
func (d Doubt) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// doubtOf is why the leaf operator e is unknown on the machine of c.
func doubtOf(c *Context, e Expr) Doubt {
	switch e := e.(type) {
	case *Unsupported:
		return NotUnderstood
	case *CbsPackage:
		return e.doubt(c)
	case *MsiPatchState:
		return e.doubt(c)
	case *MsiApplicationState:
		switch {
		case c.meta == nil || c.meta.Application == "":
			return NotInArchive
		case e.Ask == PatchIsSuperseded:
			return OnlyWindows
		}
	}
	return NotRecorded
}

func (e *CbsPackage) doubt(c *Context) Doubt {
	switch {
	case c.meta == nil || c.meta.Package == "":
		return NotInArchive
	case e.Installable:
		return OnlyWindows
	}
	return NotRecorded
}

func (e *MsiPatchState) doubt(c *Context) Doubt {
	if c.meta == nil || c.meta.Patch == nil {
		return NotInArchive
	}
	if _, superseded := c.Machine.patch(c.meta.Patch); e.Ask == PatchIsSuperseded && superseded == False {
		return OnlyWindows
	}
	return NotRecorded
}

// AsksWindows tells whether the rules ask what only Windows can tell.
func (r *Rules) AsksWindows() bool {
	found := false
	for _, e := range []Expr{r.IsInstalled, r.IsInstallable, r.IsSuperseded} {
		Walk(e, func(e Expr) {
			switch e := e.(type) {
			case *CbsPackage:
				found = found || e.Installable
			case *MsiPatchState:
				found = found || e.Ask == PatchIsSuperseded
			case *MsiApplicationState:
				found = found || e.Ask == PatchIsSuperseded
			}
		})
	}
	return found
}
