package inventory

import (
	"context"
	"maps"
	"slices"
	"strings"

	"waptwua/applicability"
)

// files asks for the folders, then for the files in them. A file whose
// folder is absent or unknown needs no answer of its own.
func (t *taker) files(ctx context.Context, q *questions) error {
	if err := t.folders(ctx, q.files); err != nil {
		return err
	}
	paths := map[string]string{} // by folded path
	for _, f := range q.files {
		for _, p := range t.whole(f) {
			paths[strings.ToLower(p)] = p
		}
	}
	sorted := slices.Sorted(maps.Values(paths))
	put := into(&t.facts.Files)
	return each(ctx, t, applicability.SectionFiles, sorted, t.host.Files.File, func(path string, info **applicability.FileInfo) {
		if info == nil {
			put(path, nil)
			return
		}
		put(path, *info)
	})
}

func (t *taker) folders(ctx context.Context, files []fileName) error {
	asked := map[int]bool{}
	for _, f := range files {
		if f.csidl != 0 {
			asked[f.csidl] = true
		}
	}
	t.facts.Folders = map[int]string{}
	return each(ctx, t, applicability.SectionFiles, slices.Sorted(maps.Keys(asked)), t.host.Files.Folder, func(csidl int, folder *string) {
		t.facts.Folders[csidl] = ""
		if folder != nil {
			t.facts.Folders[csidl] = *folder
		}
	})
}

// whole are the full paths that a name means.
func (t *taker) whole(f fileName) []string {
	switch {
	case f.csidl != 0:
		if folder := t.facts.Folders[f.csidl]; folder != "" {
			return []string{join(cleanPath(folder), f.path)}
		}
		return nil
	case f.bases == nil:
		return []string{f.path}
	}
	var paths []string
	for _, base := range f.bases {
		for _, key := range t.paths(base.key) {
			if folder, ok := t.text(key, base.name); ok && !strings.Contains(folder, "%") {
				paths = append(paths, cleanPath(folder)+`\`+strings.TrimPrefix(f.path, `\`))
			}
		}
	}
	return paths
}
