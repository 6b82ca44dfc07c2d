package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"waptwua"
	"waptwua/applicability"
)

// keyName is a registry key as a question names it.
type keyName struct {
	path   string // hive shortened; in a loop, what follows the sub-key at hand
	inLoop bool   // below HKEY_LOOP_TARGET
	narrow bool   // the 32-bit view
}

// valueName is a registry value; the name "" is the default value.
type valueName struct {
	key  keyName
	name string
}

// fileName is a file below a known folder, or below the folder that a
// registry value holds.
type fileName struct {
	csidl int         // 0: path is whole, or bases counts
	bases []valueName // the readings of the value's name
	path  string
}

// query is a WMI query.
type query struct{ namespace, wql string }

func (q query) String() string { return q.namespace + ": " + q.wql }

// questions is the parsed form of applicability.Asked.
type questions struct {
	applicability.Asked
	loops, keys []keyName
	values      []valueName
	files       []fileName
	queries     []query
}

func parseQuestions(a applicability.Asked, l Limits) (*questions, error) {
	n := 0
	for _, list := range [][]string{
		a.Keys, a.Values, a.Loops, a.Files, a.Queries, a.Licenses, a.Products, a.Features, a.Components, a.Patches,
		a.Packages, a.Releases, a.Attributes,
	} {
		n += len(list)
	}
	if n += len(a.Metrics); n > l.Questions {
		return nil, fmt.Errorf("%d questions: %w of %d", n, waptwua.ErrLimit, l.Questions)
	}
	for _, list := range []*[]string{&a.Licenses, &a.Products, &a.Features, &a.Components, &a.Patches, &a.Packages, &a.Releases, &a.Attributes} {
		*list = distinct(*list)
	}
	q := &questions{Asked: a}
	for _, s := range a.Loops {
		q.loops = append(q.loops, parseKey(s))
	}
	for _, s := range a.Keys {
		q.keys = append(q.keys, parseKey(s))
	}
	for _, s := range a.Values {
		q.values = append(q.values, parseValue(s)...)
	}
	for _, s := range a.Files {
		q.files = append(q.files, parseFile(s))
	}
	for _, s := range a.Queries {
		namespace, wql, _ := strings.Cut(s, ": ")
		q.queries = append(q.queries, query{namespace, wql})
	}
	return q, nil
}

// distinct leaves out names that differ from an earlier one in case only.
func distinct(names []string) []string {
	seen := make(map[string]bool, len(names))
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		folded := strings.ToLower(name)
		again := seen[folded]
		seen[folded] = true
		return again
	})
}

const loopTarget = "HKEY_LOOP_TARGET"

// parseKey reads `HKEY_LOCAL_MACHINE\SOFTWARE\X`, with "|32" at its end for
// the 32-bit view.
func parseKey(s string) keyName {
	s, narrow := strings.CutSuffix(s, "|32")
	hive, rest, _ := strings.Cut(cleanPath(s), `\`)
	if strings.EqualFold(hive, loopTarget) {
		return keyName{path: rest, inLoop: true, narrow: narrow}
	}
	return keyName{path: join(shortHive(hive), rest), narrow: narrow}
}

// parseValue reads a key, "@" and the name of a value. Names may hold that
// character themselves: every way to read them is asked.
func parseValue(s string) []valueName {
	var readings []valueName
	for i := range len(s) {
		if s[i] == '@' {
			readings = append(readings, valueName{parseKey(s[:i]), defaultName(s[i+1:])})
		}
	}
	return readings
}

// defaultName undoes how regedit shows the default value.
func defaultName(s string) string {
	if strings.EqualFold(s, "(default)") {
		return ""
	}
	return s
}

// parseFile reads "36:path", or a registry value, ":" and a path.
func parseFile(s string) fileName {
	number, path, _ := strings.Cut(s, ":")
	if csidl, err := strconv.Atoi(number); err == nil {
		return fileName{csidl: csidl, path: cleanPath(path)}
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return fileName{path: cleanPath(s)}
	}
	return fileName{bases: parseValue(s[:i]), path: cleanPath(s[i+1:])}
}

// cleanPath removes doubled and trailing separators, but for the two that a
// path to another computer begins with.
func cleanPath(s string) string {
	s = strings.ReplaceAll(s, "/", `\`)
	remote := strings.HasPrefix(s, `\\`)
	for strings.Contains(s, `\\`) {
		s = strings.ReplaceAll(s, `\\`, `\`)
	}
	if s = strings.TrimRight(s, `\`); remote {
		return `\` + s
	}
	return s
}

// join puts path below folder; either may be empty.
func join(folder, path string) string {
	path = strings.TrimPrefix(path, `\`)
	if folder == "" || path == "" {
		return folder + path
	}
	return folder + `\` + path
}

func shortHive(hive string) string {
	switch strings.ToUpper(hive) {
	case "HKEY_LOCAL_MACHINE":
		return "HKLM"
	case "HKEY_CURRENT_USER":
		return "HKCU"
	case "HKEY_CLASSES_ROOT":
		return "HKCR"
	case "HKEY_USERS":
		return "HKU"
	}
	return hive
}

// Where a 64-bit Windows keeps the 32-bit view of HKLM\SOFTWARE.
const (
	software = `HKLM\SOFTWARE`
	wow      = software + `\Wow6432Node`
)

// narrowView is where the 32-bit view of a key is recorded on a processor.
func narrowView(path string, architecture int) string {
	if architecture == applicability.ArchX86 || architecture == applicability.ArchARM {
		return path
	}
	if !below(path, software) || below(path, wow) {
		return path
	}
	return join(wow, path[len(software):])
}

// below tells whether path is folder or in it.
func below(path, folder string) bool {
	return len(path) >= len(folder) && strings.EqualFold(path[:len(folder)], folder) &&
		(len(path) == len(folder) || path[len(folder)] == '\\')
}

// maxQuestions bounds a list of questions in bytes.
const maxQuestions = 64 << 20

// ParseQuestions reads a list of questions, the JSON form of
// applicability.Asked. A field that this program does not know is an error:
// what it asks would otherwise be missing without a word.
func ParseQuestions(b []byte) (applicability.Asked, error) {
	var a applicability.Asked
	if len(b) > maxQuestions {
		return a, fmt.Errorf("questions of %d bytes: %w of %d", len(b), waptwua.ErrLimit, maxQuestions)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&a); err != nil {
		return a, fmt.Errorf("read questions: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return a, errors.New("read questions: something follows the JSON object")
	}
	return a, nil
}
