package settings

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"waptwua/internal/atomicfile"
)

// Assignment is one line of a settings file.
type Assignment struct {
	Section string // lower case
	Name    string // lower case
	Value   string // one line; in Edit, empty: the option is taken out
}

// String is the assignment as a command line writes it.
func (a Assignment) String() string { return a.Section + "." + a.Name + "=" + a.Value }

// ParseAssignment reads SECTION.NAME=VALUE and refuses an option that does
// not exist, or a value that the agent could not read. "repo-sync" and other
// programs' sections are not known here.
func ParseAssignment(s string) (Assignment, error) {
	key, value, ok := strings.Cut(s, "=")
	section, name, ok2 := strings.Cut(strings.ToLower(strings.TrimSpace(key)), ".")
	a := Assignment{Section: strings.TrimSpace(section), Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)}
	if !ok || !ok2 || a.Section == "" || a.Name == "" {
		return a, fmt.Errorf("setting %q: want SECTION.NAME=VALUE, for example waptwua.install_delay=7d", s)
	}
	return a, a.check()
}

// check reads a file that holds nothing but the assignment.
func (a Assignment) check() error {
	if strings.ContainsAny(a.Value, "\r\n\x00") {
		return fmt.Errorf("setting %s.%s: the value must be one line", a.Section, a.Name)
	}
	if (a.Name == "wapt_server" || a.Name == "repo_url") && a.Value != "" && !strings.HasPrefix(strings.ToLower(a.Value), "https://") {
		return fmt.Errorf("setting %s: only https is allowed", a)
	}
	s, err := Parse("wapt-get.ini", Edit(nil, a))
	if err != nil {
		return fmt.Errorf("setting %s: %w", a, err)
	}
	if !slices.ContainsFunc(s.options, func(o Option) bool { return o.Section == a.Section && o.Name == a.Name }) {
		return fmt.Errorf("setting %s.%s: there is no such option; is it misspelled?", a.Section, a.Name)
	}
	for _, p := range s.Problems {
		if p.Section == a.Section && p.Name == a.Name {
			return fmt.Errorf("setting %s: %s", a, p.Text)
		}
	}
	return nil
}

// Assignments lists what the text of a settings file sets in the sections of
// the agent, in the order of the options; values that stand for their
// default, because they are empty, are left out.
func Assignments(text []byte) ([]Assignment, error) {
	s, err := Parse("wapt-get.ini", text)
	if err != nil {
		return nil, err
	}
	var list []Assignment
	for _, o := range s.options {
		if v, ok := s.given[o.Section+"."+o.Name]; ok && v != "" {
			list = append(list, Assignment{Section: o.Section, Name: o.Name, Value: v})
		}
	}
	return list, nil
}

// Edit changes the text of a settings file. Everything else stays as it is:
// comments, order, options of other programs. Of an option that stands
// several times the first line takes the value and the others go; a new
// option goes to the end of its section, a new section to the end.
func Edit(text []byte, changes ...Assignment) []byte {
	lines := splitLines(text)
	for _, c := range changes {
		lines = edit(lines, c)
	}
	if len(lines) == 0 {
		return nil
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}

// EditFile changes the settings file at path, or makes it, in one step. It
// writes nothing when nothing changes, or when the result could not be read.
func EditFile(path string, changes ...Assignment) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("changing the settings: %w", err)
	}
	text := Edit(old, changes...)
	if err == nil && string(text) == string(old) {
		return nil
	}
	if _, err := Parse(path, text); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("changing the settings: %w", err)
	}
	return atomicfile.WriteFile(path, text, 0o644)
}

func splitLines(text []byte) []string {
	s := strings.TrimPrefix(strings.ReplaceAll(string(text), "\r\n", "\n"), "\ufeff")
	if s = strings.TrimSuffix(s, "\n"); s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// edit makes one change. A value's further lines, which are indented, go
// with its first.
func edit(lines []string, c Assignment) []string {
	out := make([]string, 0, len(lines)+2)
	inside, done, dropping := false, c.Value == "", false
	end := -1 // where the section's last line lies in out
	for _, line := range lines {
		if name, ok := sectionOf(line); ok {
			inside, dropping = name == c.Section, false
			out = append(out, line)
			if inside {
				end = len(out)
			}
			continue
		}
		if dropping && continues(line) {
			continue
		}
		if dropping = inside && nameOf(line) == c.Name; dropping {
			if !done {
				out, done = append(out, c.Name+" = "+c.Value), true
				end = len(out)
			}
			continue
		}
		out = append(out, line)
		if inside && strings.TrimSpace(line) != "" {
			end = len(out)
		}
	}
	if done {
		return out
	}
	if end < 0 {
		if len(out) > 0 {
			out = append(out, "")
		}
		return append(out, "["+c.Section+"]", c.Name+" = "+c.Value)
	}
	return slices.Insert(out, end, c.Name+" = "+c.Value)
}

func sectionOf(line string) (string, bool) {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "[") || !strings.HasSuffix(line, "]") {
		return "", false
	}
	return strings.ToLower(strings.TrimSpace(line[1 : len(line)-1])), true
}

// nameOf is the option that a line sets; empty for comments and the like.
func nameOf(line string) string {
	if t := strings.TrimSpace(line); t == "" || t[0] == ';' || t[0] == '#' {
		return ""
	}
	i := strings.IndexAny(line, "=:")
	if i < 0 {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(line[:i]))
}

func continues(line string) bool {
	return strings.TrimSpace(line) != "" && (line[0] == ' ' || line[0] == '\t')
}

// Mode is the assignment for the installer's three choices: "manage" lets
// WAPT update Windows, "disable" gives Windows Update back, "leave" sets
// nothing, and takes out what was set.
func Mode(word string) (Assignment, error) {
	a := Assignment{Section: WaptWUA, Name: "enabled"}
	switch strings.ToLower(word) {
	case "manage":
		a.Value = "true"
	case "disable":
		a.Value = "false"
	case "leave":
	default:
		return a, fmt.Errorf("waptwua %q: want manage, disable or leave", word)
	}
	return a, nil
}

// Overwrites tells whether the settings that an installer brings are to win
// over those of the host: [installer] overwrite.
func Overwrites(text []byte) bool {
	f, err := load(text)
	if err != nil {
		return false
	}
	var b bool
	s, err := f.GetSection("installer")
	return err == nil && boolean(&b)(strings.TrimSpace(s.Key("overwrite").Value())) == nil && b
}
