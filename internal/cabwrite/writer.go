// Package cabwrite writes cabinet files (MSCF version 1.3): stored, MSZIP or
// LZX folders, with reserves in the header, the folders and the data records.
//
// It is written for tests and generated archives: it can make any cabinet that
// a reader must understand, and the same input always gives the same bytes. It
// is not a general archiver: package lzxenc says what that means for LZX, and
// MSZIP is written with deflate's fixed codes only.
//
// # How it writes
//
// The entries of a cabinet precede its compressed content, so that nothing can
// be written before the last file is known. [Writer] compresses what it is
// given into a spool, which stays in memory up to a megabyte and then becomes a
// temporary file, and keeps the entries. [Writer.Close] writes header, folders
// and entries and copies the spool behind them. Memory is bounded by the
// entries (about 100 bytes each), the spool's megabyte and the compressor.
//
// A folder is one compressed stream; files follow each other in it without
// gaps. A new folder begins where [Options.FolderBytes] says or
// [Writer.NextFolder] is called; never within a file.
//
// A cabinet with Options.HeaderReserve of 20 zero bytes can be signed later in
// place: the reserve lies at offset 40 and the signature follows the cabinet.
//
// # Limits
//
// The format's own: 65,535 files, 65,535 folders, 65,535 data records (almost
// 2 GiB) in a folder, 4 GiB in all, names of 255 bytes, reserves of 60,000,
// 255 and 255 bytes. Passing one is an error that wraps waptwua.ErrLimit and
// names it.
//
// Not supported: sets of several cabinets, Quantum.
//
// Source: Microsoft's "Cabinet File Format" ([MS-CAB]).
package cabwrite

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"waptwua"
	"waptwua/internal/lzxenc"
)

// Compression says how the content of a folder is stored.
type Compression int

// The kinds of compression.
const (
	None  Compression = iota // stored
	MSZIP                    // deflate with history
	LZX
)

// Options of a Writer. The zero value writes a stored cabinet without reserves.
type Options struct {
	// Compression is that of the folders, until NextFolder says otherwise.
	Compression Compression
	// Window is the LZX window in bits, 15..21; 0 means 21.
	Window int
	// LZX has the options of the LZX encoder.
	LZX lzxenc.Options
	// SingleFrames gives each LZX frame blocks of its own. Otherwise blocks
	// may cover several frames.
	SingleFrames bool
	// FolderBytes begins a new folder with the first file that is created
	// after so many bytes. 0 means 1 GiB.
	FolderBytes int64
	// HeaderReserve and FolderReserve are the reserves of the header and of
	// each folder; DataReserve is the size of that of each data record,
	// which is filled with zeros.
	HeaderReserve, FolderReserve []byte
	DataReserve                  int
	// SetID is the cabinet's set, Index its place there.
	SetID, Index uint16
	// SpoolDir is where the spool becomes a file; "" means the system's
	// folder for temporary files.
	SpoolDir string
}

// defaultFolderBytes is half of what a folder can hold, so that a file that is
// begun before it still fits if it has less than 1 GiB.
const defaultFolderBytes = 1 << 30

// The format's limits.
const (
	maxFiles   = 65535
	maxFolders = 65535
	maxRecords = 65535
	maxName    = 255
	maxSize    = 1<<32 - 1
)

// Writer writes one cabinet. Its methods must not be called concurrently.
type Writer struct {
	w       io.Writer
	opt     Options
	spool   *spool
	folders []*folder
	files   []entry
	open    *content // of the file being written
	err     error    // the first error; the cabinet cannot be completed then
	closed  bool
	lzx     map[int]*lzxenc.Encoder // reused from folder to folder, by window
}

// NewWriter returns a Writer that writes a cabinet to w when it is closed, in
// one pass from its first byte to the last; w may be what Create of another
// Writer returned. It fails when the options pass a limit.
func NewWriter(w io.Writer, opt Options) (*Writer, error) {
	if opt.Window == 0 {
		opt.Window = lzxenc.MaxWindow
	}
	if opt.FolderBytes == 0 {
		opt.FolderBytes = defaultFolderBytes
	}
	if err := opt.check(); err != nil {
		return nil, fmt.Errorf("options of the cabinet: %w", err)
	}
	return &Writer{w: w, opt: opt, spool: newSpool(opt.SpoolDir), lzx: map[int]*lzxenc.Encoder{}}, nil
}

func (o Options) check() error {
	switch {
	case len(o.HeaderReserve) > 60000:
		return fmt.Errorf("header reserve of %d bytes, more than 60,000: %w", len(o.HeaderReserve), waptwua.ErrLimit)
	case len(o.FolderReserve) > 255:
		return fmt.Errorf("folder reserve of %d bytes, more than 255: %w", len(o.FolderReserve), waptwua.ErrLimit)
	case o.DataReserve < 0 || o.DataReserve > 255:
		return fmt.Errorf("data reserve of %d bytes, not in 0..255: %w", o.DataReserve, waptwua.ErrLimit)
	case o.FolderBytes < 0:
		return fmt.Errorf("folders of %d bytes", o.FolderBytes)
	}
	return checkCompression(o.Compression, o.Window)
}

func checkCompression(c Compression, window int) error {
	if c < None || c > LZX {
		return fmt.Errorf("unknown compression %d", c)
	}
	if window < lzxenc.MinWindow || window > lzxenc.MaxWindow {
		return fmt.Errorf("LZX window of %d bits, not in %d..%d: %w", window, lzxenc.MinWindow, lzxenc.MaxWindow, waptwua.ErrLimit)
	}
	return nil
}

// NextFolder makes the next file begin a new folder with the given
// compression, which stays until it is called again. The window matters for
// LZX only; 0 leaves it as it was.
func (w *Writer) NextFolder(c Compression, window int) error {
	if window == 0 {
		window = w.opt.Window
	}
	if err := checkCompression(c, window); err != nil {
		return fmt.Errorf("new folder: %w", err)
	}
	if w.closed {
		return errClosed
	}
	if err := w.endFolder(); err != nil {
		return err
	}
	w.opt.Compression, w.opt.Window = c, window
	return nil
}

// Create adds a file and returns where its content is to be written, until the
// next call of Create, NextFolder or Close. The name's slashes become
// backslashes; otherwise it is stored as it is, traversal and duplicates
// included, because readers are tested with them. A name that is not ASCII is
// marked as UTF-8. The time is stored as modified's own clock shows it, from
// 1980 to 2107 in steps of two seconds. The attributes are those of FAT.
func (w *Writer) Create(name string, modified time.Time, attrs uint16) (io.Writer, error) {
	e, err := newEntry(name, modified, attrs)
	if err == nil {
		err = w.prepare()
	}
	if err != nil {
		return nil, fmt.Errorf("adding %q to the cabinet: %w", name, err)
	}
	f := w.folders[len(w.folders)-1]
	e.folder, e.offset = uint16(len(w.folders)-1), uint32(f.size)
	w.files = append(w.files, e)
	w.open = &content{w: w, folder: f, entry: &w.files[len(w.files)-1]}
	return w.open, nil
}

// prepare makes room for one more file: it ends the file before, and begins a
// folder when there is none or the last is full.
func (w *Writer) prepare() error {
	if w.err != nil {
		return w.err
	}
	if w.closed {
		return errClosed
	}
	if len(w.files) == maxFiles {
		return fmt.Errorf("more than %d files: %w", maxFiles, waptwua.ErrLimit)
	}
	w.endFile()
	if n := len(w.folders); n > 0 && w.folders[n-1].stream != nil {
		if w.folders[n-1].size < w.opt.FolderBytes {
			return nil
		}
		if err := w.endFolder(); err != nil {
			return err
		}
	}
	return w.beginFolder()
}

// Close completes the cabinet and removes the spool. After an error of any
// method it only removes the spool, writes nothing and returns that error; the
// same when there is no file, since readers refuse such a cabinet.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	if w.err == nil {
		w.err = w.finish()
	}
	w.closed = true
	return errors.Join(w.err, w.spool.close())
}

// finish ends the last folder and writes the cabinet.
func (w *Writer) finish() error {
	if err := w.endFolder(); err != nil {
		return err
	}
	if len(w.files) == 0 {
		return errors.New("the cabinet has no files")
	}
	head, err := w.head()
	if err != nil {
		return err
	}
	if _, err := w.w.Write(head); err != nil {
		return fmt.Errorf("writing the cabinet's header: %w", err)
	}
	if err := w.spool.copyTo(w.w); err != nil {
		return fmt.Errorf("writing the cabinet's content: %w", err)
	}
	return nil
}

var errClosed = errors.New("the cabinet has been closed")

// endFile makes later writes to the last file fail.
func (w *Writer) endFile() {
	if w.open != nil {
		w.open.ended = true
		w.open = nil
	}
}

// content receives the content of one file.
type content struct {
	w      *Writer
	folder *folder
	entry  *entry
	ended  bool
}

// Write appends p to the file's content.
func (c *content) Write(p []byte) (int, error) {
	if c.w.err != nil {
		return 0, c.w.err
	}
	if c.ended || c.w.closed {
		return 0, fmt.Errorf("writing %q: the next file has been begun", c.name())
	}
	n, err := c.folder.write(p)
	c.entry.size += uint32(n)
	if err != nil {
		c.w.err = fmt.Errorf("writing %q: %w", c.name(), err)
		return n, c.w.err
	}
	return n, nil
}

func (c *content) name() string { return strings.ReplaceAll(c.entry.name, `\`, "/") }
