package applicability

import (
	"fmt"
	"strings"
	"time"
)

// FilePath names a file as rules do: Path below a known folder (CSIDL), or
// below the folder that a registry value holds (the PrependRegSz operators).
type FilePath struct {
	Path  string
	Csidl int       // of SHGetFolderPath; 0: Path is whole
	Base  *RegValue // the value that holds the folder; nil: Csidl counts

	tail string // Path, folded, with a separator before it
}

func newFilePath(a attributes, prepend bool) (FilePath, error) {
	path := a.get("Path")
	p := FilePath{Path: path, tail: a.parser.intern(`\` + strings.TrimPrefix(cleanPath(path), `\`))}
	if prepend {
		v := newRegValue(a)
		p.Base = &v
		return p, nil
	}
	n, err := a.number("Csidl")
	p.Csidl = int(n)
	return p, err
}

// String is what the path is below, ":" and the path.
func (p FilePath) String() string {
	if p.Base != nil {
		return p.Base.String() + ":" + p.Path
	}
	return fmt.Sprintf("%d:%s", p.Csidl, p.Path)
}

// find looks the file up.
func (p *FilePath) find(c *Context) (*fileFacts, Truth) {
	path, t := p.resolve(c)
	if t != True {
		return nil, t
	}
	return found(c.Machine, SectionFiles, c.Machine.files, path)
}

func (p *FilePath) resolve(c *Context) (string, Truth) {
	switch {
	case p.Base != nil:
		folder, t := p.Base.folder(c)
		return cleanPath(folder) + p.tail, t
	case p.Csidl == 0:
		return p.tail[1:], True
	}
	folder, ok := c.Machine.folders[p.Csidl]
	if !ok {
		return "", Unknown
	}
	if folder == "" {
		return "", False
	}
	return folder + p.tail, True
}

func (p *FilePath) said(c *Context) string {
	path, t := p.resolve(c)
	if t != True {
		return "folder " + absence(t)
	}
	f, t := p.find(c)
	if t != True {
		return path + " " + absence(t)
	}
	return path + " " + f.describe()
}

func (f *fileFacts) describe() string {
	s := "present"
	if f.hasVersion {
		s = "version " + f.version.String()
	}
	if f.info.Size != nil {
		s += fmt.Sprintf(", %d bytes", *f.info.Size)
	}
	if f.info.Language != nil {
		s += fmt.Sprintf(", language %d", *f.info.Language)
	}
	if f.info.Modified != nil {
		s += ", modified " + f.info.Modified.Format(time.RFC3339)
	}
	return s
}

// FileExists is true when the file exists and has the properties given.
type FileExists struct {
	FilePath
	Size     *int64   // bytes; nil: any
	Language *int     // LANGID of the version resource; nil: any
	Version  *Version // nil: any
}

// Eval implements Expr.
func (e *FileExists) Eval(c *Context) Truth {
	f, t := e.find(c)
	if t != True {
		return t
	}
	t = equalOrUnknown(e.Size, f.info.Size).And(equalOrUnknown(e.Language, f.info.Language))
	if e.Version != nil {
		t = t.And(f.compareVersion(EqualTo, *e.Version))
	}
	return t
}

// equalOrUnknown compares what a rule wants (nil: nothing) with what is
// recorded (nil: not).
func equalOrUnknown[T comparable](want, have *T) Truth {
	switch {
	case want == nil:
		return True
	case have == nil:
		return Unknown
	}
	return truthOf(*want == *have)
}

func (f *fileFacts) compareVersion(c Comparison, want Version) Truth {
	switch {
	case f.info.Version == nil:
		return Unknown
	case !f.hasVersion:
		return False
	}
	return truthOf(c.Holds(f.version.Compare(want)))
}

// FileVersion compares the file's version; a missing file is false.
type FileVersion struct {
	FilePath
	Comparison Comparison
	Version    Version
}

// Eval implements Expr.
func (e *FileVersion) Eval(c *Context) Truth {
	f, t := e.find(c)
	if t != True {
		return t
	}
	return f.compareVersion(e.Comparison, e.Version)
}

// FileSize compares the file's size in bytes; a missing file is false.
type FileSize struct {
	FilePath
	Comparison Comparison
	Size       int64
}

// Eval implements Expr.
func (e *FileSize) Eval(c *Context) Truth {
	f, t := e.find(c)
	switch {
	case t != True:
		return t
	case f.info.Size == nil:
		return Unknown
	}
	return truthOf(e.Comparison.Holds(compare(*f.info.Size, e.Size)))
}

// FileTime compares when the file was modified, or created, to the second; a
// missing file is false.
type FileTime struct {
	FilePath
	Comparison Comparison
	Created    bool // FileCreated; otherwise FileModified
	Time       time.Time
}

// Eval implements Expr.
func (e *FileTime) Eval(c *Context) Truth {
	f, t := e.find(c)
	if t != True {
		return t
	}
	have := f.info.Modified
	if e.Created {
		have = f.info.Created
	}
	if have == nil {
		return Unknown
	}
	return truthOf(e.Comparison.Holds(sameTime(*have, e.Time)))
}
