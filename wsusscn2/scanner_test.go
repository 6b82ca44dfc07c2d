package wsusscn2

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"waptwua"
	"waptwua/internal/fixture"

	"github.com/google/go-cmp/cmp"
)

// ours lists the events of a document as the scanner sees them. Adjacent
// texts are one.
func ours(s *scanner) (events []string, err error) {
	text := ""
	for {
		t, err := s.next()
		if t != tokenText && text != "" {
			events, text = append(events, "text "+text), ""
		}
		switch {
		case errors.Is(err, io.EOF):
			return events, nil
		case err != nil:
			return nil, err
		case t == tokenEnd:
			events = append(events, "end")
		case t == tokenText:
			part, err := s.decode(s.text, s.verbatim)
			if err != nil {
				return nil, err
			}
			text += part
		default:
			e := "start " + string(s.name)
			for _, a := range s.attrs {
				v, err := s.decode(a.raw, false)
				if err != nil {
					return nil, err
				}
				e += fmt.Sprintf(" %s=%q", a.name, v)
			}
			events = append(events, e)
		}
	}
}

// theirs lists the events of a document as encoding/xml sees them.
func theirs(data []byte) (events []string, err error) {
	check := xml.NewDecoder(bytes.NewReader(data))
	for err == nil {
		_, err = check.Token() // unlike RawToken it checks that elements nest
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	text := ""
	for {
		t, err := d.RawToken()
		if c, ok := t.(xml.CharData); ok {
			text += string(c)
			continue
		}
		switch t := t.(type) {
		case xml.StartElement, xml.EndElement:
			if text != "" {
				events, text = append(events, "text "+text), ""
			}
			events = append(events, event(t))
		}
		if err != nil {
			if text != "" {
				events = append(events, "text "+text)
			}
			return events, nil
		}
	}
}

func event(t xml.Token) string {
	start, ok := t.(xml.StartElement)
	if !ok {
		return "end"
	}
	e := "start " + joined(start.Name)
	for _, a := range start.Attr {
		e += fmt.Sprintf(" %s=%q", joined(a.Name), a.Value)
	}
	return e
}

func joined(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

func bothWays(t *testing.T, data []byte) (events []string, err error) {
	t.Helper()
	lim := Limits{}.withDefaults()
	var memory scanner
	memory.reset(data, lim)
	events, err = ours(&memory)
	stream, serr := newStreamScanner(iotest.OneByteReader(bytes.NewReader(data)), lim)
	var streamed []string
	if serr == nil {
		stream.buf = append(make([]byte, 0, 16), stream.buf...) // what is read already, plus growth
		streamed, serr = ours(stream)
	}
	if (err == nil) != (serr == nil) {
		t.Fatalf("in memory: %v\nas a stream: %v", err, serr)
	}
	if diff := cmp.Diff(events, streamed); diff != "" {
		t.Fatalf("memory and stream differ (-memory +stream):\n%s", diff)
	}
	return events, err
}

func TestScannerAgreesWithEncodingXML(t *testing.T) {
	documents := map[string]string{
		"attributes":  `<a b="1" c='2' d = "x>y" e="'"/>`,
		"entities":    `<a b="&lt;&#65;&#x42;&amp;">&gt;&quot;&apos;</a>`,
		"cdata":       `<a>x<![CDATA[<b>&amp;]]>y</a>`,
		"comments":    `<!-- <x> --><a><!----><b/><!-- - --></a>`,
		"processing":  `<?xml version="1.0" encoding="utf-8"?><a/>`,
		"line ends":   "<a b=\"1\r\n2\">\r\n\rx\n</a>",
		"prefixes":    `<b.And x="1"><m.A></m.A></b.And >`,
		"UTF-8":       `<a b="Größe">日本</a>`,
		"nested":      `<a><b><c/></b><b/></a>`,
		"empty":       ``,
		"several":     `<a/><b/>`,
		"white space": "<a\n\tb='1'\n/>\n",
	}
	for name, doc := range documents {
		t.Run(name, func(t *testing.T) {
			want, err := theirs([]byte(doc))
			if err != nil {
				t.Fatal(err)
			}
			got, err := bothWays(t, []byte(doc))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-encoding/xml +ours):\n%s", diff)
			}
		})
	}
}

func TestScannerAgreesOnRealFragments(t *testing.T) {
	for _, pattern := range []string{"offline-scan-2011/samples/*/*", "offline-scan-2026-07-slice/[cx]/*", "offline-scan-2026-07-slice/l/en/*"} {
		for _, name := range fixture.Glob(t, pattern) {
			if strings.HasSuffix(name, "/en") {
				continue
			}
			data := fixture.Read(t, relative(t, name))
			want, err := theirs(data)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var s scanner
			s.reset(data, Limits{}.withDefaults())
			got, err := ours(&s)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-encoding/xml +ours):\n%s", name, diff)
			}
		}
	}
}

// relative turns a path that fixture.Glob gave into a fixture's name.
func relative(t *testing.T, name string) string {
	t.Helper()
	i := strings.Index(name, "offline-scan-")
	if i < 0 {
		t.Fatalf("%s is no fixture of a scan archive", name)
	}
	return name[i:]
}

func TestScannerRefuses(t *testing.T) {
	documents := map[string]string{
		"doctype":          `<!DOCTYPE a><a/>`,
		"entity":           `<!ENTITY a "b">`,
		"crossing":         `<a><b></a></b>`,
		"end alone":        `</a>`,
		"open":             `<a><b/>`,
		"torn tag":         `<a b="`,
		"torn name":        `<a`,
		"torn comment":     `<!-- `,
		"no quotes":        `<a b=1/>`,
		"no value":         `<a b/>`,
		"no space":         `<a b="1"c="2"/>`,
		"twice":            `<a b="1" b="2"/>`,
		"bad name":         `<1/>`,
		"slash":            `<a / b="1">`,
		"unknown entity":   `<a>&nbsp;</a>`,
		"bare ampersand":   `<a b="x & y"/>`,
		"large reference":  `<a>&#x110000;</a>`,
		"control":          "<a>\x01</a>",
		"not UTF-8":        "<a>\xff</a>",
		"UTF-16":           "\xff\xfe<\x00a\x00/\x00>\x00",
		"lone angle":       `<`,
		"space after open": `< a/>`,
	}
	for name, doc := range documents {
		t.Run(name, func(t *testing.T) {
			events, err := bothWays(t, []byte(doc))
			if name == "UTF-16" && err == nil {
				t.Fatalf("read as %q", events)
			}
			var fe *FormatError
			if !errors.As(err, &fe) || !errors.Is(err, ErrFormat) {
				t.Fatalf("got %v, want a FormatError", err)
			}
			if fe.Offset < 0 || fe.Offset > int64(len(doc)) {
				t.Errorf("offset %d in a document of %d bytes", fe.Offset, len(doc))
			}
		})
	}
}

func TestReaderErrorsComeBack(t *testing.T) {
	mine := errors.New("mine")
	r := io.MultiReader(strings.NewReader("<a>"), iotest.ErrReader(mine))
	if _, err := newStreamScanner(r, Limits{}.withDefaults()); !errors.Is(err, mine) {
		t.Errorf("got %v", err)
	}
}

// FuzzScanner checks that the scanner sees what encoding/xml sees.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{
		`<a b="1"><c>x&amp;y</c><![CDATA[z]]></a>`, `<?xml version="1.0"?><!-- c --><a/>`, `<b.And x='1'/><d/>`, "<a>\r\n</a>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := bothWays(t, data)
		want, theirErr := theirs(bytes.TrimPrefix(data, []byte("\ufeff"))) // a byte order mark is no text; encoding/xml takes it for one
		switch {
		case theirErr != nil:
			return // we are more lenient about what we do not look at
		case err == nil:
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-encoding/xml +ours):\n%s", diff)
			}
		case !stricter(err, data):
			t.Errorf("encoding/xml reads it, we say %v", err)
		}
	})
}

// stricter tells whether err is about what only we refuse: document type
// declarations, repeated and crowded attributes, limits, and character
// references to what is no character.
func stricter(err error, data []byte) bool {
	if errors.Is(err, waptwua.ErrLimit) || bytes.Contains(data, []byte("&#")) || bytes.Contains(data, []byte("<!")) {
		return true
	}
	return strings.Contains(err.Error(), "given twice") || strings.Contains(err.Error(), "no space before")
}
