package settings

import (
	"os"
	"sync"
	"time"
)

// File is a settings file that may change while an agent runs. It is safe
// for concurrent use.
type File struct {
	path string

	mu      sync.Mutex
	good    *Settings
	changed time.Time
	size    int64
}

// NewFile makes a File; nothing is read yet.
func NewFile(path string) *File { return &File{path: path} }

// Settings returns the settings, read anew when the file has changed since.
// When it can no longer be read, the last good settings stay in force and
// carry a Problem; the first time that is an error.
func (f *File) Settings() (*Settings, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fi, err := os.Stat(f.path)
	if err == nil && f.good != nil && fi.ModTime().Equal(f.changed) && fi.Size() == f.size {
		return f.good, nil
	}
	s, loadErr := Load(f.path)
	if loadErr != nil {
		if f.good == nil {
			return nil, loadErr
		}
		return f.good.withProblem(loadErr), nil
	}
	f.good = s
	if err == nil {
		f.changed, f.size = fi.ModTime(), fi.Size()
	}
	return s, nil
}

func (s *Settings) withProblem(err error) *Settings {
	c := *s
	c.Problems = append([]Problem{{Section: "file", Name: "wapt-get.ini", Text: err.Error() + "; the settings read before stay in force"}}, s.Problems...)
	return &c
}
