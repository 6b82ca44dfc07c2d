package inventory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"waptwua"
	"waptwua/applicability"
	"waptwua/internal/machines"
	"waptwua/inventory"
)

func facts(t testing.TB, s string) *applicability.Facts {
	t.Helper()
	f, err := applicability.ParseFacts([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestNothingElse holds inventories to what is asked.
func TestNothingElse(t *testing.T) {
	f, err := machines.Facts("win7-sp1-x64")
	if err != nil {
		t.Fatal(err)
	}
	got, report := take(t, f, applicability.Asked{})
	want := &applicability.Facts{Format: 1, Name: f.Name, OS: f.OS, Processor: f.Processor, Language: f.Language}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(applicability.Facts{}, "Comment"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("nothing was asked (-want +got):\n%s", diff)
	}
	if answered, asked := report.Answered(); answered != 1 || asked != 1 {
		t.Errorf("%d of %d answers, want the platform only", answered, asked)
	}
}

// TestAgain takes the inventory of an inventory.
func TestAgain(t *testing.T) {
	asked := realGraph(t).Asked()
	for _, name := range machines.Names() {
		f, err := machines.Facts(name)
		if err != nil {
			t.Fatal(err)
		}
		once, _ := take(t, f, asked)
		twice, _ := take(t, once, asked)
		lower := cmp.Transformer("lower", strings.ToLower)
		if diff := cmp.Diff(once, twice, lower, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
			t.Errorf("%s (-once +twice):\n%s", name, diff)
		}
	}
}

const loopFacts = `{"facts": 1, "processor": {"architecture": 9}, %s "registry": {
	"HKLM\\SOFTWARE\\L": {}, "HKLM\\SOFTWARE\\L\\1": {"Dir": "C:\\one", "V": 1}, "HKLM\\SOFTWARE\\L\\2\\sub": {"V": 2},
	"HKLM\\SOFTWARE\\L\\2\\deep\\x": {"W": 3}, "HKLM\\SOFTWARE\\Secret": {"S": 1}},
	"files": {"C:\\one\\a.dll": {"size": 3}}}`

func TestLoops(t *testing.T) {
	asked := applicability.Asked{
		Loops:  []string{`HKEY_LOCAL_MACHINE\SOFTWARE\L`, `HKEY_LOOP_TARGET\deep`, `HKEY_LOCAL_MACHINE\SOFTWARE\None`},
		Values: []string{`HKEY_LOOP_TARGET\@V`, `HKEY_LOOP_TARGET\sub@V`, `HKEY_LOOP_TARGET\@W`, `HKEY_LOOP_TARGET\@Dir`},
		Files:  []string{`HKEY_LOOP_TARGET\@Dir:a.dll`},
	}
	got, _ := take(t, facts(t, fmt.Sprintf(loopFacts, `"complete": ["registry", "files"],`)), asked)
	one := applicability.DWORD
	want := map[string]applicability.Key{
		`HKLM\SOFTWARE\L`:               {},
		`HKLM\SOFTWARE\None`:            nil,
		`hklm\software\l\1`:             {"V": one(1), "W": nil, "Dir": applicability.SZ(`C:\one`)},
		`hklm\software\l\1\deep`:        nil,
		`hklm\software\l\1\sub`:         nil,
		`hklm\software\l\2`:             {"V": nil, "W": nil, "Dir": nil},
		`hklm\software\l\2\sub`:         {"V": one(2)},
		`hklm\software\l\2\deep`:        {},
		`hklm\software\l\2\deep\x`:      {"V": nil, "W": one(3), "Dir": nil},
		`hklm\software\l\2\deep\x\sub`:  nil,
		`hklm\software\l\2\deep\x\deep`: nil,
	}
	if diff := cmp.Diff(want, got.Registry); diff != "" {
		t.Errorf("registry (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`HKLM\SOFTWARE\L`, `hklm\software\l\2\deep`}, got.Subkeys); diff != "" {
		t.Errorf("keys whose sub-keys are known (-want +got):\n%s", diff)
	}
	if info := got.Files[`C:\one\a.dll`]; info == nil || *info.Size != 3 {
		t.Errorf("files %v, want the one below the loop's folder", got.Files)
	}
	partial, report := take(t, facts(t, fmt.Sprintf(loopFacts, "")), asked)
	if len(partial.Subkeys) != 0 || len(report.Unknown) == 0 {
		t.Errorf("sub-keys of a partial recording count as all: %v", partial.Subkeys)
	}
}

const patchRules = `<IsInstalled><m.MsiPatchInstalled/></IsInstalled><IsSuperseded><m.MsiPatchSuperseded/></IsSuperseded>` +
	`<IsInstallable><m.MsiPatchInstallable/></IsInstallable><Metadata><m.MsiPatchMetadata><MsiPatch PatchGUID="{X}">` +
	`<TargetProduct><TargetProductCode>{T}</TargetProductCode></TargetProduct></MsiPatch></m.MsiPatchMetadata></Metadata>`

// TestPatches takes inventories of products that rules ask about only by
// their patches.
func TestPatches(t *testing.T) {
	rules, err := applicability.Parse([]byte(patchRules))
	if err != nil {
		t.Fatal(err)
	}
	var q applicability.Questions
	q.Add(rules)
	for name, products := range map[string]string{
		"applied to an unasked product": `"{A}": {"version": "1.0", "patches": {"{x}": 1, "{y}": 1}}, "{T}": {"version": "1.0"}`,
		"superseded there":              `"{A}": {"version": "1.0", "patches": {"{X}": 2}}, "{T}": null`,
		"nowhere, target installed":     `"{T}": {"version": "1.0"}`,
		"nowhere":                       `"{A}": {"version": "1.0"}`,
	} {
		for _, complete := range []string{`"complete": ["products"],`, ""} {
			t.Run(name+complete, func(t *testing.T) {
				full := facts(t, `{"facts": 1, `+complete+` "products": {`+products+`}}`)
				restricted, _ := take(t, full, q.Asked())
				if (len(restricted.Patches) == 1) != (complete != "") {
					t.Errorf("patches whose products are known: %v", restricted.Patches)
				}
				for what, on := range map[string]func(*applicability.Context) applicability.Truth{
					"installed": rules.Installed, "installable": rules.Installable, "superseded": rules.Superseded,
				} {
					want, got := on(context1(t, full)), on(context1(t, restricted))
					if want != got {
						t.Errorf("%s: %v on the whole recording, %v on its inventory", what, want, got)
					}
				}
			})
		}
	}
}

func context1(t *testing.T, f *applicability.Facts) *applicability.Context {
	t.Helper()
	m, err := applicability.NewMachine(f)
	if err != nil {
		t.Fatal(err)
	}
	return &applicability.Context{Machine: m}
}

func TestLimits(t *testing.T) {
	m, err := applicability.NewMachine(facts(t, fmt.Sprintf(loopFacts, `"complete": ["registry"],`)))
	if err != nil {
		t.Fatal(err)
	}
	asked := applicability.Asked{
		Loops:  []string{`HKEY_LOCAL_MACHINE\SOFTWARE\L`},
		Values: []string{`HKEY_LOCAL_MACHINE\SOFTWARE\L\1@Dir`, `HKEY_LOOP_TARGET\@V`},
	}
	for name, l := range map[string]inventory.Limits{"questions": {Questions: 2}, "answers": {Answers: 3}} {
		t.Run(name, func(t *testing.T) {
			_, _, err := inventory.Take(t.Context(), inventory.Record(m), asked, inventory.Options{Limits: l})
			if !errors.Is(err, waptwua.ErrLimit) {
				t.Errorf("error %v, want ErrLimit", err)
			}
		})
	}
	got, report, err := inventory.Take(t.Context(), inventory.Record(m), asked,
		inventory.Options{Limits: inventory.Limits{Subkeys: 1, Value: 3, Problems: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Subkeys) != 0 || got.Registry[`HKLM\SOFTWARE\L\1`]["Dir"] != nil {
		t.Errorf("recorded beyond the limits: %v, %v", got.Subkeys, got.Registry)
	}
	if len(report.Unknown) != 1 || report.More == 0 {
		t.Errorf("problems %v and %d more, want one and some", report.Unknown, report.More)
	}
}

// TestStopped stops an inventory while it goes on.
func TestStopped(t *testing.T) {
	f, err := machines.Facts("win7-sp1-x64")
	if err != nil {
		t.Fatal(err)
	}
	m, err := applicability.NewMachine(f)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	seen := 0
	_, _, err = inventory.Take(ctx, inventory.Record(m), applicability.Asked{Packages: []string{"a", "b", "c"}},
		inventory.Options{Progress: func(p inventory.Progress) {
			if seen++; p.Section == applicability.SectionPackages && p.Done == 1 {
				cancel()
			}
		}})
	if !errors.Is(err, context.Canceled) || seen == 0 {
		t.Errorf("stopped: %v after %d calls of Progress", err, seen)
	}
}

// TestNoRoles asks a host that can tell nothing.
func TestNoRoles(t *testing.T) {
	asked := applicability.Asked{
		Keys: []string{`HKEY_LOCAL_MACHINE\A`}, Loops: []string{`HKEY_LOCAL_MACHINE\A`}, Files: []string{"36:a", `0:C:\a`}, Queries: []string{"root: SELECT * FROM A"},
		Metrics: []int{1}, Licenses: []string{"L"}, Products: []string{"{P}"}, Patches: []string{"{X}"},
		Packages: []string{"p"}, Releases: []string{"r"}, Attributes: []string{"a"},
	}
	got, report, err := inventory.Take(t.Context(), inventory.Patient(inventory.Host{}, inventory.Patience{}), asked, inventory.Options{At: at})
	if err != nil {
		t.Fatal(err)
	}
	want := &applicability.Facts{Format: 1}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(applicability.Facts{}, "Comment"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("something is known (-want +got):\n%s", diff)
	}
	if answered, asked := report.Answered(); answered != 0 || asked != 12 {
		t.Errorf("%d of %d answers, want 0 of 12", answered, asked)
	}
}
