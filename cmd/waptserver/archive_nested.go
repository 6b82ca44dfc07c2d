package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"waptwua"
	"waptwua/cab"
)

const (
	innerMemory = 16 << 20 // bytes; larger inner cabinets go to a temporary file
)

// isInner tells whether a file is taken for an inner cabinet.
func isInner(f *cab.File) bool { return strings.HasSuffix(strings.ToLower(f.Name), ".cab") }

// innerCabinets opens cabinets in cabinets, as many as its budget allows:
// small cabinets can hold very many large ones.
type innerCabinets struct {
	depth  int
	left   int64 // bytes
	limits cab.Limits
}

func newInnerCabinets(l *limits) innerCabinets {
	return innerCabinets{l.innerDepth, l.innerBytes, l.archive.Cabinet}
}

// open opens f as an inner cabinet for visit. What cannot be read as a
// cabinet goes to bad, and the pass goes on; errors of visit end it, and so
// does the end of the budget.
func (c *innerCabinets) open(f *cab.File, content io.Reader, depth int, visit func(*cab.Reader) error, bad func(error)) error {
	if depth >= c.depth {
		bad(fmt.Errorf("more than %d cabinets in one another: %w", c.depth, waptwua.ErrLimit))
		return nil
	}
	if c.left -= f.Size; c.left < 0 {
		return fmt.Errorf("%s: the inner cabinets up to here have more than the limit of inner-bytes: %w", f.Name, waptwua.ErrLimit)
	}
	r, size, done, err := spool(content)
	defer done()
	if err != nil {
		bad(err)
		return nil
	}
	inner, err := cab.NewReaderLimits(r, size, c.limits)
	if err != nil {
		bad(err)
		return nil
	}
	return visit(inner)
}

// spool makes content readable anywhere; done gives up what it took.
func spool(content io.Reader) (r io.ReaderAt, size int64, done func(), err error) {
	var b bytes.Buffer
	n, err := io.CopyN(&b, content, innerMemory)
	if errors.Is(err, io.EOF) {
		return bytes.NewReader(b.Bytes()), n, func() {}, nil
	}
	if err != nil {
		return nil, 0, func() {}, err
	}
	f, err := os.CreateTemp("", "waptserver-inner-*.cab")
	if err != nil {
		return nil, 0, func() {}, err
	}
	done = func() {
		f.Close()
		os.Remove(f.Name())
	}
	size, err = io.Copy(f, io.MultiReader(&b, content))
	return f, size, done, err
}
