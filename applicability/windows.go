package applicability

import (
	"fmt"
	"strings"
)

// ProcessorIs (b.Processor) is true when the native processor has the figures given.
type ProcessorIs struct {
	Architecture, Level, Revision *int // nil: any
}

// Eval implements Expr.
func (e *ProcessorIs) Eval(c *Context) Truth {
	p := c.Machine.processor
	if p == nil {
		return Unknown
	}
	return equalOrUnknown(e.Architecture, &p.Architecture).
		And(equalOrUnknown(e.Level, &p.Level)).
		And(equalOrUnknown(e.Revision, &p.Revision))
}

func (e *ProcessorIs) said(c *Context) string {
	p := c.Machine.processor
	if p == nil {
		return absence(Unknown)
	}
	return fmt.Sprintf("architecture %d, level %d, revision %d", p.Architecture, p.Level, p.Revision)
}

// WindowsVersion compares the version fields that are given, in the order
// major, minor, build, service pack: the first that differs decides.
// ProductType must be equal, and of the bits of SuiteMask one must be set,
// or all with AllSuitesMustBePresent. A nil field is not asked about.
type WindowsVersion struct {
	Comparison                         Comparison
	MajorVersion, MinorVersion         *int
	BuildNumber                        *int
	ServicePackMajor, ServicePackMinor *int
	ProductType                        *int
	SuiteMask                          *int
	AllSuitesMustBePresent             bool
}

// Eval implements Expr.
func (e *WindowsVersion) Eval(c *Context) Truth {
	os := c.Machine.os
	if os == nil {
		return Unknown
	}
	return truthOf(e.Comparison.Holds(e.order(os)) || !e.asksVersion()).
		And(equalOrUnknown(e.ProductType, &os.ProductType)).
		And(truthOf(e.suites(os.Suites)))
}

func (e *WindowsVersion) asksVersion() bool {
	return e.MajorVersion != nil || e.MinorVersion != nil || e.BuildNumber != nil ||
		e.ServicePackMajor != nil || e.ServicePackMinor != nil
}

func (e *WindowsVersion) order(os *OS) int {
	for _, f := range [...]struct {
		want *int
		have int
	}{
		{e.MajorVersion, os.Major},
		{e.MinorVersion, os.Minor},
		{e.BuildNumber, os.Build},
		{e.ServicePackMajor, os.ServicePackMajor},
		{e.ServicePackMinor, os.ServicePackMinor},
	} {
		if f.want == nil {
			continue
		}
		if c := compare(f.have, *f.want); c != 0 {
			return c
		}
	}
	return 0
}

func (e *WindowsVersion) suites(have int) bool {
	switch {
	case e.SuiteMask == nil:
		return true
	case e.AllSuitesMustBePresent:
		return have&*e.SuiteMask == *e.SuiteMask
	}
	return have&*e.SuiteMask != 0
}

func (e *WindowsVersion) said(c *Context) string {
	os := c.Machine.os
	if os == nil {
		return absence(Unknown)
	}
	return fmt.Sprintf("%d.%d.%d service pack %d.%d, product type %d, suites %d",
		os.Major, os.Minor, os.Build, os.ServicePackMajor, os.ServicePackMinor, os.ProductType, os.Suites)
}

// WindowsLanguage is true when the system's own language is the one given
// and no other language pack is installed.
type WindowsLanguage struct{ Language string }

// Eval implements Expr.
func (e *WindowsLanguage) Eval(c *Context) Truth {
	l := c.Machine.language
	if l == nil {
		return Unknown
	}
	return truthOf(len(l.MUI) == 0 && sameLanguage(e.Language, l.UI))
}

func (e *WindowsLanguage) said(c *Context) string { return languages(c.Machine.language) }

// MuiInstalled is true when language packs are installed.
type MuiInstalled struct{}

// Eval implements Expr.
func (e *MuiInstalled) Eval(c *Context) Truth {
	if c.Machine.language == nil {
		return Unknown
	}
	return truthOf(len(c.Machine.language.MUI) > 0)
}

func (e *MuiInstalled) said(c *Context) string { return languages(c.Machine.language) }

// MuiLanguageInstalled is true when the language's pack is installed.
type MuiLanguageInstalled struct{ Language string }

// Eval implements Expr.
func (e *MuiLanguageInstalled) Eval(c *Context) Truth {
	if c.Machine.language == nil {
		return Unknown
	}
	for _, l := range c.Machine.language.MUI {
		if sameLanguage(e.Language, l) {
			return True
		}
	}
	return False
}

func (e *MuiLanguageInstalled) said(c *Context) string { return languages(c.Machine.language) }

func languages(l *Language) string {
	if l == nil {
		return absence(Unknown)
	}
	if len(l.MUI) == 0 {
		return l.UI + ", no language packs"
	}
	return l.UI + ", language packs " + strings.Join(l.MUI, " ")
}

// sameLanguage tells whether the language that a rule names is the one of a
// tag such as en-US. A rule's name without a region means every region,
// except where Microsoft has separate names for one (pt-br, zh-…). The old
// names no, iw and sh stand for nb, he and sr.
func sameLanguage(rule, tag string) bool {
	rule, tag = fold(rule), fold(tag)
	if rule == tag {
		return true
	}
	primary, _, regional := strings.Cut(tag, "-")
	if !regional || tag == "pt-br" || primary == "zh" {
		primary = tag
	}
	return currentName(rule) == currentName(primary)
}

func currentName(language string) string {
	switch language {
	case "no":
		return "nb"
	case "iw":
		return "he"
	case "sh":
		return "sr"
	}
	return language
}

// SystemMetric compares a figure of GetSystemMetrics.
type SystemMetric struct {
	Comparison Comparison
	Index      int
	Value      int
}

// Eval implements Expr. A metric that is known not to exist is 0, as
// GetSystemMetrics answers.
func (e *SystemMetric) Eval(c *Context) Truth {
	v, t := found(c.Machine, SectionMetrics, c.Machine.metrics, e.Index)
	switch t {
	case True:
		return truthOf(e.Comparison.Holds(compare(*v, e.Value)))
	case False:
		return truthOf(e.Comparison.Holds(compare(0, e.Value)))
	}
	return Unknown
}

func (e *SystemMetric) said(c *Context) string {
	v, t := found(c.Machine, SectionMetrics, c.Machine.metrics, e.Index)
	return number(v, t)
}

func number[N int | uint32](v *N, t Truth) string {
	if t == True {
		return fmt.Sprint(*v)
	}
	return absence(t)
}

// LicenseDword compares a figure of the software licence
// (SLGetWindowsInformationDWORD); a missing one is false.
type LicenseDword struct {
	Value      string
	Comparison Comparison
	Data       uint32

	name string
}

// Eval implements Expr.
func (e *LicenseDword) Eval(c *Context) Truth {
	v, t := found(c.Machine, SectionLicenses, c.Machine.licenses, e.name)
	if t != True {
		return t
	}
	return truthOf(e.Comparison.Holds(compare(*v, e.Data)))
}

func (e *LicenseDword) said(c *Context) string {
	v, t := found(c.Machine, SectionLicenses, c.Machine.licenses, e.name)
	return number(v, t)
}

// NumberOfProcessors compares the number of logical processors.
type NumberOfProcessors struct {
	Comparison Comparison
	Count      int
}

// Eval implements Expr.
func (e *NumberOfProcessors) Eval(c *Context) Truth {
	p := c.Machine.processor
	if p == nil || p.Count == 0 {
		return Unknown
	}
	return truthOf(e.Comparison.Holds(compare(p.Count, e.Count)))
}

func (e *NumberOfProcessors) said(c *Context) string {
	p := c.Machine.processor
	if p == nil || p.Count == 0 {
		return absence(Unknown)
	}
	return fmt.Sprint(p.Count)
}

// ClusteredOS is true on a node of a failover cluster.
type ClusteredOS struct{}

// Eval implements Expr.
func (e *ClusteredOS) Eval(c *Context) Truth {
	if c.Machine.os == nil || c.Machine.os.Clustered == nil {
		return Unknown
	}
	return truthOf(*c.Machine.os.Clustered)
}

func (e *ClusteredOS) said(c *Context) string { return e.Eval(c).String() }
