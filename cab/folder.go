package cab

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// A FolderReader is one pass over a folder: Next goes to the next file, Read
// reads its content.
//
// A file that cannot be read, because of its entry or of damage before its
// end, does not end the pass: Read returns the error, and Next goes on.
type FolderReader struct {
	folder *Folder
	blocks *blockReader
	decomp decompressor

	next   int    // index of the file after the current one
	file   *File  // current file, nil before the first
	unread int64  // bytes of the current file still to read
	have   []byte // content decoded, not handed out
	pos    int64  // where in the folder's content have begins
	err    error  // why no more blocks can be decoded
	closed bool

	consumed int64 // bytes of CFDATA decoded, counting repetitions
	decoded  int64 // bytes of content decoded, counting repetitions
	buf      [blockSize]byte
}

// Open starts a pass over the folder's files. It fails with ErrUnsupported
// if the folder is compressed by a method that is not read or begins in the
// previous cabinet of the set, and with ErrFormat if its entry is malformed.
func (f *Folder) Open() (*FolderReader, error) {
	if f.ahead {
		return nil, fault(ErrUnsupported, f.entry, "folder %d begins in the previous cabinet of the set", f.index)
	}
	if f.shared {
		return nil, fault(ErrFormat, f.entry, "folder %d has the data of another folder", f.index)
	}
	d, err := newDecompressor(f)
	if err != nil {
		return nil, err
	}
	fr := &FolderReader{folder: f, blocks: newBlockReader(f), decomp: d}
	fr.rewind()
	return fr, nil
}

// Next goes to the folder's next file in stored order; what was not read of
// the one before is skipped. It returns io.EOF after the last file.
//
// Cabinets store files in the order of their content. Where one does not, or
// files overlap, the pass decodes the folder again from its start, as often
// as Limits.FolderBytes allows.
func (fr *FolderReader) Next() (*File, error) {
	if fr.closed {
		return nil, fs.ErrClosed
	}
	if fr.next == len(fr.folder.Files) {
		fr.file, fr.unread = nil, 0
		return nil, io.EOF
	}
	fr.enter(fr.folder.Files[fr.next])
	fr.next++
	return fr.file, nil
}

func (fr *FolderReader) enter(f *File) {
	fr.file, fr.unread = f, f.Size
}

// Read reads the current file's content. It returns io.EOF at its end.
func (fr *FolderReader) Read(p []byte) (int, error) {
	if err := fr.ready(); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if fr.direct(p) {
		return fr.readBlock(p)
	}
	if err := fr.position(); err != nil {
		return 0, err
	}
	n := copy(p[:min(int64(len(p)), fr.unread)], fr.have)
	fr.take(n)
	fr.unread -= int64(n)
	return n, nil
}

// direct tells whether the next block belongs to the current file as a whole
// and fits p, so that it need not be copied.
func (fr *FolderReader) direct(p []byte) bool {
	return fr.err == nil && len(fr.have) == 0 && len(p) >= blockSize && fr.unread >= blockSize &&
		fr.pos == fr.file.Offset+fr.file.Size-fr.unread
}

// readBlock reads the next block into p.
func (fr *FolderReader) readBlock(p []byte) (n int, err error) {
	if fr.have, fr.err = fr.decode(p[:blockSize]); fr.err != nil {
		return 0, fr.err
	}
	n = len(fr.have)
	fr.take(n)
	fr.unread -= int64(n)
	return n, nil
}

// ready tells whether the current file has bytes to read; io.EOF: no more.
func (fr *FolderReader) ready() error {
	switch {
	case fr.closed:
		return fs.ErrClosed
	case fr.file == nil:
		return io.EOF
	}
	if err := fr.file.readable(); err != nil {
		return err
	}
	if fr.unread == 0 {
		return io.EOF
	}
	return nil
}

// Discard skips the next n bytes of the current file, which are decoded but
// not copied, and returns how many it skipped: fewer, with io.EOF, when the
// file ends before.
func (fr *FolderReader) Discard(n int64) (skipped int64, err error) {
	for skipped < n {
		if err := fr.ready(); err != nil {
			return skipped, err
		}
		if err := fr.position(); err != nil {
			return skipped, err
		}
		step := min(n-skipped, fr.unread, int64(len(fr.have)))
		fr.take(int(step))
		fr.unread -= step
		skipped += step
	}
	return skipped, nil
}

// Close ends the pass. Closing it again does nothing.
func (fr *FolderReader) Close() error {
	if !fr.closed {
		fr.closed = true
		fr.decomp.release()
	}
	return nil
}

// position makes sure that have begins with the current file's next byte.
func (fr *FolderReader) position() error {
	want := fr.file.Offset + fr.file.Size - fr.unread
	if want < fr.pos {
		fr.rewind()
	}
	for {
		fr.take(int(min(want-fr.pos, int64(len(fr.have)))))
		if len(fr.have) > 0 {
			return nil
		}
		if fr.err == nil {
			fr.have, fr.err = fr.decode(fr.buf[:])
		}
		if fr.err != nil {
			return fr.err
		}
	}
}

func (fr *FolderReader) take(n int) {
	fr.have = fr.have[n:]
	fr.pos += int64(n)
}

// rewind goes back to the folder's start.
func (fr *FolderReader) rewind() {
	fr.have, fr.pos = nil, 0
	fr.decomp.reset()
	fr.err = fr.blocks.rewind(fr.folder.Blocks)
}

// decode decodes the next block to the start of buf and returns its content.
func (fr *FolderReader) decode(buf []byte) ([]byte, error) {
	at := fr.blocks.offset
	data, size, err := fr.blocks.next()
	if errors.Is(err, io.EOF) {
		return nil, fault(ErrFormat, fr.folder.entry, "folder %d ends after %d bytes of content, within %q",
			fr.folder.index, fr.pos, fr.file.Name)
	}
	if err != nil {
		return nil, err
	}
	if size < blockSize && fr.blocks.left > 0 && fr.folder.Compression != None {
		return nil, fault(ErrFormat, at, "a block for %d bytes of content that is not its folder's last", size)
	}
	if err := fr.charge(at, len(data), size); err != nil {
		return nil, err
	}
	if err := fr.decomp.block(buf[:size], data); err != nil {
		return nil, &FormatError{
			Offset: at,
			Msg:    fmt.Sprintf("folder %d, block %d: %v", fr.folder.index, fr.folder.Blocks-fr.blocks.left-1, err),
			Err:    ErrFormat,
		}
	}
	return buf[:size], nil
}

// charge counts a block against the limits.
func (fr *FolderReader) charge(at int64, in, out int) error {
	l := &fr.folder.reader.limits
	fr.consumed += int64(in)
	fr.decoded += int64(out)
	if fr.decoded > l.FolderBytes {
		return fault(ErrLimit, at, "a pass over folder %d decodes more than %d bytes", fr.folder.index, l.FolderBytes)
	}
	if fr.decoded > RatioFrom && fr.decoded/int64(l.Ratio) > fr.consumed {
		return fault(ErrLimit, at, "folder %d expands more than %d times", fr.folder.index, l.Ratio)
	}
	return nil
}

// readable tells whether the file's entry allows its content to be read from
// this cabinet and within the limits.
func (f *File) readable() error {
	limit := f.Folder.reader.limits.FileBytes
	end, most := f.Offset+f.Size, int64(f.Folder.Blocks)*blockSize
	switch {
	case f.previous:
		return fault(ErrUnsupported, f.entry, "%q begins in the previous cabinet of the set", f.Name)
	case f.next:
		return fault(ErrUnsupported, f.entry, "%q ends in the next cabinet of the set", f.Name)
	case f.Size > limit:
		return fault(ErrLimit, f.entry, "%q has %d bytes, the limit is %d", f.Name, f.Size, limit)
	case end > most:
		return fault(ErrFormat, f.entry, "%q ends at byte %d of a folder that has at most %d", f.Name, end, most)
	}
	return nil
}

// Open returns the file's content. It decodes the folder from its start: to
// read several files of a folder, use Folder.Open. It fails as Folder.Open
// does, and if the entry shows that the content cannot be read.
func (f *File) Open() (io.ReadCloser, error) {
	if err := f.readable(); err != nil {
		return nil, err
	}
	fr, err := f.Folder.Open()
	if err != nil {
		return nil, err
	}
	fr.enter(f)
	return &fileReader{fr}, nil
}

// fileReader is a FolderReader that stays at one file.
type fileReader struct{ fr *FolderReader }

func (r *fileReader) Read(p []byte) (int, error) { return r.fr.Read(p) }
func (r *fileReader) Close() error               { return r.fr.Close() }
