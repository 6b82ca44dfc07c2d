package inventory_test

import (
	"errors"
	"testing"

	"waptwua"
	"waptwua/applicability"
	"waptwua/inventory"
)

const servicingFacts = `{"facts": 1, "subkeys": ["HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Update\\TargetingInfo\\Installed"],
"os": {"major": 10, "minor": 0, "build": 26100, "revision": 4349, "product_type": 1, "sku": 48},
"registry": {
	"HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages": {},
	"HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages\\P~t~amd64~~1.0": {"CurrentState": 112},
	"HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages\\Text~t~amd64~~1.0": {"CurrentState": "112"},
	"HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages\\Bare~t~amd64~~1.0": {"CurrentState": null},
	"HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages\\Gone~t~amd64~~1.0": null,
	"HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion": {"BuildBranch": "ge_release", "InstallationType": "Client"},
	"HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Update\\TargetingInfo\\Installed\\Client.OS.rs2.amd64": {"Version": "10.0.26100.4349"},
	"HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Update\\TargetingInfo\\Installed\\Server.OS.amd64": null,
	"HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Update\\TargetingInfo\\Installed\\Microsoft.NetFX.amd64": null,
	"HKLM\\SYSTEM\\CurrentControlSet\\Control\\ProductOptions": {"ProductType": "WinNT"}
}}`

// errAny stands for an error that says that nobody knows.
var errAny = errors.New("not known")

func TestReadServicing(t *testing.T) {
	m, err := applicability.NewMachine(facts(t, servicingFacts))
	if err != nil {
		t.Fatal(err)
	}
	h := inventory.Record(m)
	s := inventory.ReadServicing(h.Registry, h.Platform)
	packages := func(name string) (string, error) {
		p, err := s.Package(t.Context(), name)
		if err != nil {
			return "", err
		}
		return map[int]string{112: "installed"}[p.State], nil
	}
	releases := func(name string) (string, error) { return s.Release(t.Context(), name) }
	attributes := func(name string) (string, error) { return s.Attribute(t.Context(), name) }
	for _, c := range []struct {
		what func(string) (string, error)
		name string
		want string
		err  error
	}{
		{packages, "P~t~amd64~~1.0", "installed", nil},
		{packages, "Gone~t~amd64~~1.0", "", waptwua.ErrNotFound},
		{packages, "Unrecorded~t~amd64~~1.0", "", errAny},
		{packages, "Text~t~amd64~~1.0", "", errAny},
		{packages, "Bare~t~amd64~~1.0", "", errAny},
		{packages, `..\..\x`, "", errAny},
		{releases, "Client.OS.RS2.AMD64", "10.0.26100.4349", nil},
		{releases, "Server.OS.amd64", "", waptwua.ErrNotFound},
		{releases, "Microsoft.NetFX.amd64", "", errAny},
		{attributes, "OSVersion", "10.0.26100.4349", nil},
		{attributes, "OSSkuId", "48", nil},
		{attributes, "producttype", "WinNT", nil},
		{attributes, "CurrentBranch", "ge_release", nil},
		{attributes, "InstallationType", "Client", nil},
		{attributes, "DL_OSVersion", "", errAny},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.what(c.name)
			known := err == nil || errors.Is(err, waptwua.ErrNotFound)
			if got != c.want || errors.Is(c.err, errAny) == known || !errors.Is(c.err, errAny) && !errors.Is(err, c.err) {
				t.Errorf("%q, %v; want %q, %v", got, err, c.want, c.err)
			}
		})
	}
}

// TestServicingWithoutParent asks a Windows that keeps no such keys: their
// absence proves nothing.
func TestServicingWithoutParent(t *testing.T) {
	m, err := applicability.NewMachine(facts(t, `{"facts": 1, "complete": ["registry"]}`))
	if err != nil {
		t.Fatal(err)
	}
	h := inventory.Record(m)
	s := inventory.ReadServicing(h.Registry, h.Platform)
	_, packageErr := s.Package(t.Context(), "P~t~amd64~~1.0")
	_, releaseErr := s.Release(t.Context(), "Client.OS.amd64")
	_, attributeErr := s.Attribute(t.Context(), "ProductType")
	_, versionErr := s.Attribute(t.Context(), "OSVersion")
	for _, err := range []error{packageErr, releaseErr, attributeErr, versionErr} {
		if err == nil || errors.Is(err, waptwua.ErrNotFound) {
			t.Errorf("error %v, want one that leaves it open", err)
		}
	}
}
