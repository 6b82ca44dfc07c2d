package applicability_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/applicability"
)

func TestParseSections(t *testing.T) {
	r, err := applicability.Parse([]byte(
		`<IsInstalled><True/></IsInstalled><IsSuperseded/><IsInstallable><True/><Mystery a="1"><b.Odd/></Mystery></IsInstallable><Extra><True/></Extra>`))
	if err != nil {
		t.Fatal(err)
	}
	if r.IsSuperseded != nil {
		t.Error("an empty section must count as missing")
	}
	if _, ok := r.IsInstallable.(*applicability.And); !ok {
		t.Errorf("IsInstallable is %T, want a conjunction", r.IsInstallable)
	}
	slices.Sort(r.Unsupported)
	if diff := cmp.Diff([]string{"Extra", "Mystery", "b.Odd"}, r.Unsupported); diff != "" {
		t.Errorf("unsupported operators (-want +got):\n%s", diff)
	}
	c := &applicability.Context{Machine: machineOf(t, []byte(`{"facts":1}`))}
	if got := [3]applicability.Truth{r.Installed(c), r.Superseded(c), r.Installable(c)}; got != [3]applicability.Truth{
		applicability.True, applicability.False, applicability.Unknown,
	} {
		t.Errorf("installed, superseded, installable = %v", got)
	}
}

// TestMissingSections: a missing IsInstalled or IsInstallable is unknown.
func TestMissingSections(t *testing.T) {
	r, err := applicability.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &applicability.Context{Machine: machineOf(t, []byte(`{"facts":1}`))}
	if r.Installed(c) != applicability.Unknown || r.Installable(c) != applicability.Unknown {
		t.Errorf("installed %v, installable %v, want unknown", r.Installed(c), r.Installable(c))
	}
}

// TestManifest: of a component package's manifest the first identity counts,
// nothing behind it is read, and the sections after it still are.
func TestManifest(t *testing.T) {
	r, err := applicability.Parse([]byte(`<IsInstalled><True/></IsInstalled><Metadata>
<CbsPackageApplicabilityMetadata><assembly><assemblyIdentity name="P" publicKeyToken="t" processorArchitecture="amd64" language="de-DE" version="1.2"/>
<assemblyIdentity name="Other"/><unclosed></assembly></CbsPackageApplicabilityMetadata></Metadata ><IsInstallable><False/></IsInstallable>`))
	if err != nil {
		t.Fatal(err)
	}
	if r.Metadata == nil || r.Metadata.Package != "P~t~amd64~de-DE~1.2" {
		t.Errorf("metadata %+v", r.Metadata)
	}
	if r.IsInstalled == nil || r.IsInstallable == nil {
		t.Errorf("sections %v, %v", r.IsInstalled, r.IsInstallable)
	}
}

func BenchmarkParseManifest(b *testing.B) {
	rules := []byte(`<IsInstalled><CbsPackageInstalled/></IsInstalled><Metadata><CbsPackageApplicabilityMetadata><assembly><assemblyIdentity name="P"/>` +
		strings.Repeat(`<component><assemblyIdentity name="Part" version="1.0.0.0"/></component>`, 500_000) +
		`</assembly></CbsPackageApplicabilityMetadata></Metadata>`)
	b.SetBytes(int64(len(rules)))
	for b.Loop() {
		if _, err := applicability.Parse(rules); err != nil {
			b.Fatal(err)
		}
	}
}

func TestMalformedRules(t *testing.T) {
	for name, rules := range map[string]string{
		"unclosed section":  `<IsInstalled><True/>`,
		"unclosed operator": `<IsInstalled><And><True/>`,
		"unclosed metadata": `<Metadata><CbsPackageApplicabilityMetadata>`,
		"unclosed feature":  `<IsInstalled><m.MsiFeatureInstalledForProduct><m.Feature>A`,
		"crossed tags":      `<IsInstalled><And></IsInstalled></And>`,
		"not XML":           `IsInstalled < True`,
		"bare attribute":    `<IsInstalled><b.Processor Architecture=9/></IsInstalled>`,
	} {
		t.Run(name, func(t *testing.T) {
			r, err := applicability.Parse([]byte(rules))
			if err == nil {
				t.Fatalf("no error, rules %+v", r)
			}
			if !strings.Contains(err.Error(), "offset") || errors.Is(err, io.EOF) {
				t.Errorf("error %q names no offset, or is io.EOF", err)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	deep := "<IsInstalled>" + strings.Repeat("<Not>", 200) + "<True/>" + strings.Repeat("</Not>", 200) + "</IsInstalled>"
	many := "<IsInstalled><Or>" + strings.Repeat("<True/>", 50) + "</Or></IsInstalled>"
	features := "<IsInstalled><m.MsiFeatureInstalledForProduct>" + strings.Repeat("<m.Feature>A</m.Feature>", 50) +
		"</m.MsiFeatureInstalledForProduct></IsInstalled>"
	for name, c := range map[string]struct {
		rules  string
		limits applicability.Limits
	}{
		"depth by default": {deep, applicability.Limits{}},
		"depth":            {many, applicability.Limits{Depth: 1}},
		"nodes":            {many, applicability.Limits{Nodes: 20}},
		"features":         {features, applicability.Limits{Nodes: 20}},
		"bytes":            {many, applicability.Limits{Bytes: 100}},
		"unknown section":  {strings.Repeat("<x>", 1000), applicability.Limits{}},
		"depth of a part":  {"<IsInstalled><m.MsiFeatureInstalledForProduct><m.Feature>" + strings.Repeat("<x>", 1000), applicability.Limits{}},
		"depth of a patch": {"<Metadata><m.MsiPatchMetadata>" + strings.Repeat("<x>", 1000), applicability.Limits{}},
		"depth of others":  {"<Metadata><other>" + strings.Repeat("<x>", 1000), applicability.Limits{}},
		"attributes":       {"<IsInstalled><True " + strings.Repeat(`a="" `, 300_000) + "/></IsInstalled>", applicability.Limits{}},
		"text":             {"<IsInstalled>" + strings.Repeat("a", 2<<20) + "</IsInstalled>", applicability.Limits{}},
		"identity":         {"<Metadata><CbsPackageApplicabilityMetadata a='" + strings.Repeat("a", 2<<20) + "'/></Metadata>", applicability.Limits{}},
	} {
		t.Run(name, func(t *testing.T) {
			p := applicability.Parser{Limits: c.limits}
			if _, err := p.Parse([]byte(c.rules)); !errors.Is(err, waptwua.ErrLimit) || !strings.Contains(err.Error(), "rules") {
				t.Errorf("error %.200v, want ErrLimit", err)
			}
		})
	}
}

func TestAsked(t *testing.T) {
	r, err := applicability.Parse([]byte(`<IsInstalled><And>
<b.RegDword Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Acme" Value="Level" Data="1" RegType32="true"/>
<b.RegKeyLoop Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Loop" TrueIf="Any"><b.RegKeyExists Key="HKEY_LOOP_TARGET" Subkey="Setup"/></b.RegKeyLoop>
<b.FileVersionPrependRegSz Path="a.dll" Version="1.0" Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Acme" Value="Home"/>
<b.FileExists Path="b.dll" Csidl="37"/><b.SystemMetric Index="87" Value="0"/><m.MsiProductInstalled ProductCode="{X}"/>
<DeviceAttribute Name="OSVersion" Type="Version" Value="1.0"/></And></IsInstalled>
<IsInstallable><Not><ProductReleaseInstalled Name="Server.OS.amd64" Version="1.0"/></Not></IsInstallable>`))
	if err != nil {
		t.Fatal(err)
	}
	var q applicability.Questions
	q.Add(r)
	q.Add(r)
	want := applicability.Asked{
		Keys:    []string{`HKEY_LOOP_TARGET\Setup`},
		Values:  []string{`HKEY_LOCAL_MACHINE\SOFTWARE\Acme@Home`, `HKEY_LOCAL_MACHINE\SOFTWARE\Acme|32@Level`},
		Loops:   []string{`HKEY_LOCAL_MACHINE\SOFTWARE\Loop`},
		Files:   []string{"37:b.dll", `HKEY_LOCAL_MACHINE\SOFTWARE\Acme@Home:a.dll`},
		Metrics: []int{87}, Products: []string{"{X}"}, Releases: []string{"Server.OS.amd64"}, Attributes: []string{"OSVersion"},
	}
	if diff := cmp.Diff(want, q.Asked()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}
