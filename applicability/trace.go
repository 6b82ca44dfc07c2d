package applicability

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Trace records how rules were decided: one Step per operator that was
// evaluated, in order, with what the machine said. Operators that could not
// change the result any more were not evaluated and have no step.
type Trace struct {
	Steps []*Step // the outermost: one per section

	open []*Step
}

// Step is one evaluated operator.
type Step struct {
	Operator   string      `json:"operator"` // the element's name, or that of a section
	Attributes []Attribute `json:"attributes,omitempty"`
	Said       string      `json:"said,omitempty"` // what the machine holds, for people
	Result     Truth       `json:"result"`
	Doubt      Doubt       `json:"doubt,omitzero"` // why an operator is unknown whose operands are not
	Steps      []*Step     `json:"steps,omitempty"`
}

func (s *Step) open() bool { return s.Result == Unknown }

// Attribute is one attribute of an operator, as the rule means it.
type Attribute struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// WithTrace makes c record into t; nil stops recording.
func (c *Context) WithTrace(t *Trace) *Context {
	c.trace = t
	return c
}

func (t *Trace) record(c *Context, e Expr) Truth {
	s := &Step{Operator: OperatorName(e), Attributes: attributesOf(e), Said: e.said(c)}
	t.within(s, func() Truth { return e.Eval(c) })
	if s.Result == Unknown && !slices.ContainsFunc(s.Steps, (*Step).open) {
		s.Doubt = doubtOf(c, e)
	}
	return s.Result
}

func (t *Trace) section(c *Context, name string, e Expr) Truth {
	return t.within(&Step{Operator: name}, func() Truth { return c.eval(e) })
}

func (t *Trace) within(s *Step, eval func() Truth) Truth {
	if n := len(t.open); n > 0 {
		up := t.open[n-1]
		up.Steps = append(up.Steps, s)
	} else {
		t.Steps = append(t.Steps, s)
	}
	t.open = append(t.open, s)
	s.Result = eval()
	t.open = t.open[:len(t.open)-1]
	return s.Result
}

// OperatorName is the element's name in the rules.
func OperatorName(e Expr) string {
	switch e := e.(type) {
	case *Const:
		return map[bool]string{true: "True", false: "False"}[e.Value]
	case *Unsupported:
		return e.Name
	case *CbsPackage:
		if e.Installable {
			return "CbsPackageInstallable"
		}
		return "CbsPackageInstalled"
	case *MsiPartInstalled:
		return "m." + [...]string{"MsiFeature", "MsiComponent", "MsiPatch"}[e.Part] + "InstalledForProduct"
	case *MsiPatchState:
		return "m.MsiPatch" + e.Ask.String()
	case *MsiApplicationState:
		return "m.MsiApplication" + e.Ask.String()
	case *FileTime, *FileSize, *FileVersion, *FileExists:
		return fileOperator(e)
	case *RegSz:
		if e.Expand {
			return "b.RegExpandSz"
		}
	case *ProcessorIs:
		return "b.Processor"
	case *ProductRelease:
		if e.Comparison == GreaterThanOrEqualTo {
			return "ProductReleaseInstalled"
		}
		return "ProductReleaseVersion"
	}
	return prefixOf(e) + reflect.TypeOf(e).Elem().Name()
}

// String is the end of the operator's name.
func (q PatchQuestion) String() string {
	return [...]string{"Installed", "Installable", "Superseded"}[q]
}

func prefixOf(e Expr) string {
	switch e.(type) {
	case *And, *Or, *Not, *CbsPackageInstalledByIdentity, *DeviceAttribute:
		return ""
	case *MsiProductInstalled:
		return "m."
	}
	return "b."
}

func fileOperator(e Expr) string {
	var path *FilePath
	name := "FileModified"
	switch e := e.(type) {
	case *FileTime:
		path = &e.FilePath
		if e.Created {
			name = "FileCreated"
		}
	case *FileSize:
		path, name = &e.FilePath, "FileSize"
	case *FileVersion:
		path, name = &e.FilePath, "FileVersion"
	case *FileExists:
		path, name = &e.FilePath, "FileExists"
	}
	if path.Base != nil {
		name += "PrependRegSz"
	}
	return "b." + name
}

// attributesOf lists a node's exported fields that are set; their names are
// those of the rule language.
func attributesOf(e Expr) []Attribute {
	switch e.(type) {
	case *And, *Or, *Not, *Const, *Unsupported, *CbsPackage, *MsiPatchState, *MsiApplicationState:
		return nil
	}
	return fields(nil, reflect.ValueOf(e).Elem())
}

func fields(out []Attribute, v reflect.Value) []Attribute {
	for i := range v.NumField() {
		f, value := v.Type().Field(i), v.Field(i)
		if !f.IsExported() || f.Type == reflect.TypeFor[Expr]() {
			continue
		}
		if value.Kind() == reflect.Pointer {
			if value.IsNil() {
				continue
			}
			value = value.Elem()
		}
		switch {
		case f.Anonymous || f.Name == "Base":
			out = fields(out, value)
		case f.Name == "Comparison" || !value.IsZero() || v.Field(i).Kind() == reflect.Pointer:
			out = append(out, Attribute{f.Name, show(value)})
		}
	}
	return out
}

func show(v reflect.Value) string {
	if list, ok := v.Interface().([]string); ok {
		return strings.Join(list, " ")
	}
	return fmt.Sprint(v.Interface())
}
