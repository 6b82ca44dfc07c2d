package cabwrite

import (
	"encoding/binary"
	"fmt"
	"io"

	"waptwua"
	"waptwua/internal/lzxenc"
)

// frameSize is the number of content bytes in a data record but the last.
const frameSize = 32768

// stream compresses the frames of one folder. emit is called for each data
// record, in order, with its compressed bytes and the size of its content.
type stream interface {
	// frames compresses p, whole frames unless it is the folder's end.
	frames(p []byte, emit func(record []byte, size int) error) error
	// group is how many frames are best given at once.
	group() int
}

// folder is a CFFOLDER and, while it is written, its stream.
type folder struct {
	start   int64  // of its first record in the spool
	records int    // written
	kind    uint16 // typeCompress
	size    int64  // bytes of content
	stream  stream // nil when the folder has ended
	pending []byte // content not yet compressed, less than a group
	out     *spool
	reserve int    // bytes in each record
	record  []byte // scratch: header and reserve
}

// beginFolder appends a folder with the compression of the options.
func (w *Writer) beginFolder() error {
	if len(w.folders) == maxFolders {
		return fmt.Errorf("more than %d folders: %w", maxFolders, waptwua.ErrLimit)
	}
	s, kind := w.newStream()
	w.folders = append(w.folders, &folder{
		start: w.spool.size, kind: kind, stream: s, out: w.spool,
		pending: make([]byte, 0, s.group()*frameSize),
		reserve: w.opt.DataReserve, record: make([]byte, 8+w.opt.DataReserve),
	})
	return nil
}

// newStream returns the compressor of a new folder and its typeCompress.
func (w *Writer) newStream() (stream, uint16) {
	switch w.opt.Compression {
	case MSZIP:
		return newMSZIP(), 1
	case LZX:
		window := w.opt.Window
		enc := w.lzx[window]
		if enc == nil {
			enc = lzxenc.NewEncoder(window, w.opt.LZX)
			w.lzx[window] = enc
		}
		enc.Reset()
		return &lzxStream{enc: enc, single: w.opt.SingleFrames}, uint16(window)<<8 | 3
	}
	return stored{}, 0
}

// endFolder compresses what is pending and ends the last file and folder.
func (w *Writer) endFolder() error {
	w.endFile()
	if w.err != nil {
		return w.err
	}
	n := len(w.folders)
	if n == 0 || w.folders[n-1].stream == nil {
		return nil
	}
	f := w.folders[n-1]
	if len(f.pending) > 0 {
		if err := f.stream.frames(f.pending, f.writeRecord); err != nil {
			w.err = fmt.Errorf("writing folder %d: %w", n-1, err)
		}
	}
	f.stream, f.pending = nil, nil
	return w.err
}

// write appends p to the folder's content.
func (f *folder) write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		if f.size == maxRecords*frameSize {
			return written, fmt.Errorf("folder of more than %d bytes: %w", f.size, waptwua.ErrLimit)
		}
		room := min(int64(cap(f.pending)-len(f.pending)), maxRecords*frameSize-f.size)
		n := int(min(int64(len(p)), room))
		f.pending = append(f.pending, p[:n]...)
		f.size += int64(n)
		written += n
		p = p[n:]
		if len(f.pending) == cap(f.pending) {
			if err := f.stream.frames(f.pending, f.writeRecord); err != nil {
				return written, err
			}
			f.pending = f.pending[:0]
		}
	}
	return written, nil
}

// writeRecord writes one CFDATA: checksum, sizes, reserve, bytes.
func (f *folder) writeRecord(p []byte, size int) error {
	f.records++
	binary.LittleEndian.PutUint16(f.record[4:], uint16(len(p)))
	binary.LittleEndian.PutUint16(f.record[6:], uint16(size))
	binary.LittleEndian.PutUint32(f.record, checksum(f.record[4:8], checksum(p, 0)))
	if err := f.out.write(f.record); err != nil {
		return err
	}
	return f.out.write(p)
}

// checksum is the CSUMCompute of the format: the exclusive or of the
// little-endian words of p, with up to three bytes left taken the other way.
func checksum(p []byte, sum uint32) uint32 {
	for ; len(p) >= 4; p = p[4:] {
		sum ^= binary.LittleEndian.Uint32(p)
	}
	var rest uint32
	for _, b := range p {
		rest = rest<<8 | uint32(b)
	}
	return sum ^ rest
}

// stored is a folder without compression.
type stored struct{}

func (stored) group() int { return 1 }

func (stored) frames(p []byte, emit func([]byte, int) error) error {
	return emit(p, len(p))
}

// lzxStream is a folder compressed with LZX.
type lzxStream struct {
	enc    *lzxenc.Encoder
	single bool   // blocks end with the frame
	frame  []byte // scratch
}

func (s *lzxStream) group() int {
	if s.single {
		return 1
	}
	return lzxenc.GroupFrames
}

func (s *lzxStream) frames(p []byte, emit func([]byte, int) error) error {
	if s.single {
		s.frame = s.enc.Frame(s.frame[:0], p)
		return emit(s.frame, len(p))
	}
	return s.enc.Frames(p, emit)
}

var _ io.Writer = (*content)(nil)
