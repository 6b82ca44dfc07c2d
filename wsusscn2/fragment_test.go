package wsusscn2

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/internal/fixture"
)

const slice2026 = "offline-scan-2026-07-slice/"

func sha1FromBase64(t *testing.T, s string) (d waptwua.SHA1) {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) != len(d) {
		t.Fatalf("%s is no SHA-1: %v", s, err)
	}
	copy(d[:], b)
	return d
}

func TestCoreOfRealFragments(t *testing.T) {
	detectoid, err := ParseCore(fixture.Read(t, slice2026+"c/3"))
	if err != nil {
		t.Fatal(err)
	}
	want := Core{
		ID:         Identity{guid(t, "aabd43ad-a183-4f0b-8eee-8dbbcd67687f"), 100},
		UpdateType: "Detectoid", Rules: []byte(`<IsInstalled><b.Processor Architecture="6" /></IsInstalled>`),
		RulesAt: 144,
	}
	if diff := cmp.Diff(want, detectoid); diff != "" {
		t.Errorf("c/3 (-want +got):\n%s", diff)
	}
	bundle, err := ParseCore(fixture.Read(t, slice2026+"c/1"))
	if err != nil {
		t.Fatal(err)
	}
	member := Identity{guid(t, "7c799fee-65f1-4543-88bb-d21e05df0765"), 100}
	if diff := cmp.Diff([]BundleClause{{Members: []Identity{member}}}, bundle.Bundled); diff != "" {
		t.Errorf("bundled by c/1 (-want +got):\n%s", diff)
	}
	if bundle.Rules != nil || len(bundle.Supersedes) != 10 || !bundle.ExplicitlyDeployable || !bundle.AutoSelectOnWebSites {
		t.Errorf("c/1: %+v", bundle)
	}
	if p := bundle.Prerequisites; len(p) != 4 || !p[0].IsCategory || p[3].IsCategory || p[0].Members[0] != guid(t, "72e7624a-5b00-45d2-b92f-e561c0a6a160") {
		t.Errorf("prerequisites of c/1: %+v", p)
	}
}

func TestExtendedOfRealFragments(t *testing.T) {
	bundle, err := ParseExtended(fixture.Read(t, slice2026+"x/1"))
	if err != nil {
		t.Fatal(err)
	}
	want := Extended{
		DefaultLanguage: "en", Severity: waptwua.Critical, KBs: []waptwua.KB{5087058},
		ProductName: "Microsoft.NetFX.amd64", ReleaseVersion: "2400.22621.9334.1",
		MoreInfoURL: "http://go.microsoft.com/fwlink/?LinkID=507415", SupportURL: "http://go.microsoft.com/fwlink/?LinkId=507417",
	}
	if diff := cmp.Diff(want, bundle); diff != "" {
		t.Errorf("x/1 (-want +got):\n%s", diff)
	}
}

// TestPayloadOfRealUpdate: what package.xml and the x/ fragment say of the
// files of one update is the same.
func TestPayloadOfRealUpdate(t *testing.T) {
	x, err := ParseExtended(fixture.Read(t, slice2026+"x/2"))
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	var digests []waptwua.SHA1
	for _, f := range x.Files {
		sum += f.Size
		digests = append(digests, f.SHA1)
		if f.SHA256.IsZero() || f.Kind == "" {
			t.Errorf("%s: no SHA-256 or kind", f.Name)
		}
	}
	if x.Handler != "OSInstaller" || x.Reboot != waptwua.RebootCanRequest || sum != 12_293_231_150 || x.MaxDownloadSize != sum {
		t.Errorf("handler %s, reboot %s, files of %d bytes, declared %d", x.Handler, x.Reboot, sum, x.MaxDownloadSize)
	}
	var listed []waptwua.SHA1
	_, err = ReadPackage(t.Context(), bytes.NewReader(fixture.Read(t, slice2026+"package.subset.xml")), PackageVisitor{
		Revision: func(r Revision) error {
			if r.RevisionID == 2 {
				listed = slices.Clone(r.PayloadFiles)
			}
			return nil
		},
	}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(digests, listed); len(digests) != 16 || diff != "" {
		t.Errorf("%d digests (-fragment +package.xml):\n%s", len(digests), diff)
	}
}

func TestLocalizedOfRealFragment(t *testing.T) {
	l, err := ParseLocalized(fixture.Read(t, slice2026+"l/en/1"))
	if err != nil {
		t.Fatal(err)
	}
	if l.Language != "en" || !strings.HasSuffix(l.Title, "for x64 (KB5087058)") || !strings.HasPrefix(l.Description, "A security issue") ||
		l.MoreInfoURL != "https://support.microsoft.com/help/5087058" {
		t.Errorf("%+v", l)
	}
}

func TestExtendedReadsEveryField(t *testing.T) {
	const fragment = "\ufeff" + `<ExtendedProperties DefaultPropertiesLanguage="en" Handler="http://example.org/UpdateHandlers/Cbs" MaxDownloadSize="1099511627776"
		MinDownloadSize="1" MsrcSeverity="Low" IsBeta="true" BrowseOnly="1" Unknown="x"><InstallationBehavior RebootBehavior="AlwaysRequiresReboot"
		Impact="RequiresExclusiveHandling" CanRequestUserInput="true" RequiresNetworkConnectivity="true"/><SecurityBulletinID>MS11-025</SecurityBulletinID>
		<CveID>CVE-2026-1</CveID><CveID> CVE-2026-2 </CveID><CveID/><KBArticleID>KB1</KBArticleID><KBArticleID>see below</KBArticleID></ExtendedProperties>
		<Files><File Digest="sPK8zxDbanJ9xR1AYriCNKW5YWQ=" FileName="a&amp;b.cab" Size="7" PatchingTypePreferred="ServicingStack"/></Files>
		<HandlerSpecificData type="cat:Category"><CategoryInformation CategoryType="Product" /></HandlerSpecificData>`
	got, err := ParseExtended([]byte(fragment))
	if err != nil {
		t.Fatal(err)
	}
	want := Extended{
		DefaultLanguage: "en", Handler: "Cbs", HandlerType: "cat:Category", MaxDownloadSize: 1 << 40, MinDownloadSize: 1,
		Severity: waptwua.Low, Reboot: waptwua.RebootAlways, Impact: "RequiresExclusiveHandling", CanRequestInput: true, NeedsNetwork: true,
		IsBeta: true, BrowseOnly: true, CategoryType: "Product", KBs: []waptwua.KB{1}, CVEs: []string{"CVE-2026-1", "CVE-2026-2"},
		Bulletins:   []string{"MS11-025"},
		Files:       []waptwua.File{{Name: "a&b.cab", Size: 7, Kind: "ServicingStack", SHA1: sha1FromBase64(t, "sPK8zxDbanJ9xR1AYriCNKW5YWQ=")}},
		HandlerData: []byte(`<CategoryInformation CategoryType="Product" />`),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMalformedFragments(t *testing.T) {
	const id = `<UpdateIdentity UpdateID="` + testGUID + `1" RevisionNumber="1"/>`
	core := func(data string) error { _, err := ParseCore([]byte(data)); return err }
	extended := func(data string) error { _, err := ParseExtended([]byte(data)); return err }
	localized := func(data string) error { _, err := ParseLocalized([]byte(data)); return err }
	eula := func(data string) error { _, err := ParseEula([]byte(data)); return err }
	tests := map[string]struct {
		parse    func(string) error
		fragment string
		want     error
		says     string
	}{
		"no identity":           {core, `<Properties/>`, ErrFormat, "no <UpdateIdentity>"},
		"a GUID that is none":   {core, `<UpdateIdentity UpdateID="1"/>`, ErrFormat, "36 characters"},
		"negative revision":     {core, strings.Replace(id, `"1"/>`, `"-1"/>`, 1), ErrFormat, "RevisionNumber"},
		"a boolean that is not": {core, id + `<Properties ExplicitlyDeployable="yes"/>`, ErrFormat, "neither true nor false"},
		"unknown prerequisite":  {core, id + `<Relationships><Prerequisites><Not/></Prerequisites></Relationships>`, ErrFormat, "<Not> among the prerequisites"},
		"unknown alternative":   {core, id + `<Relationships><Prerequisites><AtLeastOne><Or/></AtLeastOne></Prerequisites></Relationships>`, ErrFormat, "<Or> in <AtLeastOne>"},
		"unknown bundle clause": {core, id + `<Relationships><BundledUpdates><Or/></BundledUpdates></Relationships>`, ErrFormat, "among the bundled"},
		"rules that do not end": {core, id + `<ApplicabilityRules><IsInstalled>`, ErrFormat, "ends before"},
		"two terabytes":         {extended, `<ExtendedProperties MaxDownloadSize="2199023255552"/>`, waptwua.ErrLimit, "MaxDownloadSize"},
		"beyond 64 bits":        {extended, `<ExtendedProperties MaxDownloadSize="99999999999999999999"/>`, ErrFormat, "MaxDownloadSize"},
		"file without digest":   {extended, `<Files><File FileName="a"/></Files>`, ErrFormat, `"a" without SHA-1`},
		"digest of other kind":  {extended, `<Files><File FileName="a" Digest="YQ==" DigestAlgorithm="MD5"/></Files>`, ErrFormat, "without SHA-1"},
		"short digest":          {extended, `<Files><File FileName="a" Digest="YQ=="/></Files>`, ErrFormat, "20 bytes"},
		"endless digest":        {extended, `<Files><File FileName="a" Digest="` + strings.Repeat("A", 4000) + `"/></Files>`, ErrFormat, "too long"},
		"no texts":              {localized, `<ExtendedProperties/>`, ErrFormat, "no <LocalizedProperties>"},
		"licence of no digest":  {eula, `<EulaFile FileName="eula.txt"/>`, ErrFormat, "without Digest"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := tt.parse(tt.fragment)
			var fe *FormatError
			if !errors.Is(err, tt.want) || !errors.As(err, &fe) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
}
