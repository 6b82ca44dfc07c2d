package cab

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	signature = "MSCF"

	headerSize = 36 // CFHEADER without its optional fields
	folderSize = 8  // CFFOLDER without reserve
	fileSize   = 16 // CFFILE without name

	maxName    = 255     // bytes of a string, without its final zero
	maxReserve = 60000   // cbCFHeader's published maximum
	blockSize  = 1 << 15 // the most content bytes of a CFDATA block

	// Values of iFolder for files that other cabinets of the set share.
	fromPrevious    = 0xfffd
	toNext          = 0xfffe
	previousAndNext = 0xffff
)

// A Reader gives access to the folders and files of one cabinet. It is also
// an fs.FS of the files whose Path is safe.
type Reader struct {
	Header  Header
	Folders []*Folder
	Files   []*File // in stored order, over all folders

	src    io.ReaderAt
	limits Limits
	tree   func() *tree
}

// NewReader reads the header and lists of the cabinet that r holds from its
// first byte. Size is the number of bytes r has; more than the cabinet's own
// size is fine. The same r is read from for as long as the Reader, and what
// was opened from it, is used.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	return NewReaderLimits(r, size, Limits{})
}

// NewReaderLimits is NewReader with other limits than the default ones.
func NewReaderLimits(r io.ReaderAt, size int64, l Limits) (*Reader, error) {
	cr := new(Reader)
	if err := cr.open(r, size, l); err != nil {
		return nil, err
	}
	return cr, nil
}

// A ReadCloser is a Reader that owns its file.
type ReadCloser struct {
	Reader
	file *os.File
}

// OpenReader opens the cabinet at path. Close it after use.
func OpenReader(path string) (*ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cab: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cab: %w", err), f.Close())
	}
	rc := &ReadCloser{file: f}
	if err := rc.open(f, info.Size(), Limits{}); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return rc, nil
}

// Close closes the file. What was opened from the Reader fails from then on.
func (rc *ReadCloser) Close() error { return rc.file.Close() }

func (r *Reader) open(src io.ReaderAt, size int64, l Limits) error {
	r.src, r.limits = src, l.withDefaults()
	r.tree = sync.OnceValue(func() *tree { return newTree(r.Files) })
	p := newParser(src, 0, size)
	folders, files, err := r.readHeader(p, size)
	if err != nil {
		return err
	}
	for i := range folders {
		if err := r.readFolder(p, i); err != nil {
			return err
		}
	}
	if p.offset > r.Header.Size {
		return fault(ErrFormat, p.offset, "the cabinet ends within the list of folders")
	}
	r.separate()
	return r.readFiles(newParser(src, r.Header.FilesOffset, r.Header.Size), files)
}

// separate finds where each folder's data must end. Folders that share
// blocks, of which there could be 65,535, would make a small cabinet expand
// to any size; programs that write cabinets do not make them.
func (r *Reader) separate() {
	var byStart []*Folder
	for _, f := range r.Folders {
		f.end = r.Header.Size
		if f.Blocks > 0 {
			byStart = append(byStart, f)
		}
	}
	slices.SortStableFunc(byStart, func(a, b *Folder) int { return cmp.Compare(a.start, b.start) })
	end := r.Header.Size
	for i, f := range slices.Backward(byStart) {
		f.end = end
		if f.shared = i > 0 && byStart[i-1].start == f.start; !f.shared {
			end = f.start
		}
	}
}

// readHeader reads CFHEADER and returns the lengths of the lists.
func (r *Reader) readHeader(p *parser, size int64) (folders, files int, err error) {
	b, err := p.bytes(headerSize, "the header")
	if err != nil {
		return 0, 0, err
	}
	if string(b[:4]) != signature {
		return 0, 0, fault(ErrFormat, 0, "no cabinet: it does not begin with %q", signature)
	}
	h := &r.Header
	h.Size = int64(binary.LittleEndian.Uint32(b[8:]))
	h.FilesOffset = int64(binary.LittleEndian.Uint32(b[16:]))
	h.MinorVersion, h.MajorVersion = b[24], b[25]
	folders = int(binary.LittleEndian.Uint16(b[26:]))
	files = int(binary.LittleEndian.Uint16(b[28:]))
	h.Flags = Flags(binary.LittleEndian.Uint16(b[30:]))
	h.SetID = binary.LittleEndian.Uint16(b[32:])
	h.Index = binary.LittleEndian.Uint16(b[34:])
	if err := r.checkHeader(folders, files, size); err != nil {
		return 0, 0, err
	}
	if err := r.readReserve(p); err != nil {
		return 0, 0, err
	}
	return folders, files, r.readNeighbours(p)
}

func (r *Reader) checkHeader(folders, files int, size int64) error {
	h := &r.Header
	switch {
	case h.Size > size:
		return fault(ErrFormat, 8, "cut off: the header says %d bytes, there are %d", h.Size, size)
	case h.FilesOffset >= h.Size:
		return fault(ErrFormat, 16, "the list of files is said to begin at %d, beyond the end", h.FilesOffset)
	case folders == 0:
		return fault(ErrFormat, 26, "no folders")
	case files == 0:
		return fault(ErrFormat, 28, "no files")
	case folders > r.limits.Folders:
		return fault(ErrLimit, 26, "%d folders, the limit is %d", folders, r.limits.Folders)
	case files > r.limits.Files:
		return fault(ErrLimit, 28, "%d files, the limit is %d", files, r.limits.Files)
	}
	return nil
}

func (r *Reader) readReserve(p *parser) error {
	h := &r.Header
	if h.Flags&HasReserve == 0 {
		return nil
	}
	at := p.offset
	b, err := p.bytes(4, "the reserve sizes")
	if err != nil {
		return err
	}
	n := int(binary.LittleEndian.Uint16(b))
	h.FolderReserve, h.DataReserve = int(b[2]), int(b[3])
	if n > maxReserve {
		return fault(ErrFormat, at, "a header reserve of %d bytes, the most is %d", n, maxReserve)
	}
	h.Reserve, err = p.clone(n, "the header reserve")
	return err
}

func (r *Reader) readNeighbours(p *parser) error {
	h := &r.Header
	names := []struct {
		flag Flags
		to   *string
		what string
	}{
		{HasPrevious, &h.PreviousCabinet, "the previous cabinet's name"},
		{HasPrevious, &h.PreviousDisk, "the previous disk's name"},
		{HasNext, &h.NextCabinet, "the next cabinet's name"},
		{HasNext, &h.NextDisk, "the next disk's name"},
	}
	for _, n := range names {
		if h.Flags&n.flag == 0 {
			continue
		}
		b, err := p.name(n.what)
		if err != nil {
			return err
		}
		*n.to = decodeName(b, false)
	}
	return nil
}

func (r *Reader) readFolder(p *parser, i int) error {
	at := p.offset
	b, err := p.bytes(folderSize, "a folder's entry")
	if err != nil {
		return err
	}
	f := &Folder{reader: r, index: i, entry: at}
	f.start = int64(binary.LittleEndian.Uint32(b))
	f.Blocks = int(binary.LittleEndian.Uint16(b[4:]))
	method := binary.LittleEndian.Uint16(b[6:])
	f.Compression = Compression(method & 0xf)
	if f.Compression == LZX || f.Compression == Quantum {
		f.Window = int(method >> 8 & 0x1f)
	}
	if f.Reserve, err = p.clone(r.Header.FolderReserve, "a folder's reserve"); err != nil {
		return err
	}
	r.Folders = append(r.Folders, f)
	return nil
}

func (r *Reader) readFiles(p *parser, n int) error {
	var slab []File // files are allocated a few hundred at a time, as they come
	for i := range n {
		if len(slab) == 0 {
			slab = make([]File, min(n-i, 256))
		}
		f := &slab[0]
		slab = slab[1:]
		if err := r.readFile(p, f); err != nil {
			return err
		}
		f.Folder.Files = append(f.Folder.Files, f)
		r.Files = append(r.Files, f)
	}
	return nil
}

func (r *Reader) readFile(p *parser, f *File) error {
	f.entry = p.offset
	b, err := p.bytes(fileSize, "a file's entry")
	if err != nil {
		return err
	}
	f.Size = int64(binary.LittleEndian.Uint32(b))
	f.Offset = int64(binary.LittleEndian.Uint32(b[4:]))
	f.Modified = dosTime(binary.LittleEndian.Uint16(b[10:]), binary.LittleEndian.Uint16(b[12:]))
	f.Attributes = Attributes(binary.LittleEndian.Uint16(b[14:]))
	if err := r.assign(f, binary.LittleEndian.Uint16(b[8:])); err != nil {
		return err
	}
	name, err := p.name("a file's name")
	if err != nil {
		return err
	}
	if len(name) == 0 {
		return fault(ErrFormat, f.entry, "a file without a name")
	}
	f.setName(name)
	return nil
}

// assign finds the folder that iFolder stands for.
func (r *Reader) assign(f *File, index uint16) error {
	f.previous = index == fromPrevious || index == previousAndNext
	f.next = index == toNext || index == previousAndNext
	switch {
	case f.previous:
		f.Folder = r.Folders[0]
		f.Folder.ahead = true
	case f.next:
		f.Folder = r.Folders[len(r.Folders)-1]
	case int(index) < len(r.Folders):
		f.Folder = r.Folders[index]
	default:
		return fault(ErrFormat, f.entry, "a file in folder %d of %d", index, len(r.Folders))
	}
	return nil
}

// dosTime converts a date and time as MS-DOS packs them; the zero Time
// stands for what is none.
func dosTime(date, clock uint16) time.Time {
	year, month, day := 1980+int(date>>9), time.Month(date>>5&0xf), int(date&0x1f)
	hour, minute, second := int(clock>>11), int(clock>>5&0x3f), int(clock&0x1f)*2
	t := time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	if t.Month() != month || t.Day() != day || t.Hour() != hour || t.Minute() != minute {
		return time.Time{}
	}
	return t
}

// parser reads the lists from offset on and knows where it is.
type parser struct {
	r      *bufio.Reader
	offset int64
	buf    [headerSize]byte
}

func newParser(r io.ReaderAt, from, to int64) *parser {
	return &parser{r: bufio.NewReaderSize(io.NewSectionReader(r, from, to-from), 1<<15), offset: from}
}

// bytes returns the next n bytes, at most headerSize, until the next call.
func (p *parser) bytes(n int, what string) ([]byte, error) {
	return p.fill(p.buf[:n], what)
}

// clone returns the next n bytes for keeping, nil if n is 0.
func (p *parser) clone(n int, what string) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	return p.fill(make([]byte, n), what)
}

func (p *parser) fill(b []byte, what string) ([]byte, error) {
	if _, err := io.ReadFull(p.r, b); err != nil {
		return nil, p.fault(err, what)
	}
	p.offset += int64(len(b))
	return b, nil
}

// name returns the bytes of a zero-terminated string until the next call.
func (p *parser) name(what string) ([]byte, error) {
	b, err := p.r.Peek(maxName + 1)
	for i, c := range b {
		if c != 0 {
			continue
		}
		_, err := p.r.Discard(i + 1)
		p.offset += int64(i) + 1
		return b[:i], err
	}
	if err == nil {
		return nil, fault(ErrFormat, p.offset, "%s is longer than %d bytes", what, maxName)
	}
	return nil, p.fault(err, what)
}

func (p *parser) fault(err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault(ErrFormat, p.offset, "the cabinet ends within %s", what)
	}
	return fmt.Errorf("cab: reading %s at offset %d: %w", what, p.offset, err)
}
