package wuatest

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"waptwua"
	"waptwua/applicability"
)

// World is what a host under test is given: a scan archive, the machine that
// it is evaluated on, and payload files.
type World struct {
	Archive string              // absolute path of the scan archive
	Damaged string              // the same with one byte changed
	Foreign string              // the same, signed by somebody whom Roots do not vouch for
	Roots   []*x509.Certificate // of the archive's signature
	Machine *applicability.Facts

	dir       string
	revisions map[waptwua.UpdateID]*revision
}

// The revisions of the archive by number. Each update is of its own kind.
const (
	detectoid      = 1 // true on the machine
	otherDetectoid = 2 // false on the machine
	classification = 3
	product        = 4

	numPlain      = 11 // registry rule, never asks for a restart
	numBundle     = 12 // bundle of two children of which one applies; always asks for a restart
	numBundleX64  = 13
	numBundleX86  = 14
	numOld        = 15 // superseded by numNew
	numNew        = 16
	numPresent    = 17 // installed on the machine from the start
	numForeign    = 18 // for another product
	numExclusive  = 19 // must be installed alone
	numPatch      = 20 // Windows Installer patch
	numDriver     = 21
	numComponents = 22 // component package, always asks for a restart
)

// Plain is a top-level update without children, for tests of implementations
// that need one.
func (w *World) Plain() waptwua.UpdateID { return updateID(numPlain) }

// Bundle is a top-level update with children.
func (w *World) Bundle() waptwua.UpdateID { return updateID(numBundle) }

// File is the path of the payload file of a leaf.
func (w *World) File(leaf waptwua.UpdateID) string {
	return filepath.Join(w.dir, w.revisions[leaf].fileName())
}

const msiProduct = "{11111111-2222-3333-4444-555555555555}"

func revisions() []revision {
	// A registry rule: installed once the value "Installed" of a key of its
	// own is at least the number.
	registry := func(n int) string {
		return fmt.Sprintf(`<IsInstalled><b.RegDword Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Contract\%d" Value="Installed" Comparison="GreaterThanOrEqualTo" Data="%d"/></IsInstalled><IsInstallable><True/></IsInstallable>`, n, n)
	}
	file := func(name, version, architecture string) string {
		return fmt.Sprintf(`<IsInstalled><And><b.Processor Architecture="%s"/><b.FileVersion Csidl="37" Path="%s" Comparison="GreaterThanOrEqualTo" Version="%s"/></And></IsInstalled><IsInstallable><And><b.Processor Architecture="%s"/><b.FileVersion Csidl="37" Path="%s" Comparison="LessThan" Version="%s"/></And></IsInstallable>`,
			architecture, name, version, architecture, name, version)
	}
	evaluate := func(n int, kind, title, rule, category string) revision {
		return revision{number: n, action: "Evaluate", kind: kind, title: title, category: category, rules: "<IsInstalled>" + rule + "</IsInstalled>"}
	}
	leaf := func(n int, title, rules, handler string, reboot waptwua.Reboot) revision {
		return revision{number: n, title: title, kind: "Software", rules: rules, needs: []int{detectoid}, severity: "Important",
			handler: handler, reboot: reboot, content: fmt.Sprintf("content of update %d", n)}
	}
	const command, cbs, msi = "CommandLineInstallation", "Cbs", "WindowsInstaller"
	list := []revision{
		evaluate(detectoid, "Detectoid", "Windows 10", `<b.WindowsVersion MajorVersion="10" MinorVersion="0"/>`, ""),
		evaluate(otherDetectoid, "Detectoid", "Another product", `<b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Another"/>`, ""),
		evaluate(classification, "Category", "Security Updates", "<True/>", "UpdateClassification"),
		evaluate(product, "Category", "Windows 10", "<True/>", "Product"),
		leaf(numPlain, "Plain update", registry(numPlain), command, waptwua.RebootNever),
		{number: numBundle, title: "Bundle", kind: "Software", needs: []int{detectoid}, severity: "Critical", children: []int{numBundleX64, numBundleX86}},
		leaf(numBundleX64, "Child for x64", file("contract.dll", "10.0.2.0", "9"), cbs, waptwua.RebootAlways),
		leaf(numBundleX86, "Child for x86", file("contract.dll", "10.0.2.0", "0"), cbs, waptwua.RebootAlways),
		leaf(numOld, "Older update", registry(numOld), command, waptwua.RebootNever),
		leaf(numNew, "Newer update", registry(numNew), command, waptwua.RebootNever),
		leaf(numPresent, "Installed update", registry(numPresent), command, waptwua.RebootNever),
		leaf(numForeign, "Update of another product", registry(numForeign), command, waptwua.RebootNever),
		leaf(numExclusive, "Exclusive update", registry(numExclusive), command, waptwua.RebootNever),
		leaf(numPatch, "Patch", `<IsInstalled><m.MsiPatchInstalledForProduct PatchCode="{AAAAAAAA-2222-3333-4444-555555555555}" ProductCode="`+msiProduct+`"/></IsInstalled><IsInstallable><m.MsiProductInstalled ProductCode="`+msiProduct+`"/></IsInstallable>`, msi, waptwua.RebootNever),
		leaf(numDriver, "Driver", registry(numDriver), command, waptwua.RebootNever),
		leaf(numComponents, "Component package", `<IsInstalled><CbsPackageInstalledByIdentity PackageIdentity="Package_for_KB9000022~31bf3856ad364e35~amd64~~10.0.1.0"/></IsInstalled><IsInstallable><True/></IsInstallable>`, cbs, waptwua.RebootAlways),
	}
	for i := range list {
		switch r := &list[i]; r.number {
		case numBundleX64, numBundleX86:
			r.action, r.severity, r.needs = "Bundle", "", nil
		case numNew:
			r.older = []int{numOld}
		case numForeign:
			r.needs = []int{otherDetectoid}
		case numExclusive:
			r.impact = "RequiresExclusiveHandling"
		case numDriver:
			r.kind = "Driver"
		}
	}
	return list
}

// machine is a Windows 10 of which everything the archive asks is recorded.
func machine() *applicability.Facts {
	version := "10.0.1.0"
	return &applicability.Facts{
		Format: applicability.FactsFormat, Name: "contract", Complete: applicability.Sections(),
		OS:        &applicability.OS{Major: 10, Build: 19045, Revision: 1, ProductType: 1, Edition: "Pro", SKU: 48},
		Processor: &applicability.Processor{Architecture: applicability.ArchX64, Count: 4},
		Language:  &applicability.Language{UI: "en-US"},
		Folders:   applicability.StandardFolders(applicability.ArchX64),
		Files:     map[string]*applicability.FileInfo{`C:\Windows\System32\contract.dll`: {Version: &version}},
		Products:  map[string]*applicability.Product{msiProduct: {Version: "1.2.3", Language: 1033}},
		Registry: map[string]applicability.Key{
			fmt.Sprintf(`HKLM\SOFTWARE\Contract\%d`, numPresent): {"Installed": applicability.DWORD(numPresent)},
		},
	}
}

// Dir is the folder of the world, for OpenWorld.
func (w *World) Dir() string { return w.dir }

func newWorld(dir string) *World {
	w := &World{
		Archive: filepath.Join(dir, "wsusscn2.cab"), Damaged: filepath.Join(dir, "damaged.cab"), Foreign: filepath.Join(dir, "foreign.cab"),
		Machine: machine(), dir: dir, revisions: map[waptwua.UpdateID]*revision{},
	}
	list := revisions()
	for i := range list {
		w.revisions[updateID(list[i].number)] = &list[i]
	}
	return w
}

// NewWorld makes a world in a folder of the test.
func NewWorld(t testing.TB) *World {
	t.Helper()
	w := newWorld(TempDir(t))
	for _, r := range w.revisions {
		if r.content != "" {
			write(t, filepath.Join(w.dir, r.fileName()), []byte(r.content))
		}
	}
	w.sign(t)
	return w
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
