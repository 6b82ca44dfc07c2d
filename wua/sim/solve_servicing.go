package sim

import (
	"strconv"
	"strings"

	"waptwua/applicability"
)

// servicing gives the edits for the operators about packages, releases,
// attributes and the version of Windows; false when it cannot be done.
func (s *solver) servicing(e applicability.Expr, want bool) (edits []edit, ok bool) {
	switch e := e.(type) {
	case *applicability.CbsPackage:
		if e.Installable || s.meta == nil || s.meta.Package == "" {
			return nil, false
		}
		return s.cbs(s.meta.Package, want), true
	case *applicability.CbsPackageInstalledByIdentity:
		return s.cbs(e.PackageIdentity, want), true
	case *applicability.ProductRelease:
		return s.release(e, want)
	case *applicability.DeviceAttribute:
		return s.attribute(e, want)
	case *applicability.WindowsVersion:
		return s.windows(e, want)
	case *applicability.WmiQuery:
		return s.hotfix(e, want)
	}
	return nil, false
}

func (s *solver) cbs(identity string, want bool) []edit {
	p := new(applicability.Package)
	if have := entry(s.facts.Packages, identity, strings.ToLower); have != nil {
		*p = *have
	}
	p.State = 0
	if want {
		p.State = applicability.StateInstalled
	}
	return []edit{{Package: identity, State: p}}
}

// release brings a product of the unified update platform to a release. That
// of Windows itself moves the revision of the operating system too.
func (s *solver) release(e *applicability.ProductRelease, want bool) ([]edit, bool) {
	v, possible := version(e.Comparison, e.Version)
	if !want || !possible {
		return nil, false
	}
	edits := []edit{{Release: e.Name, Version: v.String()}}
	os := s.facts.OS
	if os != nil && strings.Contains(strings.ToUpper(e.Name), ".OS.") && int(v[2]) == os.Build && int(v[3]) > os.Revision {
		next := *os
		next.Revision = int(v[3])
		edits = append(edits, edit{OS: &next})
	}
	return edits, true
}

// attribute sets a device attribute; the version of Windows among them is
// that of the operating system.
func (s *solver) attribute(e *applicability.DeviceAttribute, want bool) ([]edit, bool) {
	if !want {
		return nil, false
	}
	switch e.Type {
	case applicability.AttributeVersion:
		return s.versionAttribute(e)
	case applicability.AttributeNumber:
		data, err := strconv.ParseInt(e.Value, 10, 64)
		n, possible := number(e.Comparison, data)
		return []edit{{Attribute: e.Name, Text: strconv.FormatInt(n, 10)}}, err == nil && possible
	}
	if e.Comparison == applicability.LessThan || e.Comparison == applicability.GreaterThan {
		return nil, false
	}
	return []edit{{Attribute: e.Name, Text: e.Value}}, true
}

func (s *solver) versionAttribute(e *applicability.DeviceAttribute) ([]edit, bool) {
	data, err := applicability.ParseVersion(e.Value)
	v, possible := version(e.Comparison, data)
	if err != nil || !possible {
		return nil, false
	}
	edits := []edit{{Attribute: e.Name, Text: v.String()}}
	if os := s.facts.OS; os != nil && strings.EqualFold(e.Name, "OSVersion") {
		next := *os
		next.Build, next.Revision = int(v[2]), int(v[3])
		edits = append(edits, edit{OS: &next})
	}
	return edits, true
}

// windows installs a service pack or a newer build of the same Windows.
func (s *solver) windows(e *applicability.WindowsVersion, want bool) ([]edit, bool) {
	os := s.facts.OS
	if os == nil || !want {
		return nil, false
	}
	next := *os
	for _, f := range []struct {
		field *int
		want  *int
	}{{&next.Build, e.BuildNumber}, {&next.ServicePackMajor, e.ServicePackMajor}, {&next.ServicePackMinor, e.ServicePackMinor}} {
		if f.want == nil {
			continue
		}
		n, possible := number(e.Comparison, *f.want)
		if !possible || n < *f.field {
			return nil, false
		}
		*f.field = n
	}
	return []edit{{OS: &next}}, next != *os
}

// hotfix answers a query for an installed hotfix; other queries are about
// the machine.
func (s *solver) hotfix(e *applicability.WmiQuery, want bool) ([]edit, bool) {
	if !strings.Contains(strings.ToLower(e.WqlQuery), "win32_quickfixengineering") {
		return nil, false
	}
	q := applicability.Query{Namespace: e.Namespace, WQL: e.WqlQuery}
	if want {
		q.Rows = 1
	}
	return []edit{{Query: &q}}, true
}
