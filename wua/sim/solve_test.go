package sim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"waptwua/applicability"
)

const msi = "{11111111-2222-3333-4444-555555555555}"

// bare is a Windows 10 with nothing on it but a product and a file.
func bare() *applicability.Facts {
	v := "10.0.1.0"
	return &applicability.Facts{
		Format: applicability.FactsFormat, Name: "bare", Complete: applicability.Sections(),
		OS:        &applicability.OS{Major: 10, Build: 19045, Revision: 100, ProductType: 1},
		Processor: &applicability.Processor{Architecture: applicability.ArchX64},
		Language:  &applicability.Language{UI: "en-US"},
		Folders:   applicability.StandardFolders(applicability.ArchX64),
		Files:     map[string]*applicability.FileInfo{`C:\WINDOWS\system32\Present.dll`: {Version: &v}},
		Products:  map[string]*applicability.Product{msi: {Version: "1.2.3", Language: 1033}},
		Registry: map[string]applicability.Key{
			`HKLM\SOFTWARE\Present`:     {"Number": applicability.DWORD(5), "Folder": applicability.SZ(`C:\Folder\`)},
			`HKLM\SOFTWARE\Loop\First`:  {},
			`HKLM\SOFTWARE\Loop\Second`: {"Kind": applicability.SZ("mine")},
		},
	}
}

func parse(t testing.TB, isInstalled, metadata string) *applicability.Rules {
	t.Helper()
	r, err := applicability.Parse([]byte("<IsInstalled>" + isInstalled + "</IsInstalled>" + metadata))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Unsupported) > 0 && !strings.Contains(isInstalled, "Unheard") {
		t.Fatalf("the rule has unsupported operators: %v", r.Unsupported)
	}
	return r
}

func installedOn(t testing.TB, f *applicability.Facts, r *applicability.Rules) applicability.Truth {
	t.Helper()
	m, err := applicability.NewMachine(f)
	if err != nil {
		t.Fatal(err)
	}
	return r.Installed(&applicability.Context{Machine: m})
}

const present = `Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Present" Value="Number"`

func TestHold(t *testing.T) {
	const (
		patch = `<Metadata><MsiPatchMetadata><MsiPatch PatchGUID="{AAAAAAAA-2222-3333-4444-555555555555}"><TargetProduct><TargetProductCode>` + msi + `</TargetProductCode></TargetProduct></MsiPatch></MsiPatchMetadata></Metadata>`
		cbs   = `<Metadata><CbsPackageApplicabilityMetadata><assembly><assemblyIdentity name="Package_for_KB1" publicKeyToken="31bf3856ad364e35" processorArchitecture="amd64" language="neutral" version="6.1.1.0"/></assembly></CbsPackageApplicabilityMetadata></Metadata>`
		loop  = `<b.RegKeyLoop Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\%s" TrueIf="Any"><And><b.RegSz Key="HKEY_LOOP_TARGET" Subkey="" Value="Kind" Comparison="EqualTo" Data="mine"/><b.RegDword Key="HKEY_LOOP_TARGET" Subkey="Below" Value="Done" Comparison="EqualTo" Data="1"/><b.Processor Architecture="9"/></And></b.RegKeyLoop>`
	)
	tests := map[string]struct {
		rule, metadata string
		possible       bool
	}{
		"true":                       {"<True/>", "", true},
		"false":                      {"<False/>", "", false},
		"holds already":              {`<b.RegDword ` + present + ` Comparison="EqualTo" Data="5"/>`, "", true},
		"number above":               {`<b.RegDword ` + present + ` Comparison="GreaterThan" Data="7"/>`, "", true},
		"number below":               {`<b.RegDword ` + present + ` Comparison="LessThan" Data="5"/>`, "", true},
		"number below zero":          {`<b.RegDword ` + present + ` Comparison="LessThan" Data="0"/>`, "", false},
		"number above all":           {`<b.RegDword ` + present + ` Comparison="GreaterThan" Data="4294967295"/>`, "", false},
		"new key":                    {`<b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\New"/>`, "", true},
		"no key":                     {`<Not><b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Present"/></Not>`, "", true},
		"no value":                   {`<Not><b.RegValueExists ` + present + `/></Not>`, "", true},
		"value of a type":            {`<b.RegValueExists ` + present + ` Type="REG_MULTI_SZ"/>`, "", true},
		"text":                       {`<b.RegSz Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\New" Value="Text" Comparison="EndsWith" Data="end"/>`, "", true},
		"version as text":            {`<b.RegSzToVersion Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\New" Value="V" Comparison="GreaterThan" Data="1.2"/>`, "", true},
		"32-bit view":                {`<b.RegDword Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\New" Value="V" RegType32="true" Comparison="EqualTo" Data="1"/>`, "", true},
		"sub-key that is there":      {fmt.Sprintf(loop, "Loop"), "", true},
		"sub-key that is made":       {fmt.Sprintf(loop, "Nowhere"), "", true},
		"file in a newer version":    {`<b.FileVersion Csidl="37" Path="present.dll" Comparison="GreaterThanOrEqualTo" Version="10.0.2.0"/>`, "", true},
		"file below a version":       {`<b.FileVersion Csidl="37" Path="present.dll" Comparison="LessThan" Version="10.0.0.0"/>`, "", true},
		"file below zero":            {`<b.FileVersion Csidl="37" Path="present.dll" Comparison="LessThan" Version="0.0.0.0"/>`, "", false},
		"new file":                   {`<b.FileExists Csidl="36" Path="new\file.exe" Size="12" Version="1.2.3.4" Language="1033"/>`, "", true},
		"no file":                    {`<Not><b.FileExists Csidl="37" Path="PRESENT.DLL"/></Not>`, "", true},
		"file below a value":         {`<b.FileVersionPrependRegSz Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Present" Value="Folder" Path="x.dll" Comparison="EqualTo" Version="1.0.0.0"/>`, "", true},
		"file below no value":        {`<b.FileVersionPrependRegSz Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Nowhere" Value="Folder" Path="x.dll" Comparison="EqualTo" Version="1.0.0.0"/>`, "", false},
		"product in a version":       {`<m.MsiProductInstalled ProductCode="` + msi + `" VersionMin="2.0" ExcludeVersionMin="true"/>`, "", true},
		"no product":                 {`<Not><m.MsiProductInstalled ProductCode="` + msi + `"/></Not>`, "", false},
		"patch of the metadata":      {`<m.MsiPatchInstalled/>`, patch, true},
		"patch of no product":        {`<m.MsiPatchInstalled/>`, strings.ReplaceAll(patch, msi, "{22222222-2222-3333-4444-555555555555}"), false},
		"component package":          {`<CbsPackageInstalled/>`, cbs, true},
		"package without metadata":   {`<CbsPackageInstalled/>`, "", false},
		"package by identity":        {`<CbsPackageInstalledByIdentity PackageIdentity="Package_for_KB2~31bf3856ad364e35~amd64~~6.1.1.0"/>`, "", true},
		"installable":                {`<CbsPackageInstallable/>`, cbs, false},
		"release":                    {`<ProductReleaseInstalled Name="Client.OS.rs2.amd64" Version="10.0.19045.5000"/>`, "", true},
		"attribute":                  {`<DeviceAttribute Name="OSVersion" Type="Version" Comparison="GreaterThanOrEqualTo" Value="10.0.19045.5000"/>`, "", true},
		"service pack":               {`<b.WindowsVersion MajorVersion="10" MinorVersion="0" ServicePackMajor="1"/>`, "", true},
		"another Windows":            {`<b.WindowsVersion MajorVersion="6" MinorVersion="1"/>`, "", false},
		"another processor":          {`<b.Processor Architecture="0"/>`, "", false},
		"another language":           {`<b.WindowsLanguage Language="fr"/>`, "", false},
		"hotfix":                     {`<b.WmiQuery Namespace="root\cimv2" WqlQuery="SELECT HotFixID FROM Win32_QuickFixEngineering WHERE HotFixID = 'KB1'"/>`, "", true},
		"another computer":           {`<b.WmiQuery Namespace="root\cimv2" WqlQuery="SELECT * FROM Win32_ComputerSystem WHERE Name = 'x'"/>`, "", false},
		"operator nobody knows":      {`<b.Unheard/>`, "", false},
		"and":                        {`<And><b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="A"/><b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="B"/></And>`, "", true},
		"and with one impossible":    {`<And><b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="A"/><False/></And>`, "", false},
		"and that contradicts":       {`<And><b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="A"/><Not><b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="a"/></Not></And>`, "", false},
		"or with one impossible":     {`<Or><False/><b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="A"/></Or>`, "", true},
		"or whose first contradicts": {`<And><Not><b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="A"/></Not><Or><b.RegDword Key="HKEY_LOCAL_MACHINE" Subkey="A" Value="x" Comparison="EqualTo" Data="1"/><b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="B"/></Or></And>`, "", true},
		"not or":                     {`<Not><Or><b.RegValueExists ` + present + `/><b.FileExists Csidl="37" Path="present.dll"/></Or></Not>`, "", true},
		"not and":                    {`<Not><And><b.Processor Architecture="9"/><b.FileExists Csidl="37" Path="present.dll"/></And></Not>`, "", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			facts, rules := bare(), parse(t, tt.rule, tt.metadata)
			edits, err := hold(facts, rules)
			if (err == nil) != tt.possible {
				t.Fatalf("%v, %v; want possible %v", edits, err, tt.possible)
			}
			if err == nil && installedOn(t, apply(facts, edits), rules) != applicability.True {
				t.Errorf("after %+v the rule does not hold", edits)
			}
		})
	}
}

// drawRule is a random tree of operators that meet on few facts.
func drawRule(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 8).Draw(t, "kind")
	n := rapid.IntRange(0, 2).Draw(t, "n")
	compare := rapid.SampledFrom([]string{"EqualTo", "LessThan", "GreaterThan", "LessThanOrEqualTo", "GreaterThanOrEqualTo"}).Draw(t, "comparison")
	if depth > 0 && kind <= 4 {
		a, b := drawRule(t, depth-1), drawRule(t, depth-1)
		return [...]string{"<And>" + a + b + "</And>", "<Or>" + a + b + "</Or>", "<Not>" + a + "</Not>", "<And>" + b + a + "</And>", "<Or>" + b + a + "</Or>"}[kind]
	}
	switch kind {
	case 5:
		return fmt.Sprintf(`<b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\K%d"/>`, n)
	case 6:
		return fmt.Sprintf(`<b.FileVersion Csidl="37" Path="f%d.dll" Comparison="%s" Version="1.%d"/>`, n%2, compare, n)
	case 7:
		return fmt.Sprintf(`<CbsPackageInstalledByIdentity PackageIdentity="P%d~31bf3856ad364e35~amd64~~1.0.0.0"/>`, n)
	case 8:
		return `<b.Processor Architecture="9"/>`
	}
	return fmt.Sprintf(`<b.RegDword Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\K%d" Value="V" Comparison="%s" Data="%d"/>`, n%2, compare, n)
}

func TestWhatIsSaidToHoldDoesAndTheMachineIsKept(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rule := drawRule(rt, 4)
		facts, rules := bare(), parse(t, rule, "")
		before, _ := json.Marshal(facts)
		edits, err := hold(facts, rules)
		if after, _ := json.Marshal(facts); string(after) != string(before) {
			rt.Fatalf("%s: the recorded machine was changed", rule)
		}
		if err != nil {
			return
		}
		if got := installedOn(t, apply(facts, throughJSON(rt, edits)), rules); got != applicability.True {
			rt.Fatalf("%s: said to hold, is %v", rule, got)
		}
	})
}

// throughJSON gives edits as the state file would.
func throughJSON(t *rapid.T, edits []edit) []edit {
	b, err := json.Marshal(edits)
	if err != nil {
		t.Fatal(err)
	}
	var out []edit
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReleaseMovesTheSystem(t *testing.T) {
	facts := bare()
	edits, err := hold(facts, parse(t, `<ProductReleaseInstalled Name="Client.OS.rs2.amd64" Version="10.0.19045.5000"/>`, ""))
	if err != nil {
		t.Fatal(err)
	}
	if os := apply(facts, edits).OS; os.Revision != 5000 || facts.OS.Revision != 100 {
		t.Errorf("the revision is %d, of the recording %d", os.Revision, facts.OS.Revision)
	}
}
