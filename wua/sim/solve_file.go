package sim

import (
	"slices"
	"strings"
	"time"

	"waptwua/applicability"
)

// file gives the edits for an operator about a file; see registry.
func (s *solver) file(e applicability.Expr, want bool, loop string) (edits []edit, ok bool) {
	switch e := e.(type) {
	case *applicability.FileExists:
		return s.write(&e.FilePath, want, loop, func(f *applicability.FileInfo) bool {
			setIf(&f.Size, e.Size)
			setIf(&f.Language, e.Language)
			if e.Version != nil {
				f.Version = text(e.Version.String())
			}
			return true
		}), true
	case *applicability.FileVersion:
		v, possible := version(e.Comparison, e.Version)
		return s.write(&e.FilePath, want, loop, func(f *applicability.FileInfo) bool {
			f.Version = text(v.String())
			return possible
		}), true
	case *applicability.FileSize:
		n, possible := number(e.Comparison, e.Size)
		return s.write(&e.FilePath, want, loop, func(f *applicability.FileInfo) bool {
			f.Size = &n
			return possible
		}), true
	case *applicability.FileTime:
		at := timeNear(e.Comparison, e.Time)
		return s.write(&e.FilePath, want, loop, func(f *applicability.FileInfo) bool {
			if e.Created {
				f.Created = &at
			} else {
				f.Modified = &at
			}
			return true
		}), true
	}
	return nil, false
}

// pathOf is the file that an operator names; nil: none.
func pathOf(e applicability.Expr) *applicability.FilePath {
	switch e := e.(type) {
	case *applicability.FileExists:
		return &e.FilePath
	case *applicability.FileVersion:
		return &e.FilePath
	case *applicability.FileSize:
		return &e.FilePath
	case *applicability.FileTime:
		return &e.FilePath
	}
	return nil
}

// write changes a file, keeping what else is known about it, or takes it
// away.
func (s *solver) write(p *applicability.FilePath, want bool, loop string, set func(*applicability.FileInfo) bool) []edit {
	path, ok := s.path(p, loop)
	if !ok {
		return nil
	}
	e := edit{File: path}
	if want {
		e.FileInfo = new(applicability.FileInfo)
		if have := entry(s.facts.Files, path, cleanPath); have != nil {
			*e.FileInfo = *have
		}
		if !set(e.FileInfo) {
			return nil
		}
	}
	return []edit{e}
}

// path is where a rule's file lies on this machine; false when its folder
// is not known.
func (s *solver) path(p *applicability.FilePath, loop string) (string, bool) {
	switch {
	case p.Base != nil:
		key := entry(s.facts.Registry, s.key(&p.Base.RegKey, loop), cleanKey)
		v := entry(key, p.Base.Value, valueName)
		if v == nil || v.IsNumber() || strings.Contains(v.Text, "%") {
			return "", false
		}
		return cleanPath(v.Text + `\` + p.Path), true
	case p.Csidl == 0:
		return cleanPath(p.Path), true
	}
	folder := s.facts.Folders[p.Csidl]
	return cleanPath(folder + `\` + p.Path), folder != ""
}

func timeNear(c applicability.Comparison, t time.Time) time.Time {
	switch c {
	case applicability.LessThan:
		return t.Add(-time.Second)
	case applicability.GreaterThan:
		return t.Add(time.Second)
	}
	return t
}

func setIf[T any](field **T, want *T) {
	if want != nil {
		v := *want
		*field = &v
	}
}

func text(s string) *string { return &s }

// firstSorted sorts list and returns at most n of it.
func firstSorted(list []string, n int) []string {
	slices.Sort(list)
	return list[:min(n, len(list))]
}
