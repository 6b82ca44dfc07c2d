package installer

import (
	"bytes"
	_ "embed" // the description of the package
	"encoding/xml"
	"fmt"
	"text/template"
)

// What Windows shows in its list of programs and services.
const (
	productName  = "waptwua agent"
	manufacturer = "waptwua"
)

// Service is the name of the service that is installed.
const Service = "waptwua"

//go:embed product.wxs.tmpl
var productText string

// productTemplate reads productText; a mistake in it shows in every test.
func productTemplate() (*template.Template, error) {
	return template.New("product.wxs").Option("missingkey=error").Funcs(template.FuncMap{"xml": xmlText}).Parse(productText)
}

func xmlText(s string) (string, error) {
	var b bytes.Buffer
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}

// component is a file with the identifiers that the template writes.
type component struct{ ID, GUID, Source, Name string }

// Source is the description of the package for wixl. The files it names lie
// in the working folder under their identifiers.
func (p *Plan) Source() ([]byte, error) {
	number, err := NumericVersion(p.Version)
	if err != nil {
		return nil, err
	}
	t, err := productTemplate()
	if err != nil {
		return nil, fmt.Errorf("the description of the package: %w", err)
	}
	dirs := map[string][]component{}
	for _, f := range p.files()[1:] {
		dirs[f.dir] = append(dirs[f.dir], component{ID: f.id, GUID: guid("component", f.dir, f.name), Source: f.id, Name: f.name})
	}
	var out bytes.Buffer
	err = t.Execute(&out, map[string]any{
		"ProductName": productName, "Manufacturer": manufacturer, "Service": Service,
		"ProductCode": p.productCode(), "UpgradeCode": UpgradeCode, "Version": number,
		"Program": component{ID: programID, GUID: guid("component", "INSTALLDIR", "wapt-get.exe"), Source: programID, Name: "wapt-get.exe"},
		"Beside":  dirs["INSTALLDIR"], "SSL": dirs["SSLDIR"], "Releases": dirs["RELEASESDIR"],
		"Folders": map[string]string{"SSLDIR": guid("folder", "ssl"), "RELEASESDIR": guid("folder", "releases")},
		"Token":   p.Token, "Configure": configureCommand, "GiveBack": giveBackCommand, "ServiceDetails": serviceCommand,
	})
	if err != nil {
		return nil, fmt.Errorf("describing the package: %w", err)
	}
	return out.Bytes(), nil
}

func (p *Plan) productCode() string { return guid("product", p.digest()) }

// What the program is called with. Empty values mean: keep what there is.
const (
	configureCommand = `configure -c "[INSTALLDIR]wapt-get.ini" --from "[INSTALLDIR]install.ini" --server "[SERVER]" --repo "[REPO]" --token "[TOKEN]" ` +
		`--ca-fingerprint "[CA_FINGERPRINT]" --waptwua "[WAPTWUA]" --settings "[SETTINGS]"`
	// Recovery actions and the wait at a shutdown have no table in a package.
	serviceCommand = `service install -c "[INSTALLDIR]wapt-get.ini"`
	// The service may still be ending what it was doing.
	giveBackCommand = `configure -c "[INSTALLDIR]wapt-get.ini" --wait 2m --uninstall --purge "[PURGE]"`
)
