package applicability_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua/applicability"
)

// TestTrace shows the operator, its attributes, what the machine said and the
// result of everything that was evaluated, and nothing else.
func TestTrace(t *testing.T) {
	r, err := applicability.Parse([]byte(`<IsInstalled><Or>
<b.FileVersion Path="a.dll" Csidl="37" Comparison="LessThan" Version="2.0"/>
<Not><b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Acme"/></Not>
<b.Processor Architecture="9"/></Or></IsInstalled>`))
	if err != nil {
		t.Fatal(err)
	}
	m := machineOf(t, []byte(`{"facts":1, "complete":["registry"], "folders":{"37":"C:\\S"}, "files":{"C:\\S\\a.dll":{"version":"3.0"}}}`))
	var trace applicability.Trace
	r.Installed((&applicability.Context{Machine: m}).WithTrace(&trace))
	got, err := json.MarshalIndent(trace.Steps, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want := `[
 {
  "operator": "IsInstalled",
  "result": "true",
  "steps": [
   {
    "operator": "Or",
    "result": "true",
    "steps": [
     {
      "operator": "b.FileVersion",
      "attributes": [
       {
        "name": "Path",
        "value": "a.dll"
       },
       {
        "name": "Csidl",
        "value": "37"
       },
       {
        "name": "Comparison",
        "value": "LessThan"
       },
       {
        "name": "Version",
        "value": "2.0.0.0"
       }
      ],
      "said": "c:\\s\\a.dll version 3.0.0.0",
      "result": "false"
     },
     {
      "operator": "Not",
      "result": "true",
      "steps": [
       {
        "operator": "b.RegKeyExists",
        "attributes": [
         {
          "name": "Key",
          "value": "HKEY_LOCAL_MACHINE"
         },
         {
          "name": "Subkey",
          "value": "SOFTWARE\\Acme"
         }
        ],
        "said": "absent",
        "result": "false"
       }
      ]
     }
    ]
   }
  ]
 }
]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("trace (-want +got):\n%s", diff)
	}
}

// TestOperatorNames parses each operator and expects its own name in the
// trace.
func TestOperatorNames(t *testing.T) {
	attrs := ` Key="HKEY_LOCAL_MACHINE" Subkey="S" Value="1" Data="1" Version="1.0" Modified="2020-01-01T00:00:00Z" Created="2020-01-01T00:00:00Z"` +
		` Size="1" Index="1" Name="n" Path="p" ProductCode="{P}" PatchCode="{Q}" TrueIf="Any" NumberOfProcessors="1" Language="1033" Namespace="n" WqlQuery="q"`
	m := machineOf(t, []byte(`{"facts":1}`))
	for _, name := range []string{
		"And", "Or", "True", "False", "Mystery",
		"b.Processor", "b.WindowsVersion", "b.WindowsLanguage", "b.MuiInstalled", "b.MuiLanguageInstalled", "b.SystemMetric",
		"b.LicenseDword", "b.NumberOfProcessors", "b.ClusteredOS", "b.WmiQuery",
		"b.RegKeyExists", "b.RegValueExists", "b.RegDword", "b.RegSz", "b.RegExpandSz", "b.RegSzToVersion", "b.RegKeyLoop",
		"b.FileExists", "b.FileVersion", "b.FileSize", "b.FileModified", "b.FileCreated",
		"b.FileExistsPrependRegSz", "b.FileVersionPrependRegSz",
		"m.MsiProductInstalled", "m.MsiPatchInstalledForProduct", "m.MsiPatchInstalled", "m.MsiPatchInstallable", "m.MsiPatchSuperseded",
		"m.MsiApplicationInstalled", "CbsPackageInstalled", "CbsPackageInstallable", "CbsPackageInstalledByIdentity",
		"ProductReleaseInstalled", "ProductReleaseVersion", "DeviceAttribute",
	} {
		r, err := applicability.Parse([]byte("<IsInstalled><" + name + attrs + "/></IsInstalled>"))
		if err != nil {
			t.Fatal(err)
		}
		var trace applicability.Trace
		r.Installed((&applicability.Context{Machine: m}).WithTrace(&trace))
		if got := trace.Steps[0].Steps[0].Operator; got != name {
			t.Errorf("operator %q is called %q", name, got)
		}
		if known := len(r.Unsupported) == 0; known == (name == "Mystery") {
			t.Errorf("operator %q: unsupported %v", name, r.Unsupported)
		}
	}
}
