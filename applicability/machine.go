package applicability

import (
	"fmt"
	"strings"
	"time"
)

// Machine is a recorded machine indexed for evaluation. It is immutable and
// may be shared by goroutines.
type Machine struct {
	name     string
	complete map[Section]bool

	os        *OS
	processor *Processor
	language  *Language

	keys       map[string]*regKey
	enumerated map[string]bool // keys whose sub-keys are all recorded
	folders    map[int]string
	files      map[string]*fileFacts
	classes    map[string][]Row // namespace "|" class
	queries    map[string]int   // namespace "|" normalised query
	metrics    map[int]*int
	licenses   map[string]*uint32
	products   map[string]*productFacts
	patches    map[string]bool // codes whose products are all recorded
	packages   map[string]*Package
	releases   map[string]*Version
	attributes map[string]*string
}

// NewMachine indexes facts. It fails when a version in them is not one.
func NewMachine(f *Facts) (*Machine, error) {
	m := &Machine{
		name: f.Name, complete: map[Section]bool{},
		os: f.OS, processor: f.Processor, language: f.Language,
		folders: map[int]string{}, metrics: f.Metrics, patches: foldedSet(f.Patches),
		licenses: folded(f.Licenses), packages: folded(f.Packages), attributes: folded(f.Attributes),
	}
	for _, s := range f.Complete {
		m.complete[s] = true
	}
	for csidl, folder := range f.Folders {
		m.folders[csidl] = cleanPath(folder)
	}
	m.indexRegistry(f.Registry, f.Subkeys)
	m.indexWMI(f)
	for _, index := range []func(*Facts) error{m.indexFiles, m.indexProducts, m.indexReleases} {
		if err := index(f); err != nil {
			return nil, fmt.Errorf("machine facts %q: %w", f.Name, err)
		}
	}
	m.deriveAttributes()
	return m, nil
}

// Name is the recording's name.
func (m *Machine) Name() string { return m.name }

// fold is the form in which names are compared.
func fold(s string) string { return strings.ToLower(s) }

func folded[V any](in map[string]V) map[string]V {
	out := make(map[string]V, len(in))
	for k, v := range in {
		out[fold(k)] = v
	}
	return out
}

// found looks name up: the entry and True, or False when it is known to be
// absent, or Unknown when the recording does not say.
func found[K comparable, V any](m *Machine, s Section, in map[K]*V, name K) (*V, Truth) {
	v, recorded := in[name]
	switch {
	case v != nil:
		return v, True
	case recorded, m.complete[s]:
		return nil, False
	}
	return nil, Unknown
}

type fileFacts struct {
	info       FileInfo
	version    Version
	hasVersion bool
}

func (m *Machine) indexFiles(f *Facts) error {
	m.files = make(map[string]*fileFacts, len(f.Files))
	for path, info := range f.Files {
		p := cleanPath(path)
		if info == nil {
			m.files[p] = nil
			continue
		}
		ff := &fileFacts{info: *info}
		if v := info.Version; v != nil && *v != "" {
			var err error
			if ff.version, err = ParseVersion(*v); err != nil {
				return fmt.Errorf("file %s: %w", path, err)
			}
			ff.hasVersion = true
		}
		m.files[p] = ff
	}
	return nil
}

type productFacts struct {
	version    Version
	language   int
	features   map[string]bool
	components map[string]bool
	patches    map[string]int
}

func (m *Machine) indexProducts(f *Facts) error {
	m.products = make(map[string]*productFacts, len(f.Products))
	for code, p := range f.Products {
		if p == nil {
			m.products[fold(code)] = nil
			continue
		}
		v, err := ParseVersion(p.Version)
		if err != nil {
			return fmt.Errorf("product %s: %w", code, err)
		}
		m.products[fold(code)] = &productFacts{
			version: v, language: p.Language,
			features: foldedSet(p.Features), components: foldedSet(p.Components), patches: folded(p.Patches),
		}
	}
	return nil
}

func foldedSet(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[fold(n)] = true
	}
	return set
}

func (m *Machine) indexReleases(f *Facts) error {
	m.releases = make(map[string]*Version, len(f.Releases))
	for name, r := range f.Releases {
		if r == nil {
			m.releases[fold(name)] = nil
			continue
		}
		v, err := ParseVersion(r.Version)
		if err != nil {
			return fmt.Errorf("release %s: %w", name, err)
		}
		m.releases[fold(name)] = &v
	}
	return nil
}

// deriveAttributes fills the device attributes that only repeat the
// operating system's own figures, unless the recording has them.
func (m *Machine) deriveAttributes() {
	if m.os == nil {
		return
	}
	derived := map[string]string{
		"osversion": fmt.Sprintf("%d.%d.%d.%d", m.os.Major, m.os.Minor, m.os.Build, m.os.Revision),
	}
	if m.os.SKU != 0 {
		derived["osskuid"] = fmt.Sprint(m.os.SKU)
		derived["sku"] = fmt.Sprint(m.os.SKU)
	}
	for name, v := range derived {
		if _, recorded := m.attributes[name]; !recorded {
			m.attributes[name] = &v
		}
	}
}

// cleanPath folds a Windows path and removes doubled and trailing
// separators.
func cleanPath(p string) string {
	p = fold(strings.ReplaceAll(p, "/", `\`))
	for strings.Contains(p, `\\`) {
		p = strings.ReplaceAll(p, `\\`, `\`)
	}
	return strings.TrimRight(p, `\`)
}

// sameTime compares to the second: recordings and rules differ in how many
// digits of a second they keep.
func sameTime(a, b time.Time) int { return a.Truncate(time.Second).Compare(b.Truncate(time.Second)) }
