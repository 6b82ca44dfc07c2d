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
		f.Files = replace(f.Files, e.File, e.FileInfo, cleanPath)
	case e.Package != "":
		f.Packages = replace(f.Packages, e.Package, e.State, strings.ToLower)
	case e.Product != "":
		f.Products = replace(f.Products, e.Product, e.Install, strings.ToLower)
	case e.Release != "":
		f.Releases = replace(f.Releases, e.Release, &applicability.ReleaseInfo{Version: e.Version}, strings.ToLower)
	case e.Attribute != "":
		f.Attributes = replace(f.Attributes, e.Attribute, &e.Text, strings.ToLower)
	case e.Query != nil:
		f.Queries = append(f.Queries, *e.Query)
	case e.OS != nil:
		os := *e.OS
		f.OS = &os
	}
}

// applyRegistry changes a key or a value. A key that the recording spells in
// several ways becomes one.
func (e *edit) applyRegistry(f *applicability.Facts) {
	if e.Value == nil && e.Gone {
		f.Registry = replace(f.Registry, e.Key, nil, cleanKey)
		return
	}
	key := applicability.Key{}
	for _, name := range spellings(f.Registry, e.Key, cleanKey) {
		maps.Copy(key, f.Registry[name])
	}
	if e.Value != nil {
		key = replace(key, *e.Value, e.Data, valueName)
	}
	f.Registry = replace(f.Registry, e.Key, key, cleanKey)
}

// replace sets the entry that m holds under any spelling of name.
func replace[M ~map[string]V, V any](m M, name string, v V, fold func(string) string) M {
	if m == nil {
		m = M{}
	}
	for _, s := range spellings(m, name, fold) {
		delete(m, s)
	}
	m[name] = v
	return m
}

// spellings lists, sorted, the names in m that are name in folded form.
func spellings[V any](m map[string]V, name string, fold func(string) string) []string {
	var list []string
	want := fold(name)
	for have := range m {
		if fold(have) == want {
			list = append(list, have)
		}
	}
	slices.Sort(list)
	return list
}

// entry is what m holds under any spelling of name; the zero value: nothing.
func entry[V any](m map[string]V, name string, fold func(string) string) (v V) {
	for _, s := range spellings(m, name, fold) {
		v = m[s]
	}
	return v
}

// valueName folds the name of a registry value; rules call a key's default
// value "(Default)".
func valueName(s string) string {
	if s = strings.ToLower(s); s != "(default)" {
		return s
	}
	return ""
}

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
