package cabwrite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"waptwua"
)

// entry is a CFFILE.
type entry struct {
	name       string
	size       uint32
	offset     uint32 // of its content in the folder
	folder     uint16
	date, time uint16
	attrs      uint16
}

// nameIsUTF8 is the attribute _A_NAME_IS_UTF.
const nameIsUTF8 = 0x80

func newEntry(name string, modified time.Time, attrs uint16) (entry, error) {
	name = strings.ReplaceAll(name, "/", `\`)
	switch {
	case name == "":
		return entry{}, errors.New("the name is empty")
	case strings.ContainsRune(name, 0):
		return entry{}, errors.New("the name contains a zero byte")
	case len(name) > maxName:
		return entry{}, fmt.Errorf("the name has %d bytes, more than %d: %w", len(name), maxName, waptwua.ErrLimit)
	}
	for i := range len(name) {
		if name[i] >= 0x80 {
			attrs |= nameIsUTF8
		}
	}
	e := entry{name: name, attrs: attrs}
	e.date, e.time = dosTime(modified)
	return e, nil
}

// dosTime returns t's date and time of day as FAT stores them; times before
// 1980 and after 2107 become the first and the last that can be stored.
func dosTime(t time.Time) (date, clock uint16) {
	switch year := t.Year(); {
	case year < 1980:
		return 1<<5 | 1, 0
	case year > 2107:
		return 127<<9 | 12<<5 | 31, 23<<11 | 59<<5 | 29
	}
	date = uint16(t.Year()-1980)<<9 | uint16(t.Month())<<5 | uint16(t.Day())
	clock = uint16(t.Hour())<<11 | uint16(t.Minute())<<5 | uint16(t.Second()/2)
	return date, clock
}

// Sizes of the fixed parts.
const (
	headerSize = 36
	folderSize = 8
	entrySize  = 16 // and the name and its zero byte
	// reservePresent is the header flag cfhdrRESERVE_PRESENT.
	reservePresent = 4
)

func (w *Writer) hasReserve() bool {
	return len(w.opt.HeaderReserve) > 0 || len(w.opt.FolderReserve) > 0 || w.opt.DataReserve > 0
}

// head returns CFHEADER, the CFFOLDERs and the CFFILEs.
func (w *Writer) head() ([]byte, error) {
	filesAt := int64(headerSize + len(w.folders)*(folderSize+len(w.opt.FolderReserve)))
	if w.hasReserve() {
		filesAt += 4 + int64(len(w.opt.HeaderReserve))
	}
	contentAt := filesAt
	for i := range w.files {
		contentAt += entrySize + int64(len(w.files[i].name)) + 1
	}
	size := contentAt + w.spool.size
	if size > maxSize {
		return nil, fmt.Errorf("cabinet of %d bytes, more than 4 GiB: %w", size, waptwua.ErrLimit)
	}
	b := w.appendHeader(make([]byte, 0, contentAt), uint32(size), uint32(filesAt))
	for _, f := range w.folders {
		b = binary.LittleEndian.AppendUint32(b, uint32(contentAt+f.start))
		b = binary.LittleEndian.AppendUint16(b, uint16(f.records))
		b = binary.LittleEndian.AppendUint16(b, f.kind)
		b = append(b, w.opt.FolderReserve...)
	}
	for i := range w.files {
		b = w.files[i].append(b)
	}
	return b, nil
}

// appendHeader appends the CFHEADER of a cabinet of size bytes whose entries
// begin at filesAt.
func (w *Writer) appendHeader(b []byte, size, filesAt uint32) []byte {
	var flags uint16
	if w.hasReserve() {
		flags = reservePresent
	}
	b = append(b, "MSCF\x00\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint32(b, size)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, filesAt)
	b = append(b, 0, 0, 0, 0, 3, 1) // reserved, version 1.3
	for _, v := range [...]uint16{uint16(len(w.folders)), uint16(len(w.files)), flags, w.opt.SetID, w.opt.Index} {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	if w.hasReserve() {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(w.opt.HeaderReserve)))
		b = append(b, uint8(len(w.opt.FolderReserve)), uint8(w.opt.DataReserve))
		b = append(b, w.opt.HeaderReserve...)
	}
	return b
}

// append appends the CFFILE.
func (e *entry) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, e.size)
	b = binary.LittleEndian.AppendUint32(b, e.offset)
	for _, v := range [...]uint16{e.folder, e.date, e.time, e.attrs} {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	b = append(b, e.name...)
	return append(b, 0)
}
