package cab

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"
)

// setName takes the stored name, whose bytes it may change.
func (f *File) setName(b []byte) {
	if !isASCII(b) {
		f.RawName = bytes.Clone(b)
	}
	for i, c := range b {
		if c == '\\' {
			b[i] = '/' // no coding gives this byte another meaning, except within a character of some code pages
		}
	}
	f.Name = decodeName(b, f.Attributes&NameIsUTF8 != 0)
}

// decodeName decodes a stored name. A byte sequence that is not UTF-8 becomes
// U+FFFD in a name flagged as UTF-8, so that an overlong coding of '.', '/'
// or '\' stands for nothing; other names that are not UTF-8 are in a code
// page that the cabinet does not tell, and are taken for ISO 8859-1.
func decodeName(b []byte, flagged bool) string {
	switch {
	case utf8.Valid(b):
		return string(b)
	case flagged:
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Path returns the file's name as a relative, slash-separated path that is
// valid for fs.ValidPath and safe to join to a folder: not absolute, without
// drive or stream (':'), and without empty, "." or ".." elements. For any
// other name it returns a *FormatError that matches ErrFormat.
func (f *File) Path() (string, error) {
	if why := unsafe(f.Name); why != "" {
		return "", fault(ErrFormat, f.entry, "the file name %q %s", f.Name, why)
	}
	return f.Name, nil
}

// unsafe tells what keeps a name from being a path, or "".
func unsafe(name string) string {
	switch {
	case strings.HasPrefix(name, "/"):
		return "is absolute"
	case strings.Contains(name, ":"):
		return "contains a colon"
	}
	for element := range strings.SplitSeq(name, "/") {
		switch element {
		case "":
			return "has an empty element"
		case ".", "..":
			return fmt.Sprintf("has the element %q", element)
		}
	}
	if !fs.ValidPath(name) {
		return "is not valid UTF-8"
	}
	return ""
}
