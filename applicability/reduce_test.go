package applicability_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"waptwua/applicability"
)

// manifest are the rules of a component package around a manifest.
func manifest(inside string) string {
	return `<IsInstalled><CbsPackageInstalled/></IsInstalled><IsInstallable><CbsPackageInstallable/></IsInstallable>` +
		`<Metadata><CbsPackageApplicabilityMetadata>` + inside + `</CbsPackageApplicabilityMetadata></Metadata>`
}

const identity = `<assemblyIdentity name="Package_for_KB1" version="6.1.1.0" processorArchitecture="amd64" language="neutral" publicKeyToken="31bf3856ad364e35"/>`

// TestReduce: reduced rules mean what they meant, and a manifest shrinks.
func TestReduce(t *testing.T) {
	long := strings.Repeat(`<update name="x"><component><assemblyIdentity name="y"/></component></update>`, 1000)
	for name, c := range map[string]struct {
		rules   string
		shrinks bool
	}{
		"no manifest":           {`<IsInstalled><True/></IsInstalled>`, false},
		"empty":                 {``, false},
		"manifest":              {manifest(`<assembly>` + identity + long + `</assembly>`), true},
		"open identity":         {manifest(`<assembly><assemblyIdentity name="n" version="1"></assemblyIdentity>` + long + `</assembly>`), true},
		"bracket in a value":    {manifest(`<assembly description="a > b"><assemblyIdentity name="n>m" version='1'/>` + long + `</assembly>`), true},
		"blanks before":         {strings.Replace(manifest(`<assembly>`+identity+long+`</assembly>`), "<Metadata>", "<Metadata>\r\n  ", 1), true},
		"no identity":           {manifest(`<assembly>` + strings.ReplaceAll(long, "assemblyIdentity", "other") + `</assembly>`), false},
		"identity in a comment": {manifest(`<!-- <assemblyIdentity name="wrong"/> --><assembly>` + identity + long + `</assembly>`), false},
		"another element":       {manifest(`<assembly><assemblyIdentityX name="z"/>` + identity + long + `</assembly>`), false},
		"manifest elsewhere":    {`<CbsPackageApplicabilityMetadata>` + identity + `</CbsPackageApplicabilityMetadata>`, false},
		"rules behind":          {manifest(`<assembly>`+identity+long+`</assembly>`) + `<IsSuperseded><False/></IsSuperseded>`, true},
		"not closed":            {`<Metadata><CbsPackageApplicabilityMetadata>` + identity, false},
	} {
		t.Run(name, func(t *testing.T) {
			reduced := applicability.Reduce([]byte(c.rules))
			if got := len(reduced) < len(c.rules)/2; got != c.shrinks {
				t.Errorf("from %d to %d bytes", len(c.rules), len(reduced))
			}
			compareReduced(t, []byte(c.rules), reduced)
		})
	}
}

func compareReduced(t *testing.T, rules, reduced []byte) {
	t.Helper()
	want, err := applicability.Parse(rules)
	got, err2 := applicability.Parse(reduced)
	if err != nil {
		return // Reduce may drop what is wrong, but not make it wrong
	}
	if err2 != nil {
		t.Fatalf("reduced rules cannot be parsed: %v in\n%s", err2, reduced)
	}
	if diff := cmp.Diff(want, got, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
		t.Errorf("(-rules +reduced):\n%s", diff)
	}
}

// FuzzReduce: what can be parsed, can be parsed after Reduce, to the same.
func FuzzReduce(f *testing.F) {
	for _, inside := range []string{`<assembly>` + identity + `</assembly>`, `<assembly><assemblyIdentity name='a"b'>x</assemblyIdentity></assembly>`, identity} {
		f.Add([]byte(manifest(inside)))
	}
	f.Fuzz(func(t *testing.T, rules []byte) {
		reduced := applicability.Reduce(rules)
		compareReduced(t, rules, reduced)
		if again := applicability.Reduce(reduced); !bytes.Equal(reduced, again) {
			t.Errorf("reduced again it differs:\n%s\n%s", reduced, again)
		}
	})
}

// TestReduceAbridged: wherever bytes are left out, rules are reduced to what
// they would be if they were complete, or not at all.
func TestReduceAbridged(t *testing.T) {
	long := strings.Repeat(`<update name="x"><assemblyIdentity name="y"/></update>`, 20)
	forms := []string{
		manifest(`<assembly>` + identity + long + `</assembly>`),
		manifest(`<assembly>`+identity+long+`</assembly>`) + `<IsSuperseded><False/></IsSuperseded>`,
		manifest(`<!-- ` + identity + ` --><assembly>` + long + `</assembly>`),
		manifest(`<assembly>`+identity+long+`</assembly>`) + manifest(long),
		`<IsInstalled><True/></IsInstalled>` + strings.Repeat(" ", 500),
	}
	var reduced int
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SampledFrom(forms).Draw(t, "rules")
		from := rapid.IntRange(0, len(rules)).Draw(t, "from")
		to := rapid.IntRange(from, len(rules)).Draw(t, "to")
		got, ok := applicability.ReduceAbridged([]byte(rules[:from]+rules[to:]), from)
		if !ok {
			return
		}
		reduced++
		if want := applicability.Reduce([]byte(rules)); !bytes.Equal(got, want) {
			t.Fatalf("without %d to %d: %s\nwant %s", from, to, got, want)
		}
		if !applicability.EntersManifest([]byte(rules[:from])) {
			t.Fatalf("%q is not seen to enter a manifest", rules[:from])
		}
	})
	if reduced == 0 {
		t.Error("nothing was reduced")
	}
}
