package applicability_test

import (
	"strings"
	"testing"

	"waptwua/applicability"
)

// TestDoubt: each unknown operator says why it is.
func TestDoubt(t *testing.T) {
	const (
		pkg   = `<Metadata><CbsPackageApplicabilityMetadata><assembly><assemblyIdentity name="P" version="1.0" processorArchitecture="amd64" language="neutral" publicKeyToken="31bf3856ad364e35"/></assembly></CbsPackageApplicabilityMetadata></Metadata>`
		patch = `<Metadata><MsiPatchMetadata><MsiPatch PatchGUID="{00000000-0000-0000-0000-000000000001}"><TargetProduct/></MsiPatch></MsiPatchMetadata></Metadata>`
	)
	for rule, want := range map[string]applicability.Doubt{
		`<True/>`: applicability.NoDoubt,
		`<b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="X"/>`: applicability.NotRecorded,
		`<Not><b.Processor Architecture="9"/></Not>`:            applicability.NotRecorded,
		`<b.Platform/>`:                              applicability.NotUnderstood,
		`<b.RegDword Key="HKEY_LOCAL_MACHINE"/>`:     applicability.NotUnderstood,
		`<CbsPackageInstallable/>`:                   applicability.NotInArchive,
		`<CbsPackageInstallable/>` + "|" + pkg:       applicability.OnlyWindows,
		`<CbsPackageInstalled/>` + "|" + pkg:         applicability.NotRecorded,
		`<m.MsiPatchSuperseded/>`:                    applicability.NotInArchive,
		`<m.MsiPatchInstalled/>` + "|" + patch:       applicability.NotRecorded,
		`<m.MsiApplicationInstallable/>`:             applicability.NotInArchive,
		`<And><True/><CbsPackageInstallable/></And>`: applicability.NotInArchive,
	} {
		text, metadata, _ := strings.Cut(rule, "|")
		r, err := applicability.Parse([]byte("<IsInstalled>" + text + "</IsInstalled>" + metadata))
		if err != nil {
			t.Fatal(err)
		}
		var trace applicability.Trace
		r.Installed((&applicability.Context{Machine: machineOf(t, []byte(`{"facts":1}`))}).WithTrace(&trace))
		if got := deepestDoubt(trace.Steps); got != want {
			t.Errorf("%s: %q, want %q", rule, got, want)
		}
		if want == applicability.OnlyWindows && !r.AsksWindows() {
			t.Errorf("%s is not said to ask Windows", rule)
		}
	}
}

func deepestDoubt(steps []*applicability.Step) applicability.Doubt {
	for _, s := range steps {
		if d := max(s.Doubt, deepestDoubt(s.Steps)); d != applicability.NoDoubt {
			return d
		}
	}
	return applicability.NoDoubt
}
