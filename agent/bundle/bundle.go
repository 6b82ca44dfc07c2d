// Package bundle packs what people need to help with an agent into one zip
// file, and keeps secrets out of it.
//
// # What never gets in
//
// Three layers, so that one that fails does not matter:
//
//   - Only named parts are added; keys, certificates' private halves and the
//     settings file itself are not among them (the settings are added option
//     by option).
//   - Every text goes through a [Scrubber], which takes out the values of
//     options of the settings file whose names speak of secrets, the names
//     and passwords in its addresses, and whatever looks like a private key, a
//     password, a token or the user part of an address.
//   - The folder private is refused by name.
//
// What was taken out leaves the mark "(left out)". A secret of fewer than
// four characters that stands in a log without its name cannot be recognised.
//
// # Limits
//
// A part has at most [MaxPart] bytes: of a log the newest. All parts have
// at most [MaxTotal] before compression; what no longer fits is listed as
// left out. A part that cannot be read is listed with the reason and does not
// stop the others. The last file, contents.txt, is the list.
package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"waptwua"
)

// The limits, in bytes.
const (
	MaxPart  = 5 << 20
	MaxTotal = 50 << 20
)

// Part is one entry of the list of contents.
type Part struct {
	Name  string `json:"name"`
	Size  int    `json:"size"`            // bytes in the bundle
	Note  string `json:"note,omitempty"`  // e.g. that only the end was taken
	Error string `json:"error,omitempty"` // why it is not there
}

// Writer writes a bundle. Its methods note failures of parts in the list and
// return only errors of the bundle itself.
type Writer struct {
	zip   *zip.Writer
	scrub *Scrubber
	at    time.Time
	parts []Part
	total int
}

// NewWriter begins a bundle in w; at is the time of its files.
func NewWriter(w io.Writer, scrub *Scrubber, at time.Time) *Writer {
	return &Writer{zip: zip.NewWriter(w), scrub: scrub, at: at}
}

// Text adds a text.
func (w *Writer) Text(name, text string) error { return w.add(Part{Name: name}, []byte(text)) }

// JSON adds v as JSON; err, when it is not nil, is why there is no v.
func (w *Writer) JSON(name string, v any, err error) error {
	if err != nil {
		return w.failed(name, err)
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return w.failed(name, err)
	}
	return w.add(Part{Name: name}, append(b, '\n'))
}

// File adds the newest MaxPart bytes of a file. One that does not exist is
// passed over.
func (w *Writer) File(name, path string) error {
	if slices.Contains(strings.FieldsFunc(strings.ToLower(path), isSeparator), "private") {
		return w.failed(name, fmt.Errorf("%s is private: %w", path, waptwua.ErrForbidden))
	}
	b, note, err := tail(path, MaxPart)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return w.failed(name, err)
	}
	return w.add(Part{Name: name, Note: note}, b)
}

func isSeparator(r rune) bool { return r == '/' || r == '\\' }

// Tree lists names, sizes and times below a folder; it adds no contents.
func (w *Writer) Tree(name, dir string) error {
	var list strings.Builder
	n := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || n >= maxTree {
			return err
		}
		n++
		fi, err := d.Info()
		if err != nil {
			return nil // it went away meanwhile
		}
		rel, err := filepath.Rel(dir, path)
		if err == nil {
			fmt.Fprintf(&list, "%s %12d %s %s\n", fi.Mode(), fi.Size(), fi.ModTime().UTC().Format(time.DateTime), rel)
		}
		return nil
	})
	if err != nil {
		fmt.Fprintln(&list, err)
	}
	return w.Text(name, list.String())
}

// maxTree bounds the entries of a Tree.
const maxTree = 5000

// tail reads the newest limit bytes of a file, from the beginning of a line.
func tail(path string, limit int64) (b []byte, note string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	if !fi.Mode().IsRegular() {
		return nil, "", fmt.Errorf("%s is not a file", path)
	}
	skipped := max(0, fi.Size()-limit)
	if b, err = io.ReadAll(io.NewSectionReader(f, skipped, limit)); err != nil {
		return nil, "", err
	}
	if skipped > 0 {
		_, b, _ = bytes.Cut(b, []byte("\n"))
		note = fmt.Sprintf("the newest of %d bytes", fi.Size())
	}
	return b, note, nil
}

func (w *Writer) failed(name string, err error) error {
	w.parts = append(w.parts, Part{Name: name, Error: w.scrub.Text(err.Error())})
	return nil
}

func (w *Writer) add(p Part, content []byte) error {
	content = []byte(w.scrub.Text(string(content)))
	if len(content) > MaxPart {
		content, p.Note = content[len(content)-MaxPart:], fmt.Sprintf("the end of %d bytes", len(content))
	}
	if w.total+len(content) > MaxTotal {
		return w.failed(p.Name, fmt.Errorf("no room is left in the bundle: %w", waptwua.ErrLimit))
	}
	p.Size = len(content)
	w.total += p.Size
	w.parts = append(w.parts, p)
	return w.write(p.Name, content)
}

func (w *Writer) write(name string, content []byte) error {
	f, err := w.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: w.at})
	if err == nil {
		_, err = f.Write(content)
	}
	if err != nil {
		return fmt.Errorf("writing %s into the bundle: %w", name, err)
	}
	return nil
}

// Close adds the list of contents, completes the bundle and returns the list.
func (w *Writer) Close() ([]Part, error) {
	var list strings.Builder
	for _, p := range w.parts {
		fmt.Fprintln(&list, p)
	}
	if err := w.write("contents.txt", []byte(list.String())); err != nil {
		return nil, err
	}
	if err := w.zip.Close(); err != nil {
		return nil, fmt.Errorf("completing the bundle: %w", err)
	}
	return w.parts, nil
}

// String is the part's line in the list.
func (p Part) String() string {
	if p.Error != "" {
		return fmt.Sprintf("%10s  %s: %s", "-", p.Name, p.Error)
	}
	line := fmt.Sprintf("%10d  %s", p.Size, p.Name)
	if p.Note != "" {
		line += " (" + p.Note + ")"
	}
	return line
}
