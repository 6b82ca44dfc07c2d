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
	maxDepth    = 4        // cabinets in cabinets
	innerMemory = 16 << 20 // bytes; larger inner cabinets go to a temporary file
)

// isInner tells whether a file is taken for an inner cabinet.
func isInner(f *cab.File) bool { return strings.HasSuffix(strings.ToLower(f.Name), ".cab") }

// asInner opens f as an inner cabinet for visit, if it is one. What cannot be
// read as a cabinet goes to bad, and the pass goes on; errors of visit end it.
func asInner(f *cab.File, content io.Reader, depth int, visit func(*cab.Reader) error, bad func(error)) error {
	if !isInner(f) {
		return nil
	}
	if depth >= maxDepth {
		bad(fmt.Errorf("more than %d cabinets in one another: %w", maxDepth, waptwua.ErrLimit))
		return nil
	}
	r, size, done, err := spool(content)
	defer done()
	if err != nil {
		bad(err)
		return nil
	}
	inner, err := cab.NewReader(r, size)
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
