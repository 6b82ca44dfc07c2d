package shutdownscript

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
)

// The group policy's extension for scripts, and the tool that edits them.
const (
	extension = "{42B5FAAE-6536-11D2-AE5A-0000F87571E3}"
	tool      = "{40B6664F-4972-11D1-A7CA-0000F87571E3}"
)

// decode reads scripts.ini: UTF-16 with a byte order mark, or bytes.
func decode(b []byte) string {
	if len(b) < 2 || b[0] != 0xFF || b[1] != 0xFE {
		return string(b)
	}
	var u []uint16
	for b = b[2:]; len(b) >= 2; b = b[2:] {
		u = append(u, binary.LittleEndian.Uint16(b))
	}
	return string(utf16.Decode(u))
}

// encode writes scripts.ini as Windows does.
func encode(s string) []byte {
	b := []byte{0xFF, 0xFE}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

const newline = "\r\n"

// lines splits a file; the empty file has none.
func lines(s string) []string {
	s = strings.TrimSuffix(strings.ReplaceAll(s, newline, "\n"), "\n")
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func joined(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, newline) + newline
}

// section finds the lines [from, to) behind the header of a section; ok is
// false when there is none.
func section(list []string, name string) (from, to int, ok bool) {
	for i, l := range list {
		l = strings.TrimSpace(l)
		switch {
		case ok && strings.HasPrefix(l, "["):
			return from, i, true
		case strings.EqualFold(l, "["+name+"]"):
			from, ok = i+1, true
		}
	}
	return from, len(list), ok
}

// entry matches a line of a script: its number, which half, its text.
var entry = regexp.MustCompile(`(?i)^\s*(\d+)(CmdLine|Parameters)\s*=(.*)$`)

// addScript appends a script to the section [Shutdown].
func addScript(text string, s Script) string {
	list := lines(text)
	from, to, ok := section(list, "Shutdown")
	if !ok {
		list = append(list, "[Shutdown]")
		from, to = len(list), len(list)
	}
	next, at := 0, from
	for i := from; i < to; i++ {
		if m := entry.FindStringSubmatch(list[i]); m != nil {
			at = i + 1
			if n, err := strconv.Atoi(m[1]); err == nil {
				next = max(next, n+1)
			}
		}
	}
	added := []string{fmt.Sprintf("%dCmdLine=%s", next, s.Program), fmt.Sprintf("%dParameters=%s", next, s.Parameters)}
	return joined(append(list[:at:at], append(added, list[at:]...)...))
}

// hasScript tells whether exactly this script is there.
func hasScript(text string, s Script) bool {
	list := lines(text)
	from, to, _ := section(list, "Shutdown")
	halves := map[string]int{}
	for _, l := range list[min(from, to):to] {
		m := entry.FindStringSubmatch(l)
		if m != nil && (strings.EqualFold(m[2], "CmdLine") && m[3] == s.Program || strings.EqualFold(m[2], "Parameters") && m[3] == s.Parameters) {
			halves[m[1]]++
		}
	}
	for _, n := range halves {
		if n == 2 {
			return true
		}
	}
	return false
}

// hasExtension tells whether gpt.ini names the scripts' extension.
func hasExtension(text string) bool { return strings.Contains(strings.ToUpper(text), extension) }

// removeScript takes the scripts of a program out of the section
// [Shutdown], and closes the gap in the numbers, at which Windows would stop
// reading. A section that becomes empty goes, too.
func removeScript(text, program string) string {
	list := lines(text)
	from, to, ok := section(list, "Shutdown")
	if !ok || program == "" {
		return text
	}
	gone := map[string]bool{}
	for _, l := range list[from:to] {
		if m := entry.FindStringSubmatch(l); m != nil && strings.EqualFold(m[2], "CmdLine") && strings.EqualFold(strings.TrimSpace(m[3]), program) {
			gone[m[1]] = true
		}
	}
	if len(gone) == 0 {
		return text
	}
	kept := renumbered(list[from:to], gone)
	if strings.TrimSpace(strings.Join(kept, "")) == "" {
		kept, from = nil, from-1
	}
	return joined(append(list[:from:from], append(kept, list[to:]...)...))
}

// renumbered are the lines of a section without the entries that are gone.
func renumbered(list []string, gone map[string]bool) []string {
	numbers, kept := map[string]int{}, []string(nil)
	for _, l := range list {
		m := entry.FindStringSubmatch(l)
		switch {
		case m == nil:
			kept = append(kept, l)
		case !gone[m[1]]:
			n, known := numbers[m[1]]
			if !known {
				n = len(numbers)
				numbers[m[1]] = n
			}
			kept = append(kept, fmt.Sprintf("%d%s=%s", n, m[2], m[3]))
		}
	}
	return kept
}

var (
	extensions = regexp.MustCompile(`(?im)^(\s*gPCMachineExtensionNames\s*=)([^\r\n]*)`)
	version    = regexp.MustCompile(`(?im)^(\s*Version\s*=\s*)(\d+)`)
)

// addExtension names the scripts' extension in gpt.ini and raises its
// version.
func addExtension(text string) string {
	if _, _, ok := section(lines(text), "General"); !ok {
		text = joined(append(lines(text), "[General]"))
	}
	if m := extensions.FindStringSubmatch(text); m == nil {
		text = intoGeneral(text, "gPCMachineExtensionNames=["+extension+tool+"]")
	} else if !strings.Contains(strings.ToUpper(m[2]), extension) {
		text = extensions.ReplaceAllString(text, "${1}${2}["+extension+tool+"]")
	}
	return raiseVersion(text)
}

// intoGeneral puts a line behind the header [General].
func intoGeneral(text, line string) string {
	list := lines(text)
	from, _, _ := section(list, "General")
	return joined(append(list[:from:from], append([]string{line}, list[from:]...)...))
}

// raiseVersion raises the computer's half of the version, its low 16 bits.
func raiseVersion(text string) string {
	m := version.FindStringSubmatch(text)
	if m == nil {
		return intoGeneral(text, "Version=1")
	}
	n, err := strconv.ParseUint(m[2], 10, 32)
	if err != nil {
		n = 0
	}
	machine := uint16(n) + 1
	if machine == 0 {
		machine = 1 // it went round
	}
	return version.ReplaceAllString(text, fmt.Sprintf("${1}%d", n&^0xFFFF|uint64(machine)))
}
