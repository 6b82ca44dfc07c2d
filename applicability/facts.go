package applicability

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"waptwua"
)

// FactsFormat is the version of the FACTS.json form that this package reads
// and writes.
const FactsFormat = 1

// maxFacts bounds a recording; real ones have well under a megabyte.
const maxFacts = 64 << 20

// Section names a part of a recording, for Facts.Complete.
type Section string

// The sections that a recording may call complete: what such a section does
// not list is known to be absent. In any other section it is unknown.
const (
	SectionRegistry   Section = "registry"
	SectionFiles      Section = "files"
	SectionWMI        Section = "wmi"
	SectionMetrics    Section = "metrics"
	SectionLicenses   Section = "licenses"
	SectionProducts   Section = "products"
	SectionPackages   Section = "packages"
	SectionReleases   Section = "releases"
	SectionAttributes Section = "attributes"
)

// Sections lists every section, in the order of the format's description.
func Sections() []Section {
	return []Section{
		SectionRegistry, SectionFiles, SectionWMI, SectionMetrics, SectionLicenses,
		SectionProducts, SectionPackages, SectionReleases, SectionAttributes,
	}
}

// Facts is a recorded machine: everything that update rules can ask about
// it, as far as somebody recorded it. It is the content of FACTS.json,
// described in docs/formats/machine.md.
//
// In every map a nil entry (null in JSON) says that the thing is known to be
// absent. What a map does not name is absent when Complete names the
// section, and unknown otherwise. Names are compared without case.
//
// Facts is plain data that may be changed freely; Machine is its indexed,
// immutable form for evaluation.
type Facts struct {
	Format   int       `json:"facts"`              // FactsFormat
	Name     string    `json:"name,omitempty"`     // for people: "win7-sp1-x64"
	Comment  string    `json:"comment,omitempty"`  // for people: where the facts come from
	Complete []Section `json:"complete,omitempty"` // sections in which absence means absent

	OS        *OS        `json:"os,omitempty"`
	Processor *Processor `json:"processor,omitempty"`
	Language  *Language  `json:"language,omitempty"`

	// Registry maps a key such as `HKLM\SOFTWARE\Microsoft` to its values
	// by name; the name "" is the key's default value. On a 64-bit machine
	// the 32-bit view of HKLM\SOFTWARE is recorded under
	// `HKLM\SOFTWARE\Wow6432Node`. A key exists when it or one below it is
	// recorded; a nil key is absent with everything below it.
	Registry map[string]Key `json:"registry,omitempty"`

	// Subkeys lists registry keys whose sub-keys are all recorded, so that a
	// RegKeyLoop over them is certain although the section is not complete.
	Subkeys []string `json:"subkeys,omitempty"`

	// Folders maps a CSIDL number to the folder's path. See StandardFolders.
	Folders map[int]string `json:"folders,omitempty"`

	// Files maps a full path to what is known about the file.
	Files map[string]*FileInfo `json:"files,omitempty"`

	// WMI maps namespace and class to the instances of the class.
	WMI map[string]map[string][]Row `json:"wmi,omitempty"`

	// Queries are recorded answers to whole WQL queries; they win over WMI.
	Queries []Query `json:"queries,omitempty"`

	Metrics    map[int]*int            `json:"metrics,omitempty"`    // GetSystemMetrics by index
	Licenses   map[string]*uint32      `json:"licenses,omitempty"`   // SLGetWindowsInformationDWORD by name
	Products   map[string]*Product     `json:"products,omitempty"`   // Windows Installer products by product code
	Packages   map[string]*Package     `json:"packages,omitempty"`   // component packages by identity name~token~arch~language~version
	Releases   map[string]*ReleaseInfo `json:"releases,omitempty"`   // ProductRelease… by name, e.g. Client.OS.RS2.AMD64
	Attributes map[string]*string      `json:"attributes,omitempty"` // DeviceAttribute by name, e.g. OSVersion

	// Patches lists codes of Windows Installer patches for which every
	// product that has them is recorded: such a patch is on no other one,
	// although the products are not complete.
	Patches []string `json:"patches,omitempty"`
}

// OS says which Windows it is, in the terms of OSVERSIONINFOEX.
type OS struct {
	Major            int    `json:"major"`
	Minor            int    `json:"minor"`
	Build            int    `json:"build"`
	Revision         int    `json:"revision,omitempty"` // UBR, the fourth part of 10.0.22631.4317
	ServicePackMajor int    `json:"service_pack_major,omitempty"`
	ServicePackMinor int    `json:"service_pack_minor,omitempty"`
	ProductType      int    `json:"product_type"`        // 1 workstation, 2 domain controller, 3 server
	Suites           int    `json:"suites,omitempty"`    // wSuiteMask, VER_SUITE_… bits
	SKU              int    `json:"sku,omitempty"`       // GetProductInfo, e.g. 48 Professional
	Edition          string `json:"edition,omitempty"`   // for people: Professional, ServerStandard
	Clustered        *bool  `json:"clustered,omitempty"` // nil: not recorded
}

// Processor is the native processor, in the terms of SYSTEM_INFO.
type Processor struct {
	Architecture int `json:"architecture"` // 0 x86, 5 ARM, 6 Itanium, 9 x64, 12 ARM64
	Level        int `json:"level,omitempty"`
	Revision     int `json:"revision,omitempty"`
	Count        int `json:"count,omitempty"` // logical processors; 0: not recorded
}

// Processor architectures (wProcessorArchitecture).
const (
	ArchX86   = 0
	ArchARM   = 5
	ArchIA64  = 6
	ArchX64   = 9
	ArchARM64 = 12
)

// Language is the language of the user interface.
type Language struct {
	UI  string   `json:"ui"`            // language tag of the installed system, e.g. en-US
	MUI []string `json:"mui,omitempty"` // language packs installed besides; empty: no MUI
}

// Key is a registry key: its values by name. A nil *Value is known absent.
type Key map[string]*Value

// FileInfo is what a recording says about a file. A nil field is not
// recorded.
type FileInfo struct {
	Version  *string    `json:"version,omitempty"` // of VS_FIXEDFILEINFO; "": the file has none
	Size     *int64     `json:"size,omitempty"`    // bytes
	Language *int       `json:"language,omitempty"`
	Created  *time.Time `json:"created,omitempty"`
	Modified *time.Time `json:"modified,omitempty"`
}

// Row is one WMI instance: its properties by name, each a string, a number
// (float64), a boolean or nil for NULL. A property that is not named is not
// recorded.
type Row map[string]any

// Query is the recorded number of rows that a WQL query returned.
type Query struct {
	Namespace string `json:"namespace"`
	WQL       string `json:"wql"`
	Rows      int    `json:"rows"`
}

// Product is an installed Windows Installer product.
type Product struct {
	Version    string         `json:"version"`
	Language   int            `json:"language,omitempty"`   // LANGID; 0: neutral
	Features   []string       `json:"features,omitempty"`   // installed locally
	Components []string       `json:"components,omitempty"` // GUIDs
	Patches    map[string]int `json:"patches,omitempty"`    // patch code → MSIPATCHSTATE
}

// The states of an installed Windows Installer patch (MSIPATCHSTATE).
const (
	PatchApplied    = 1
	PatchSuperseded = 2
	PatchObsoleted  = 4
)

// Package is what component based servicing says about a package.
type Package struct {
	// State is CurrentState of the package's registry key, see the State
	// constants; 0: not installed.
	State int `json:"state,omitempty"`
	// Installable is the servicing stack's own answer to "could this be
	// installed now". Only Windows can compute it; nil: not recorded.
	Installable *bool `json:"installable,omitempty"`
}

// States of a component package (CurrentState in the registry).
const (
	StateUninstallPending = 5
	StateStaged           = 64
	StateSuperseded       = 80
	StateInstallPending   = 96
	StateInstalled        = 112
)

// ReleaseInfo is the recorded release of a product of the unified update
// platform.
type ReleaseInfo struct {
	Version string `json:"version"` // e.g. 10.0.26100.4349
}

// ParseFacts reads a FACTS.json and checks that it can be evaluated.
func ParseFacts(b []byte) (*Facts, error) {
	if len(b) > maxFacts {
		return nil, fmt.Errorf("machine facts of %d bytes: %w of %d", len(b), waptwua.ErrLimit, maxFacts)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var f Facts
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("read machine facts: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read machine facts: something follows the JSON object")
	}
	if err := f.Validate(); err != nil {
		return nil, err
	}
	return &f, nil
}

// Validate checks the form: its version, its section names, and the parts
// that must be numbers or versions.
func (f *Facts) Validate() error {
	if f.Format != FactsFormat {
		return fmt.Errorf("machine facts %q: format %d, this program reads format %d", f.Name, f.Format, FactsFormat)
	}
	known := Sections()
	for _, s := range f.Complete {
		if !slices.Contains(known, s) {
			return fmt.Errorf("machine facts %q: complete names the section %q; there are %v", f.Name, s, known)
		}
	}
	_, err := NewMachine(f)
	return err
}

// Clone is a deep copy, for a machine that is about to change.
func (f *Facts) Clone() (*Facts, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("copy machine facts %q: %w", f.Name, err)
	}
	c := new(Facts)
	if err := json.Unmarshal(b, c); err != nil {
		return nil, fmt.Errorf("copy machine facts %q: %w", f.Name, err)
	}
	return c, nil
}

// StandardFolders are the folders of a default installation on drive C: by
// CSIDL number, for a processor architecture.
func StandardFolders(architecture int) map[int]string {
	f := map[int]string{
		35: `C:\ProgramData`,
		36: `C:\Windows`,
		37: `C:\Windows\System32`,
		38: `C:\Program Files`,
		41: `C:\Windows\System32`,
		43: `C:\Program Files\Common Files`,
	}
	if architecture != ArchX86 {
		f[41] = `C:\Windows\SysWOW64`
		f[42] = `C:\Program Files (x86)`
		f[44] = `C:\Program Files (x86)\Common Files`
	}
	return f
}

var errValueForm = errors.New(`a registry value is a string (REG_SZ), a number (REG_DWORD), or {"type": …, "data": …}`)
