package wsusscn2

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"waptwua"
)

// scanner is a pull scanner for the XML of the archive; the package comment
// says which part of XML that is. It reads a stream through a window that
// holds at least one tag or text, or a document that is in memory without
// copying it. It checks that elements nest; of the bytes inside text and
// attribute values it looks only at those that are asked for.
type scanner struct {
	src  io.Reader // nil: buf is the whole document
	buf  []byte
	tok  int   // start of the current token in buf
	pos  int   // first byte after the current token
	base int64 // offset of buf[0] in the document
	eof  bool  // src has no more
	lim  Limits

	open  []byte // names of the open elements, one after the other
	marks []int  // where each of them starts in open

	name      []byte // of the current start tag
	attrs     []attribute
	text      []byte
	verbatim  bool // text is CDATA
	selfClose bool // the current start tag closes its element
}

type attribute struct{ name, raw []byte }

// token is what next found.
type token byte

const (
	tokenStart token = iota + 1
	tokenEnd
	tokenText
)

// errMore says that the window ends within a token.
var errMore = errors.New("more bytes needed")

const windowBytes = 128 << 10

// reset starts reading the document data, which the scanner does not copy.
func (s *scanner) reset(data []byte, lim Limits) {
	*s = scanner{buf: data, eof: true, lim: lim, open: s.open[:0], marks: s.marks[:0], attrs: s.attrs[:0]}
	s.skipMark()
}

// newStreamScanner reads a document from r.
func newStreamScanner(r io.Reader, lim Limits) (*scanner, error) {
	s := &scanner{src: r, buf: make([]byte, 0, min(windowBytes, lim.TagBytes)), lim: lim}
	if err := s.fill(); err != nil {
		return nil, err
	}
	s.skipMark()
	return s, nil
}

// skipMark skips a byte order mark at the start of the document.
func (s *scanner) skipMark() {
	if bytes.HasPrefix(s.buf, []byte("\ufeff")) {
		s.pos = 3
	}
}

// next reads the next token. At the end of a document without open
// elements it returns io.EOF. An element without content gives both its
// start and its end.
func (s *scanner) next() (token, error) {
	if s.selfClose {
		s.selfClose = false
		s.pop()
		return tokenEnd, nil
	}
	for {
		s.tok = s.pos
		t, err := s.lex()
		if err == nil {
			if t != 0 {
				return t, nil
			}
			continue
		}
		if !errors.Is(err, errMore) {
			return 0, err
		}
		if s.eof {
			return 0, s.end()
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// end is the error for the end of the document at s.tok.
func (s *scanner) end() error {
	switch {
	case s.tok < len(s.buf):
		return s.errorf("the document ends within a tag")
	case len(s.marks) > 0:
		return s.errorf("the document ends before </%s>", s.open[s.marks[len(s.marks)-1]:])
	}
	return io.EOF
}

// fill drops what lies before the current token and reads until the window
// is full or the document ends.
func (s *scanner) fill() error {
	s.base += int64(s.tok)
	n := copy(s.buf, s.buf[s.tok:])
	s.buf, s.tok, s.pos = s.buf[:n], 0, 0
	if n == cap(s.buf) {
		if n >= s.lim.TagBytes {
			return s.limitf("a tag or text of more than %d bytes", s.lim.TagBytes)
		}
		s.buf = append(make([]byte, 0, min(2*n, s.lim.TagBytes)), s.buf...)
	}
	for len(s.buf) < cap(s.buf) {
		m, err := s.src.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+m]
		if errors.Is(err, io.EOF) {
			s.eof = true
			return nil
		}
		if err != nil {
			return s.readError(err)
		}
	}
	return nil
}

// lex reads the token at s.tok; 0 stands for one that says nothing.
func (s *scanner) lex() (token, error) {
	rest := s.buf[s.tok:]
	if len(rest) == 0 {
		return 0, errMore
	}
	if rest[0] != '<' {
		return s.lexText(rest)
	}
	if len(rest) < 2 {
		return 0, errMore
	}
	switch rest[1] {
	case '/':
		return s.lexEnd(rest)
	case '?':
		return 0, s.lexSkip(rest, 2, "?>")
	case '!':
		return s.lexBang(rest)
	}
	return s.lexStart()
}

func (s *scanner) lexText(rest []byte) (token, error) {
	n := bytes.IndexByte(rest, '<')
	if n < 0 {
		if !s.eof {
			return 0, errMore
		}
		n = len(rest)
	}
	s.text, s.verbatim = rest[:n], false
	s.pos = s.tok + n
	return tokenText, nil
}

// lexSkip moves behind the next occurrence of end, from the given offset on.
func (s *scanner) lexSkip(rest []byte, from int, end string) error {
	n := bytes.Index(rest[from:], []byte(end))
	if n < 0 {
		return errMore
	}
	s.pos = s.tok + from + n + len(end)
	return nil
}

func (s *scanner) lexBang(rest []byte) (token, error) {
	const comment, cdata = "<!--", "<![CDATA["
	switch {
	case bytes.HasPrefix(rest, []byte(comment)):
		return 0, s.lexSkip(rest, len(comment), "-->")
	case bytes.HasPrefix(rest, []byte(cdata)):
		if err := s.lexSkip(rest, len(cdata), "]]>"); err != nil {
			return 0, err
		}
		s.text, s.verbatim = s.buf[s.tok+len(cdata):s.pos-3], true
		return tokenText, nil
	case len(rest) < len(cdata) && (bytes.HasPrefix([]byte(comment), rest) || bytes.HasPrefix([]byte(cdata), rest)):
		return 0, errMore
	}
	return 0, s.errorf("a document type declaration, which is refused")
}

func (s *scanner) lexEnd(rest []byte) (token, error) {
	n := bytes.IndexByte(rest, '>')
	if n < 0 {
		return 0, errMore
	}
	name := bytes.TrimRight(rest[2:n], " \t\r\n")
	if len(s.marks) == 0 {
		return 0, s.errorf("</%.40q> without a start tag", name)
	}
	if open := s.open[s.marks[len(s.marks)-1]:]; !bytes.Equal(name, open) {
		return 0, s.errorf("</%.40q> where </%s> should be", name, open)
	}
	s.pos = s.tok + n + 1
	s.pop()
	return tokenEnd, nil
}

func (s *scanner) lexStart() (token, error) {
	i := s.tok + 1
	j := nameEnd(s.buf, i)
	if j == len(s.buf) {
		return 0, errMore
	}
	if j == i || !nameStart(s.buf[i]) {
		return 0, s.errorf("%q is no element name", s.buf[i:min(i+20, len(s.buf))])
	}
	s.name = s.buf[i:j]
	i, err := s.lexAttributes(j)
	if err != nil {
		return 0, err
	}
	if s.selfClose = s.buf[i] == '/'; s.selfClose {
		i++
	}
	s.pos = i + 1
	return tokenStart, s.push()
}

// lexAttributes reads the attributes from i on and returns the index of the
// "/>" or ">" that ends the tag.
func (s *scanner) lexAttributes(i int) (int, error) {
	b := s.buf
	s.attrs = s.attrs[:0]
	for {
		gap := i
		if i = skipSpace(b, i); i == len(b) {
			return 0, errMore
		}
		if b[i] == '>' {
			return i, nil
		}
		if b[i] == '/' {
			return s.emptyElement(i)
		}
		if i == gap {
			return 0, s.errorf("no space before an attribute of <%s>", s.name)
		}
		if len(s.attrs) == s.lim.Attributes {
			return 0, s.limitf("<%s> with more than %d attributes", s.name, s.lim.Attributes)
		}
		var err error
		if i, err = s.lexAttribute(i); err != nil {
			return 0, err
		}
	}
}

func (s *scanner) emptyElement(i int) (int, error) {
	if i+1 == len(s.buf) {
		return 0, errMore
	}
	if s.buf[i+1] != '>' {
		return 0, s.errorf("\"/\" inside the tag <%s>", s.name)
	}
	return i, nil
}

// lexAttribute reads name = "value" at i and returns the index behind it.
func (s *scanner) lexAttribute(i int) (int, error) {
	b := s.buf
	end := nameEnd(b, i)
	eq, quote := end, end+1
	if quote >= len(b) || b[eq] != '=' || b[quote] != '"' { // nearly all have neither spaces nor '
		eq = skipSpace(b, end)
		quote = skipSpace(b, eq+1)
	}
	if quote >= len(b) {
		return 0, errMore
	}
	if end == i || !nameStart(b[i]) || b[eq] != '=' || b[quote] != '"' && b[quote] != '\'' {
		return 0, s.errorf("malformed attribute of <%s>", s.name)
	}
	n := bytes.IndexByte(b[quote+1:], b[quote])
	if n < 0 {
		return 0, errMore
	}
	name := b[i:end]
	for k := range s.attrs {
		if bytes.Equal(s.attrs[k].name, name) {
			return 0, s.errorf("the attribute %s of <%s> is given twice", name, s.name)
		}
	}
	s.attrs = append(s.attrs, attribute{name, b[quote+1 : quote+1+n]})
	return quote + n + 2, nil
}

func (s *scanner) push() error {
	if len(s.marks) == s.lim.Depth {
		return s.limitf("elements nested more than %d deep", s.lim.Depth)
	}
	s.marks = append(s.marks, len(s.open))
	s.open = append(s.open, s.name...)
	return nil
}

func (s *scanner) pop() {
	last := len(s.marks) - 1
	s.open, s.marks = s.open[:s.marks[last]], s.marks[:last]
}

func (s *scanner) offset() int64 { return s.base + int64(s.tok) }

func (s *scanner) errorf(format string, args ...any) error {
	return &FormatError{Offset: s.offset(), Msg: fmt.Sprintf(format, args...), Err: ErrFormat}
}

// readError names the place unless the source did.
func (s *scanner) readError(err error) error {
	var fe *FormatError
	if errors.As(err, &fe) {
		return err
	}
	return fmt.Errorf("reading at offset %d: %w", s.base+int64(len(s.buf)), err)
}

func (s *scanner) limitf(format string, args ...any) error {
	return &FormatError{Offset: s.offset(), Msg: fmt.Sprintf(format, args...), Err: waptwua.ErrLimit}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

func nameEnd(b []byte, i int) int {
	for i < len(b) && nameByte[b[i]] {
		i++
	}
	return i
}

func nameStart(c byte) bool { return nameByte[c] && c != '-' && c != '.' && (c < '0' || c > '9') }

// nameByte marks the bytes that may stand in a name; of characters beyond
// ASCII every one is accepted.
var nameByte = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '_' || c == ':' || c == '.' || c == '-' || c >= 0x80
	}
	return t
}()
