package applicability

import (
	"fmt"
	"strings"
)

// CbsPackage is CbsPackageInstalled or CbsPackageInstallable (Installable):
// what component based servicing says about the package in the rules'
// metadata. Whether a package is installable follows from the component
// store and cannot be computed outside Windows; it is unknown unless the
// recording holds Windows' own answer.
type CbsPackage struct{ Installable bool }

// Eval implements Expr.
func (e *CbsPackage) Eval(c *Context) Truth {
	if c.meta == nil || c.meta.Package == "" {
		return Unknown
	}
	if e.Installable {
		return c.Machine.packageInstallable(fold(c.meta.Package))
	}
	return c.Machine.packageInstalled(fold(c.meta.Package))
}

func (e *CbsPackage) said(c *Context) string {
	if c.meta == nil || c.meta.Package == "" {
		return "the rules carry no package metadata"
	}
	id := fold(c.meta.Package)
	if e.Installable && c.Machine.packageInstallable(id) == Unknown {
		return "only Windows can tell whether " + c.meta.Package + " could be installed"
	}
	return c.meta.Package + " " + c.Machine.describePackage(id)
}

// packageInstalled follows the states of the servicing stack: a package that
// waits for a restart is not installed yet, one that waits to be removed, or
// whose content a newer one replaced, still is.
func (m *Machine) packageInstalled(identity string) Truth {
	p, t := found(m, SectionPackages, m.packages, identity)
	if t != True {
		return t
	}
	switch p.State {
	case StateInstalled, StateSuperseded, StateUninstallPending:
		return True
	}
	return False
}

func (m *Machine) packageInstallable(identity string) Truth {
	if p := m.packages[identity]; p != nil && p.Installable != nil {
		return truthOf(*p.Installable)
	}
	return Unknown
}

func (m *Machine) describePackage(identity string) string {
	p, t := found(m, SectionPackages, m.packages, identity)
	if t != True {
		return absence(t)
	}
	s := fmt.Sprintf("state %d", p.State)
	if p.Installable != nil {
		s += fmt.Sprintf(", installable %t", *p.Installable)
	}
	return s
}

// CbsPackageInstalledByIdentity asks about the package it names:
// name~publicKeyToken~architecture~language~version.
type CbsPackageInstalledByIdentity struct {
	PackageIdentity string

	identity string
}

// Eval implements Expr.
func (e *CbsPackageInstalledByIdentity) Eval(c *Context) Truth {
	return c.Machine.packageInstalled(e.identity)
}

func (e *CbsPackageInstalledByIdentity) said(c *Context) string {
	return c.Machine.describePackage(e.identity)
}

// ProductRelease is ProductReleaseInstalled, true when the product's release
// is at least Version, or ProductReleaseVersion, which has a Comparison of
// its own. A product that is known to be absent is false.
type ProductRelease struct {
	Name       string // e.g. Client.OS.RS2.AMD64, Server.OS.amd64, Microsoft.NetFX.amd64
	Comparison Comparison
	Version    Version

	name string
}

// Eval implements Expr.
func (e *ProductRelease) Eval(c *Context) Truth {
	v, t := found(c.Machine, SectionReleases, c.Machine.releases, e.name)
	if t != True {
		return t
	}
	return truthOf(e.Comparison.Holds(v.Compare(e.Version)))
}

func (e *ProductRelease) said(c *Context) string {
	v, t := found(c.Machine, SectionReleases, c.Machine.releases, e.name)
	if t != True {
		return absence(t)
	}
	return v.String()
}

// AttributeType is the Type of a DeviceAttribute.
type AttributeType uint8

// The attribute types.
const (
	AttributeText AttributeType = iota
	AttributeVersion
	AttributeNumber
)

// String is the word of the rules.
func (t AttributeType) String() string { return [...]string{"String", "Version", "Integer"}[t] }

// DeviceAttribute compares an attribute that Windows reports about the
// device, as text without case, as a version or as a number. A missing
// attribute, or one that is not of the type, is false.
type DeviceAttribute struct {
	Name       string
	Type       AttributeType
	Comparison Comparison
	Value      string

	name, text string
	version    Version
	number     int64
}

// Eval implements Expr.
func (e *DeviceAttribute) Eval(c *Context) Truth {
	v, t := found(c.Machine, SectionAttributes, c.Machine.attributes, e.name)
	if t != True {
		return t
	}
	order, ok := e.order(*v)
	return truthOf(ok && e.Comparison.Holds(order))
}

func (e *DeviceAttribute) order(have string) (order int, ok bool) {
	switch e.Type {
	case AttributeVersion:
		v, err := ParseVersion(have)
		return v.Compare(e.version), err == nil
	case AttributeNumber:
		n, err := parseInt(have)
		return compare(n, e.number), err == nil
	}
	return strings.Compare(fold(have), e.text), true
}

func (e *DeviceAttribute) said(c *Context) string {
	v, t := found(c.Machine, SectionAttributes, c.Machine.attributes, e.name)
	if t != True {
		return absence(t)
	}
	return fmt.Sprintf("%q", *v)
}
