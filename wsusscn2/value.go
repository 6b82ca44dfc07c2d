package wsusscn2

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"
)

// interner keeps one copy of strings that an archive repeats very often:
// languages, handlers, category types. The key is the raw text.
type interner map[string]string

// maxInterned bounds the table.
const maxInterned = 1 << 16

func (in interner) keep(raw []byte, value string) {
	if len(in) < maxInterned {
		in[string(raw)] = value
	}
}

// parser carries what the documents share: the scanner and the interned
// strings. It serves one goroutine.
type parser struct {
	*scanner
	words interner
	guids []GUID     // members of the clauses of the revision or fragment being read
	ids   []Identity // members of its bundle clauses
}

func newParser(s *scanner) parser { return parser{scanner: s, words: make(interner)} }

// guid reads a GUID.
func (s *scanner) guid(raw []byte) (GUID, error) {
	if g, ok := hexGUID(raw); ok {
		return g, nil
	}
	g, err := ParseGUID(string(raw))
	if err != nil {
		return GUID{}, s.errorf("%.60v", err)
	}
	return g, nil
}

// guidText reads a GUID and gives it in lower case.
func (s *scanner) guidText(raw []byte) (string, error) {
	g, err := s.guid(raw)
	if err != nil {
		return "", err
	}
	return g.String(), nil
}

// word reads a short text that is often repeated.
func (p *parser) word(raw []byte) (string, error) {
	if w, ok := p.words[string(raw)]; ok {
		return w, nil
	}
	w, err := p.decode(raw, false)
	if err == nil && len(w) <= 64 {
		p.words.keep(raw, w)
	}
	return w, err
}

// integer reads a non-negative decimal number up to limit.
func (s *scanner) integer(what string, raw []byte, limit int64) (int64, error) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 0 {
		return 0, s.errorf("%s %.40q is not a non-negative number", what, raw)
	}
	if n > limit {
		return 0, s.limitf("%s %d exceeds %d", what, n, limit)
	}
	return n, nil
}

// id reads a RevisionID or RevisionNumber.
func (s *scanner) id(what string, raw []byte) (int, error) {
	n, err := s.integer(what, raw, math.MaxInt32)
	return int(n), err
}

// flag reads an xs:boolean.
func (s *scanner) flag(what string, raw []byte) (bool, error) {
	switch string(raw) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, s.errorf("%s %.40q is neither true nor false", what, raw)
}

// when reads a time; one without zone is UTC.
func (s *scanner) when(what string, raw []byte) (time.Time, error) {
	text := string(raw)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	t, err := time.Parse("2006-01-02T15:04:05", text)
	if err != nil {
		return time.Time{}, s.errorf("%s %.40q is not a time", what, raw)
	}
	return t, nil
}

// digest reads the base64 form of a digest of exactly len(dst) bytes.
func (s *scanner) digest(dst []byte, raw []byte) error {
	var buf [64]byte
	if base64.StdEncoding.DecodedLen(len(raw)) > len(buf) {
		return s.errorf("digest %.100q is too long", raw)
	}
	n, err := base64.StdEncoding.Decode(buf[:], raw)
	if err != nil || n != len(dst) {
		return s.errorf("digest %.100q is not the base64 form of %d bytes", raw, len(dst))
	}
	copy(dst, buf[:n])
	return nil
}

// more tells whether a list of n members may grow by one.
func (s *scanner) more(what string, n int) error {
	if n >= s.lim.Items {
		return s.limitf("more than %d %s", s.lim.Items, what)
	}
	return nil
}
