package applicability

import (
	"encoding/xml"
	"fmt"
	"io"

	"waptwua"
)

// newDecoder returns a decoder of src that ends with ErrLimit at a tag or text
// of more than limits.TagBytes. encoding/xml by itself keeps any number of
// attributes and any length of text in memory.
func newDecoder(src []byte, limits Limits) *xml.Decoder {
	return xml.NewDecoder(&tagReader{src: src, most: limits.TagBytes})
}

// tagReader hands out src byte by byte. A '<' occurs only where a tag begins
// or, uncommonly, in CDATA and comments, which thus may be longer.
type tagReader struct {
	src   []byte
	at    int
	since int // bytes after the last '<'
	most  int
}

func (r *tagReader) ReadByte() (byte, error) {
	if r.at == len(r.src) {
		return 0, io.EOF
	}
	c := r.src[r.at]
	r.at++
	if r.since++; c == '<' {
		r.since = 0
	}
	if r.since > r.most {
		return 0, fmt.Errorf("a tag or text of more than %d bytes: %w", r.most, waptwua.ErrLimit)
	}
	return c, nil
}

// Read is there to make tagReader an io.Reader; the decoder uses ReadByte.
func (r *tagReader) Read(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		if p[n], err = r.ReadByte(); err == nil {
			n++
		}
	}
	return n, err
}

// skip reads up to the end tag of the open element. xml.Decoder.Skip goes to
// any depth, for each level of which the decoder keeps an entry.
func skip(dec *xml.Decoder, limits Limits) error {
	for depth := 1; depth > 0; {
		t, err := dec.Token()
		if err != nil {
			return atEOF(err)
		}
		switch t.(type) {
		case xml.StartElement:
			if depth++; depth > limits.Depth {
				return tooDeep(limits)
			}
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

func tooDeep(limits Limits) error {
	return fmt.Errorf("elements nested deeper than %d: %w", limits.Depth, waptwua.ErrLimit)
}
