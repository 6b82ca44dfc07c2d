package wsusscn2

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// each calls visit for every child of the current element, or for every
// root of the document when none is open, and skips whatever visit leaves
// unread. It returns behind the end of the current element.
func (s *scanner) each(visit func() error) error {
	level := len(s.marks)
	for {
		t, err := s.next()
		if err != nil {
			if errors.Is(err, io.EOF) { // next says so only outside of all elements
				return nil
			}
			return err
		}
		switch {
		case t == tokenEnd && len(s.marks) < level:
			return nil
		case t == tokenStart && len(s.marks) == level+1:
			if err := visit(); err != nil {
				return err
			}
		}
	}
}

// content returns the text of the current element without that of its
// children, and moves behind its end.
func (s *scanner) content() (string, error) {
	level := len(s.marks)
	var text string
	var more []byte // text, once it comes in several parts
	for {
		t, err := s.next()
		switch {
		case err != nil:
			return "", err
		case t == tokenEnd && len(s.marks) < level:
			return text + string(more), nil
		case t == tokenText && len(s.marks) == level:
			part, err := s.decode(s.text, s.verbatim)
			if err != nil {
				return "", err
			}
			if text == "" && more == nil {
				text = part
			} else {
				more = append(more, part...)
			}
			if len(text)+len(more) > s.lim.TextBytes {
				return "", s.limitf("a text of more than %d bytes", s.lim.TextBytes)
			}
		}
	}
}

// inner returns the bytes between the tags of the current element and moves
// behind its end. It works on documents in memory only.
func (s *scanner) inner() ([]byte, error) {
	start, empty := s.pos, s.selfClose
	if err := s.each(func() error { return nil }); err != nil {
		return nil, err
	}
	if empty {
		return []byte{}, nil
	}
	return s.buf[start:s.tok:s.tok], nil
}

// attr returns the undecoded value of an attribute of the current start tag.
func (s *scanner) attr(name string) []byte {
	for _, a := range s.attrs {
		if string(a.name) == name {
			return a.raw
		}
	}
	return nil
}

// value returns an attribute, or "" when there is none.
func (s *scanner) value(name string) (string, error) {
	raw := s.attr(name)
	if raw == nil {
		return "", nil
	}
	return s.decode(raw, false)
}

// decode turns raw text into a string: entities, line ends, UTF-8.
func (s *scanner) decode(raw []byte, verbatim bool) (string, error) {
	if plain(raw) {
		return string(raw), nil
	}
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	var out strings.Builder
	for i := 0; i < len(raw); {
		r, n := utf8.DecodeRune(raw[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return "", s.errorf("a text that is not UTF-8")
		case r == '&' && !verbatim:
			if r, n = entity(raw[i:]); n == 0 {
				return "", s.errorf("an unknown entity in %.40q", raw[i:])
			}
		case r == '\r':
			r = '\n'
		}
		if !xmlChar(r) {
			return "", s.errorf("the character U+%04X, which XML does not allow", r)
		}
		out.WriteRune(r)
		i += n
	}
	return out.String(), nil
}

// plain tells whether decoding would change nothing.
func plain(b []byte) bool {
	for _, c := range b {
		if c == '&' || c < ' ' && c != '\n' && c != '\t' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// entity decodes the reference at the start of b and returns its length,
// which is 0 when it is none.
func entity(b []byte) (rune, int) {
	end := bytes.IndexByte(b[:min(len(b), 12)], ';')
	if end < 2 {
		return 0, 0
	}
	switch name := string(b[1:end]); name {
	case "amp":
		return '&', end + 1
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	default:
		return charReference(name, end+1)
	}
}

func charReference(name string, length int) (rune, int) {
	digits, base := strings.TrimPrefix(name, "#"), 10
	if strings.HasPrefix(name, "#x") {
		digits, base = name[2:], 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	if name[0] != '#' || err != nil {
		return 0, 0
	}
	return rune(n), length
}

func xmlChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}
