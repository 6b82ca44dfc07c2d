package sim

import (
	"maps"
	"slices"
	"strings"

	"waptwua/applicability"
)

// edit is one change of a machine's facts. Exactly one of the sections is
// named; a nil value makes the thing known to be absent.
type edit struct {
	Key   string               `json:"key,omitempty"` // registry key, as cleanKey writes it
	Value *string              `json:"value,omitempty"`
	Data  *applicability.Value `json:"data,omitempty"`
	Gone  bool                 `json:"gone,omitempty"` // the key, or the value, is absent

	File     string                  `json:"file,omitempty"`
	FileInfo *applicability.FileInfo `json:"file_info,omitempty"`

	Package string                 `json:"package,omitempty"`
	State   *applicability.Package `json:"package_state,omitempty"`

	Product string                 `json:"product,omitempty"`
	Install *applicability.Product `json:"product_state,omitempty"`

	Release string `json:"release,omitempty"`
	Version string `json:"version,omitempty"`

	Attribute string `json:"attribute,omitempty"`
	Text      string `json:"text,omitempty"`

	Query *applicability.Query `json:"query,omitempty"`
	OS    *applicability.OS    `json:"os,omitempty"`
}

// apply returns base with the edits. It shares what they leave alone and
// changes nothing of base.
func apply(base *applicability.Facts, edits []edit) *applicability.Facts {
	f := *base
	if len(edits) == 0 {
		return &f
	}
	f.Registry, f.Files, f.Packages = maps.Clone(f.Registry), maps.Clone(f.Files), maps.Clone(f.Packages)
	f.Products, f.Releases, f.Attributes = maps.Clone(f.Products), maps.Clone(f.Releases), maps.Clone(f.Attributes)
	f.Queries = slices.Clone(f.Queries)
	for i := range edits {
		edits[i].apply(&f)
	}
	return &f
}

func (e *edit) apply(f *applicability.Facts) {
	switch {
	case e.Key != "":
		e.applyRegistry(f)
	case e.File != "":
		f.Files = put(f.Files, spelled(f.Files, e.File, cleanPath), e.FileInfo)
	case e.Package != "":
		f.Packages = put(f.Packages, spelled(f.Packages, e.Package, strings.ToLower), e.State)
	case e.Product != "":
		f.Products = put(f.Products, spelled(f.Products, e.Product, strings.ToLower), e.Install)
	case e.Release != "":
		f.Releases = put(f.Releases, spelled(f.Releases, e.Release, strings.ToLower), &applicability.ReleaseInfo{Version: e.Version})
	case e.Attribute != "":
		f.Attributes = put(f.Attributes, spelled(f.Attributes, e.Attribute, strings.ToLower), &e.Text)
	case e.Query != nil:
		f.Queries = append(f.Queries, *e.Query)
	case e.OS != nil:
		os := *e.OS
		f.OS = &os
	}
}

func (e *edit) applyRegistry(f *applicability.Facts) {
	name := spelled(f.Registry, e.Key, cleanKey)
	if e.Value == nil {
		if e.Gone {
			f.Registry = put(f.Registry, name, nil)
		} else if f.Registry[name] == nil {
			f.Registry = put(f.Registry, name, applicability.Key{})
		}
		return
	}
	key := maps.Clone(f.Registry[name])
	key = put(key, spelled(key, *e.Value, strings.ToLower), e.Data)
	f.Registry = put(f.Registry, name, key)
}

func put[M ~map[string]V, V any](m M, name string, v V) M {
	if m == nil {
		m = M{}
	}
	m[name] = v
	return m
}

// spelled is the name under which m holds name, compared in folded form, or
// name itself.
func spelled[V any](m map[string]V, name string, fold func(string) string) string {
	if _, ok := m[name]; ok {
		return name
	}
	want := fold(name)
	for have := range m {
		if len(have) <= len(name)+maxHive && fold(have) == want {
			return have
		}
	}
	return name
}

// maxHive is how much longer a key's name can be when its hive is written
// out.
const maxHive = len("hkey_local_machine")

// cleanPath folds a path as package applicability compares it.
func cleanPath(p string) string {
	p = strings.ToLower(strings.ReplaceAll(p, "/", `\`))
	for strings.Contains(p, `\\`) {
		p = strings.ReplaceAll(p, `\\`, `\`)
	}
	return strings.TrimRight(p, `\`)
}

// cleanKey folds a registry key and shortens its hive.
func cleanKey(key string) string {
	hive, rest, below := strings.Cut(cleanPath(key), `\`)
	switch hive {
	case "hkey_local_machine":
		hive = "hklm"
	case "hkey_current_user":
		hive = "hkcu"
	case "hkey_classes_root":
		hive = "hkcr"
	case "hkey_users":
		hive = "hku"
	}
	if !below {
		return hive
	}
	return hive + `\` + rest
}
