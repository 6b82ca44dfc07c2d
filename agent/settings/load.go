package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/ini.v1"

	"waptwua"
)

// maxFile bounds the settings file, in bytes.
const maxFile = 1 << 20

// Load reads the file at path. Relative paths in it are below the file's
// folder. The settings returned without an error may have Problems.
func Load(path string) (*Settings, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w; give the file with --config", err)
	}
	if fi.Size() > maxFile {
		return nil, fmt.Errorf("reading the settings: %s has %d bytes: %w", path, fi.Size(), waptwua.ErrLimit)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	return Parse(path, text)
}

// Parse reads the text of a settings file; path is for messages, origins
// and relative paths.
func Parse(path string, text []byte) (*Settings, error) {
	file, err := load(text)
	if err != nil {
		return nil, fmt.Errorf("reading the settings %s: %w", path, err)
	}
	r := &reader{file: file, path: path, dir: filepath.Dir(path), s: &Settings{given: map[string]string{}}}
	r.global()
	r.waptwua()
	r.unknown()
	return r.s, nil
}

// load reads the text as WAPT does: values stand as they are.
func load(text []byte) (*ini.File, error) {
	return ini.LoadSources(ini.LoadOptions{
		Insensitive:                true,
		IgnoreInlineComment:        true,
		PreserveSurroundedQuote:    true,
		IgnoreContinuation:         true,
		AllowPythonMultilineValues: true,
		KeyValueDelimiters:         "=:",
	}, text)
}

// reader goes through the options in the order of the guide, and notes each
// with its origin.
type reader struct {
	file *ini.File
	path string
	dir  string
	s    *Settings
	seen map[string]bool
}

// raw returns the value as it stands in the file.
func (r *reader) raw(section, name string) (string, bool) {
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	r.seen[section+"."+name] = true
	s, err := r.file.GetSection(section)
	if err != nil || !s.HasKey(name) {
		return "", false
	}
	return strings.TrimSpace(s.Key(name).Value()), true
}

// option reads one option: parse gets the value and sets the field. When it
// is missing, empty or does not parse, the field keeps what it has: its
// default. show gives the value in force.
func (r *reader) option(section, name string, parse func(string) error, show func() string) {
	origin := Default
	if v, ok := r.raw(section, name); ok && v != "" {
		r.s.given[section+"."+name] = v
		origin = r.path
		if err := parse(v); err != nil {
			r.problem(section, name, fmt.Sprintf("%v; in force: %s", err, orNone(show())))
			origin = Default
		}
	}
	r.s.options = append(r.s.options, Option{Section: section, Name: name, Value: show(), Origin: origin})
}

func (r *reader) problem(section, name, text string) {
	r.s.Problems = append(r.s.Problems, Problem{Section: section, Name: name, Text: text})
}

func orNone(s string) string {
	if s == "" {
		return "None"
	}
	return s
}

// unknown reports options of [waptwua] that nothing reads.
func (r *reader) unknown() {
	s, err := r.file.GetSection(WaptWUA)
	if err != nil {
		return
	}
	for _, name := range s.KeyStrings() {
		if !r.seen[WaptWUA+"."+name] {
			r.problem(WaptWUA, name, "there is no such option; is it misspelled? It is passed over")
		}
	}
}
