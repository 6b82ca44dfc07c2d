package applicability

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// build makes the node of an operator; nil, nil when there is no such
// operator, and an error when its attributes cannot be read.
func build(name string, a attributes, operands []Expr) (Expr, error) {
	switch name {
	case "And":
		return &And{operands}, nil
	case "Or":
		return &Or{operands}, nil
	case "Not":
		return buildNot(operands)
	case "True":
		return &Const{true}, nil
	case "False":
		return &Const{false}, nil
	case "CbsPackageInstalled":
		return &CbsPackage{}, nil
	case "CbsPackageInstallable":
		return &CbsPackage{Installable: true}, nil
	case "CbsPackageInstalledByIdentity":
		id := a.get("PackageIdentity")
		return &CbsPackageInstalledByIdentity{PackageIdentity: id, identity: fold(id)}, nil
	case "ProductReleaseInstalled":
		return buildRelease(a, GreaterThanOrEqualTo)
	case "ProductReleaseVersion":
		return buildRelease(a, EqualTo)
	case "DeviceAttribute":
		return buildAttribute(a)
	}
	if base, ok := strings.CutPrefix(name, "b."); ok {
		return buildBase(base, a, operands)
	}
	if msi, ok := strings.CutPrefix(name, "m."); ok {
		return buildMsi(msi, a)
	}
	return nil, nil
}

func buildNot(operands []Expr) (Expr, error) {
	if len(operands) != 1 {
		return nil, fmt.Errorf("it has %d operands instead of one", len(operands))
	}
	return &Not{operands[0]}, nil
}

func buildBase(name string, a attributes, operands []Expr) (Expr, error) {
	switch name {
	case "Processor":
		return buildProcessor(a)
	case "WindowsVersion":
		return buildWindowsVersion(a)
	case "WindowsLanguage":
		return &WindowsLanguage{Language: a.get("Language")}, nil
	case "MuiInstalled":
		return &MuiInstalled{}, nil
	case "MuiLanguageInstalled":
		return &MuiLanguageInstalled{Language: a.get("Language")}, nil
	case "SystemMetric":
		return buildMetric(a)
	case "LicenseDword":
		return buildLicense(a)
	case "NumberOfProcessors":
		return buildProcessors(a)
	case "ClusteredOS":
		return &ClusteredOS{}, nil
	case "WmiQuery":
		return newWmiQuery(a), nil
	}
	if strings.HasPrefix(name, "Reg") {
		return buildRegistry(name, a, operands)
	}
	if strings.HasPrefix(name, "File") {
		return buildFile(name, a)
	}
	return nil, nil
}

func buildRegistry(name string, a attributes, operands []Expr) (Expr, error) {
	switch name {
	case "RegKeyExists":
		return &RegKeyExists{newRegKey(a)}, nil
	case "RegValueExists":
		return &RegValueExists{RegValue: newRegValue(a), Type: a.get("Type")}, nil
	case "RegDword":
		c, err := parseComparison(a.get("Comparison"))
		n, err2 := a.required("Data")
		return &RegDword{RegValue: newRegValue(a), Comparison: c, Data: uint32(n)}, errors.Join(err, err2)
	case "RegSz", "RegExpandSz":
		c, err := parseStringComparison(a.get("Comparison"))
		d := a.get("Data")
		return &RegSz{RegValue: newRegValue(a), Comparison: c, Data: d, data: fold(d), Expand: name == "RegExpandSz"}, err
	case "RegSzToVersion":
		c, err := parseComparison(a.get("Comparison"))
		v, err2 := ParseVersion(a.get("Data"))
		return &RegSzToVersion{RegValue: newRegValue(a), Comparison: c, Data: v}, errors.Join(err, err2)
	case "RegKeyLoop":
		return buildLoop(a, operands)
	}
	return nil, nil
}

func buildLoop(a attributes, operands []Expr) (Expr, error) {
	l := &RegKeyLoop{RegKey: newRegKey(a), Body: &And{operands}}
	if len(operands) == 1 {
		l.Body = operands[0]
	}
	for _, m := range [...]LoopMode{LoopAny, LoopAll, LoopNone} {
		if strings.EqualFold(m.String(), a.get("TrueIf")) {
			l.TrueIf = m
			return l, nil
		}
	}
	return nil, fmt.Errorf("attribute TrueIf %q", a.get("TrueIf"))
}

func buildFile(name string, a attributes) (Expr, error) {
	name, prepend := strings.CutSuffix(name, "PrependRegSz")
	path, err := newFilePath(a, prepend)
	c, err2 := parseComparison(a.get("Comparison"))
	if err = errors.Join(err, err2); err != nil {
		return nil, err
	}
	switch name {
	case "FileExists":
		return buildFileExists(path, a)
	case "FileVersion":
		v, err := ParseVersion(a.get("Version"))
		return &FileVersion{FilePath: path, Comparison: c, Version: v}, err
	case "FileSize":
		n, err := a.required("Size")
		return &FileSize{FilePath: path, Comparison: c, Size: n}, err
	case "FileModified", "FileCreated":
		t, err := parseTime(a.get(strings.TrimPrefix(name, "File")))
		return &FileTime{FilePath: path, Comparison: c, Created: name == "FileCreated", Time: t}, err
	}
	return nil, nil
}

func buildFileExists(path FilePath, a attributes) (Expr, error) {
	var size *int64
	if s := a.get("Size"); s != "" {
		n, err := parseInt(s)
		if err != nil {
			return nil, fmt.Errorf("attribute Size %q", s)
		}
		size = &n
	}
	language, err := a.optional("Language")
	version, err2 := a.version("Version")
	return &FileExists{FilePath: path, Size: size, Language: language, Version: version}, errors.Join(err, err2)
}

// parseTime reads a time with or without a zone, which is then UTC.
func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	t, err := time.Parse("2006-01-02T15:04:05", s)
	if err != nil {
		return t, fmt.Errorf("time %q", s)
	}
	return t, nil
}

func buildProcessor(a attributes) (Expr, error) {
	e := new(ProcessorIs)
	err := a.optionals(map[string]**int{"Architecture": &e.Architecture, "Level": &e.Level, "Revision": &e.Revision})
	return e, err
}

func buildWindowsVersion(a attributes) (Expr, error) {
	e := &WindowsVersion{AllSuitesMustBePresent: isTrue(a.get("AllSuitesMustBePresent"))}
	c, err := parseComparison(a.get("Comparison"))
	e.Comparison = c
	return e, errors.Join(err, a.optionals(map[string]**int{
		"MajorVersion": &e.MajorVersion, "MinorVersion": &e.MinorVersion, "BuildNumber": &e.BuildNumber,
		"ServicePackMajor": &e.ServicePackMajor, "ServicePackMinor": &e.ServicePackMinor,
		"ProductType": &e.ProductType, "SuiteMask": &e.SuiteMask,
	}))
}

func buildMetric(a attributes) (Expr, error) {
	c, err := parseComparison(a.get("Comparison"))
	i, err2 := a.required("Index")
	v, err3 := a.required("Value")
	return &SystemMetric{Comparison: c, Index: int(i), Value: int(v)}, errors.Join(err, err2, err3)
}

func buildLicense(a attributes) (Expr, error) {
	c, err := parseComparison(a.get("Comparison"))
	n, err2 := a.required("Data")
	v := a.get("Value")
	return &LicenseDword{Value: v, name: fold(v), Comparison: c, Data: uint32(n)}, errors.Join(err, err2)
}

func buildProcessors(a attributes) (Expr, error) {
	c, err := parseComparison(a.get("Comparison"))
	n, err2 := a.required("NumberOfProcessors")
	return &NumberOfProcessors{Comparison: c, Count: int(n)}, errors.Join(err, err2)
}

func buildRelease(a attributes, byDefault Comparison) (Expr, error) {
	c := byDefault
	if s := a.get("Comparison"); s != "" {
		var err error
		if c, err = parseComparison(s); err != nil {
			return nil, err
		}
	}
	v, err := ParseVersion(a.get("Version"))
	name := a.get("Name")
	return &ProductRelease{Name: name, name: fold(name), Comparison: c, Version: v}, err
}

func buildAttribute(a attributes) (e Expr, err error) {
	name, value := a.get("Name"), a.get("Value")
	d := &DeviceAttribute{Name: name, name: fold(name), Value: value, text: fold(value)}
	if d.Comparison, err = parseComparison(a.get("Comparison")); err != nil {
		return nil, err
	}
	switch fold(a.get("Type")) {
	case "string", "":
	case "version":
		d.Type = AttributeVersion
		d.version, err = ParseVersion(value)
	case "integer", "int", "dword", "number":
		d.Type = AttributeNumber
		d.number, err = parseInt(value)
	default:
		err = fmt.Errorf("attribute Type %q", a.get("Type"))
	}
	return d, err
}

func buildMsi(name string, a attributes) (Expr, error) {
	if name == "MsiProductInstalled" {
		return buildProduct(a)
	}
	if ask, ok := strings.CutPrefix(name, "MsiPatch"); ok {
		if q, ok := parseQuestion(ask); ok {
			return &MsiPatchState{q}, nil
		}
	}
	if ask, ok := strings.CutPrefix(name, "MsiApplication"); ok {
		if q, ok := parseQuestion(ask); ok {
			return &MsiApplicationState{q}, nil
		}
	}
	return nil, nil
}

func parseQuestion(s string) (PatchQuestion, bool) {
	for _, q := range [...]PatchQuestion{PatchIsInstalled, PatchIsInstallable, PatchIsSuperseded} {
		if s == q.String() {
			return q, true
		}
	}
	return 0, false
}

func buildProduct(a attributes) (Expr, error) {
	code := a.get("ProductCode")
	e := &MsiProductInstalled{
		ProductCode: code, code: a.parser.intern(fold(code)),
		ExcludeVersionMin: isTrue(a.get("ExcludeVersionMin")),
		ExcludeVersionMax: isTrue(a.get("ExcludeVersionMax")),
	}
	var err, err2, err3 error
	e.VersionMin, err = a.version("VersionMin")
	e.VersionMax, err2 = a.version("VersionMax")
	e.Language, err3 = a.optional("Language")
	return e, errors.Join(err, err2, err3)
}
