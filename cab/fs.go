package cab

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// FileInfo returns the file's entry as an fs.FileInfo; its name is the last
// element of f.Name, and f itself its Sys.
func (f *File) FileInfo() fs.FileInfo { return fileInfo{f} }

type fileInfo struct{ file *File }

func (i fileInfo) Name() string               { return path.Base(i.file.Name) }
func (i fileInfo) Size() int64                { return i.file.Size }
func (i fileInfo) ModTime() time.Time         { return i.file.Modified }
func (i fileInfo) IsDir() bool                { return false }
func (i fileInfo) Sys() any                   { return i.file }
func (i fileInfo) Type() fs.FileMode          { return 0 }
func (i fileInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i fileInfo) String() string             { return fs.FormatFileInfo(i) }

func (i fileInfo) Mode() fs.FileMode {
	mode := fs.FileMode(0o444)
	if i.file.Attributes&ReadOnly == 0 {
		mode |= 0o200
	}
	if i.file.Attributes&Executable != 0 {
		mode |= 0o111
	}
	return mode
}

// errIsDirectory is what reading a directory gives.
var errIsDirectory = errors.New("is a directory")

// tree is the view of a cabinet's files as directories.
type tree struct {
	files map[string]*File         // nil: the path is ambiguous
	dirs  map[string][]fs.DirEntry // sorted by name
	infos map[string]fs.FileInfo   // of directories
}

// newTree arranges the files whose Path is safe. A path that occurs twice,
// or both as a file and as a directory, is ambiguous: it is listed, once,
// and opening the file fails.
func newTree(files []*File) *tree {
	t := &tree{files: map[string]*File{}, dirs: map[string][]fs.DirEntry{}, infos: map[string]fs.FileInfo{}}
	t.addDir(".")
	for _, f := range files {
		if name, err := f.Path(); err == nil {
			t.addDir(path.Dir(name))
		}
	}
	for _, f := range files {
		if name, err := f.Path(); err == nil {
			t.addFile(name, f)
		}
	}
	for _, entries := range t.dirs {
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return t
}

func (t *tree) addDir(name string) {
	for ; t.infos[name] == nil; name = path.Dir(name) {
		info := dirInfo(path.Base(name))
		t.infos[name] = info
		if name == "." {
			return
		}
		parent := path.Dir(name)
		t.dirs[parent] = append(t.dirs[parent], info)
	}
}

func (t *tree) addFile(name string, f *File) {
	if t.infos[name] != nil {
		return // reachable as a directory only
	}
	if _, twice := t.files[name]; twice {
		t.files[name] = nil
		return
	}
	t.files[name] = f
	dir := path.Dir(name)
	t.dirs[dir] = append(t.dirs[dir], fileInfo{f})
}

// dirInfo describes a directory; cabinets store none, so it has no date.
type dirInfo string

func (d dirInfo) Name() string               { return string(d) }
func (d dirInfo) Size() int64                { return 0 }
func (d dirInfo) Mode() fs.FileMode          { return fs.ModeDir | 0o555 }
func (d dirInfo) Type() fs.FileMode          { return fs.ModeDir }
func (d dirInfo) ModTime() time.Time         { return time.Time{} }
func (d dirInfo) IsDir() bool                { return true }
func (d dirInfo) Sys() any                   { return nil }
func (d dirInfo) Info() (fs.FileInfo, error) { return d, nil }
func (d dirInfo) String() string             { return fs.FormatFileInfo(d) }

// Open opens a file or directory of the cabinet as an fs.FS does. Files whose
// Path is not safe cannot be reached; one whose path occurs twice gives an
// error that matches ErrFormat. See File.Open for what reading costs.
func (r *Reader) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	t := r.tree()
	if info := t.infos[name]; info != nil {
		return &openDir{info: info, path: name, entries: t.dirs[name]}, nil
	}
	f, known := t.files[name]
	switch {
	case !known:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case f == nil:
		err := fault(ErrFormat, r.Header.FilesOffset, "the cabinet has several files of this name")
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	content, err := f.Open()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return openFile{content, f}, nil
}

// ReadDir lists a directory of the cabinet, sorted by name.
func (r *Reader) ReadDir(name string) ([]fs.DirEntry, error) {
	t := r.tree()
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	if t.infos[name] == nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return slices.Clone(t.dirs[name]), nil
}

type openFile struct {
	io.ReadCloser
	file *File
}

func (f openFile) Stat() (fs.FileInfo, error) { return f.file.FileInfo(), nil }

type openDir struct {
	info    fs.FileInfo
	path    string
	entries []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.path, Err: errIsDirectory}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 || n > len(d.entries) {
		if n > 0 && len(d.entries) == 0 {
			return nil, io.EOF
		}
		n = len(d.entries)
	}
	out := slices.Clone(d.entries[:n])
	d.entries = d.entries[n:]
	return out, nil
}
