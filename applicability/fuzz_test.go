package applicability_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"golang.org/x/tools/txtar"

	"waptwua"
	"waptwua/applicability"
)

// FuzzParse holds the parser to: an error or rules, never a panic, and the rules
// give one answer, with a trace and without, reduced or not.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`<IsInstalled><And><b.Processor Architecture="9"/><Not><CbsPackageInstalled/></Not></And></IsInstalled>`))
	f.Add([]byte(`<IsInstallable><b.RegKeyLoop Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE" TrueIf="All"><b.RegDword Key="HKEY_LOOP_TARGET" Subkey="" Value="X" Data="1"/></b.RegKeyLoop></IsInstallable>`))
	f.Add([]byte(`<IsInstalled><b.WmiQuery Namespace="root\cimv2" WqlQuery="SELECT * FROM Win32_ComputerSystem WHERE (A LIKE '[a-z]%' OR NOT B = 1) AND C IS NULL"/></IsInstalled>`))
	f.Add([]byte(`<IsInstalled><m.MsiPatchInstalled/></IsInstalled><Metadata><m.MsiPatchMetadata><MsiPatch PatchGUID="{A}"><TargetProduct><TargetProductCode>{B}</TargetProductCode></TargetProduct></MsiPatch></m.MsiPatchMetadata></Metadata>`))
	archive, err := txtar.ParseFile("testdata/registry.txtar")
	if err != nil {
		f.Fatal(err)
	}
	m := machineOf(f, archive.Files[0].Data)
	f.Fuzz(func(t *testing.T, rules []byte) {
		p := applicability.Parser{Limits: applicability.Limits{Bytes: 1 << 16, Nodes: 2000, Depth: 50}}
		r, err := p.Parse(rules)
		if err != nil {
			if r != nil {
				t.Fatal("rules beside an error")
			}
			return
		}
		reduced, err := p.Parse(applicability.Reduce(rules))
		if err != nil {
			t.Fatalf("reduced rules: %v", err)
		}
		if !reflect.DeepEqual(r.Metadata, reduced.Metadata) || !slices.Equal(r.Unsupported, reduced.Unsupported) {
			t.Fatalf("rules %+v, reduced %+v", r, reduced)
		}
		plain := answers(r, &applicability.Context{Machine: m})
		if traced := answers(r, (&applicability.Context{Machine: m}).WithTrace(new(applicability.Trace))); plain != traced {
			t.Fatalf("plain %v, traced %v", plain, traced)
		}
		if got := answers(reduced, &applicability.Context{Machine: m}); plain != got {
			t.Fatalf("plain %v, reduced %v", plain, got)
		}
	})
}

func answers(r *applicability.Rules, c *applicability.Context) [3]applicability.Truth {
	return [3]applicability.Truth{r.Installed(c), r.Installable(c), r.Superseded(c)}
}

// FuzzFacts: facts that are accepted can be indexed and written again.
func FuzzFacts(f *testing.F) {
	f.Add([]byte(`{"facts":1,"registry":{"HKLM\\A":{"v":1,"w":"x","z":null},"HKLM\\B":null},"files":{"C:\\a":{"version":"1.0"}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		facts, err := applicability.ParseFacts(b)
		if err != nil {
			if errors.Is(err, waptwua.ErrLimit) && len(b) < 1<<20 {
				t.Fatal("a small recording exceeds a limit")
			}
			return
		}
		if _, err := applicability.NewMachine(facts); err != nil {
			t.Fatalf("accepted, but: %v", err)
		}
		c, err := facts.Clone()
		if err != nil {
			t.Fatalf("cannot be copied: %v", err)
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("the copy is not valid: %v", err)
		}
	})
}
