package applicability

import (
	"maps"
	"slices"
)

// This file is what a machine answers to single questions, for those that
// make another recording of it (package inventory). True comes with the
// answer; False says that the thing is absent; Unknown that the recording
// does not tell.

// Platform is the operating system, the processor and the language; each nil
// when it is not recorded. They must not be changed.
func (m *Machine) Platform() (*OS, *Processor, *Language) { return m.os, m.processor, m.language }

// Key tells whether a registry key exists.
func (m *Machine) Key(path string) Truth {
	_, t := m.key(cleanKey(path))
	return t
}

// Value is a value of a registry key; False when the key or the value is
// absent.
func (m *Machine) Value(path, name string) (*Value, Truth) {
	return m.value(cleanKey(path), valueName(name))
}

// Subkeys lists the sub-keys of a registry key, as folded full paths, and
// whether these are all; none of a key that does not exist.
func (m *Machine) Subkeys(path string) (paths []string, all bool) {
	path = cleanKey(path)
	k, t := m.key(path)
	if t != True {
		return nil, t == False
	}
	return slices.Clone(k.subkeys), m.allSubkeys(path)
}

// Folder is the folder of a CSIDL number.
func (m *Machine) Folder(csidl int) (string, Truth) {
	folder, ok := m.folders[csidl]
	switch {
	case !ok:
		return "", Unknown
	case folder == "":
		return "", False
	}
	return folder, True
}

// File is what is recorded of a file, by its full path.
func (m *Machine) File(path string) (FileInfo, Truth) {
	f, t := found(m, SectionFiles, m.files, cleanPath(path))
	if t != True {
		return FileInfo{}, t
	}
	return f.info, True
}

// Rows is the number of rows that a WQL query returns; Unknown when the
// query is beyond the supported part of WQL and no answer is recorded, or
// when a property it needs is not.
func (m *Machine) Rows(namespace, wql string) (int, Truth) {
	e := &WmiQuery{Namespace: namespace, WqlQuery: wql, key: queryKey(namespace, wql)}
	if n, ok := m.queries[e.key]; ok {
		return n, True
	}
	if e.query, _ = parseWQL(wql); e.query == nil {
		return 0, Unknown
	}
	return m.count(namespace, e.query)
}

// count is certain as soon as one row is: rules ask for no more.
func (m *Machine) count(namespace string, q *wqlQuery) (int, Truth) {
	rows, t := m.instances(namespace, q.class)
	if t == Unknown {
		return 0, Unknown
	}
	n, open := 0, false
	for _, row := range rows {
		switch q.matches(row) {
		case True:
			n++
		case Unknown:
			open = true
		}
	}
	if n == 0 && open {
		return 0, Unknown
	}
	return n, True
}

// Metric is a figure of GetSystemMetrics.
func (m *Machine) Metric(index int) (int, Truth) {
	return value(found(m, SectionMetrics, m.metrics, index))
}

// License is a figure of the software licence.
func (m *Machine) License(name string) (uint32, Truth) {
	return value(found(m, SectionLicenses, m.licenses, fold(name)))
}

// Product is an installed product, with the features and components named
// that it has, and without its patches.
func (m *Machine) Product(code string, features, components []string) (Product, Truth) {
	p, t := m.product(fold(code))
	if t != True {
		return Product{}, t
	}
	has := func(set map[string]bool) func(string) bool {
		return func(name string) bool { return !set[fold(name)] }
	}
	return Product{
		Version: p.version.String(), Language: p.language,
		Features:   slices.DeleteFunc(slices.Clone(features), has(p.features)),
		Components: slices.DeleteFunc(slices.Clone(components), has(p.components)),
	}, True
}

// Patch lists the recorded products that have a patch, with its state on
// each, and whether these are all.
func (m *Machine) Patch(code string) (states map[string]int, all bool) {
	states = map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(m.products)) {
		if p := m.products[name]; p != nil && p.patches[fold(code)] != 0 {
			states[name] = p.patches[fold(code)]
		}
	}
	return states, m.everywhere(fold(code))
}

// Package is what is recorded of a component package.
func (m *Machine) Package(identity string) (Package, Truth) {
	return value(found(m, SectionPackages, m.packages, fold(identity)))
}

// Release is the version of a product's release.
func (m *Machine) Release(name string) (string, Truth) {
	v, t := found(m, SectionReleases, m.releases, fold(name))
	if t != True {
		return "", t
	}
	return v.String(), True
}

// Attribute is a device attribute, recorded or following from the operating
// system.
func (m *Machine) Attribute(name string) (string, Truth) {
	return value(found(m, SectionAttributes, m.attributes, fold(name)))
}

// value is what v points to, with the Truth of its being found.
func value[V any](v *V, t Truth) (V, Truth) {
	if t != True {
		var none V
		return none, t
	}
	return *v, True
}
