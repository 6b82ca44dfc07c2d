package cab

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"sync"

	"waptwua/lzx"
)

// A decompressor decodes a folder's blocks in order.
type decompressor interface {
	// block decodes src into the whole of dst, which has 1 to blockSize bytes.
	block(dst, src []byte) error
	// reset makes ready for the folder's first block.
	reset()
	// release ends its use.
	release()
}

// decoders are LZX decoders that are not in use, by window: each has a window
// of up to 2 MiB, and archives of many cabinets need one after the other.
var decoders [lzx.MaxWindow + 1]sync.Pool

// newDecompressor returns the decompressor for the folder.
func newDecompressor(f *Folder) (decompressor, error) {
	switch f.Compression {
	case None:
		return stored{}, nil
	case MSZIP:
		return newMSZIP(), nil
	case LZX:
		return newLZX(f)
	}
	return nil, fault(ErrUnsupported, f.entry, "folder %d is compressed with %v", f.index, f.Compression)
}

func newLZX(f *Folder) (decompressor, error) {
	if f.Window >= 0 && f.Window < len(decoders) {
		if d, ok := decoders[f.Window].Get().(*lzx.Decoder); ok {
			return lzxFolder{d, f.Window}, nil
		}
	}
	d, err := lzx.NewDecoder(f.Window)
	if err != nil {
		return nil, fault(ErrFormat, f.entry, "folder %d: %v", f.index, err)
	}
	return lzxFolder{d, f.Window}, nil
}

// stored is the method None.
type stored struct{}

func (stored) reset()   {}
func (stored) release() {}

func (stored) block(dst, src []byte) error {
	if len(dst) != len(src) {
		return fmt.Errorf("%d stored bytes for %d bytes of content", len(src), len(dst))
	}
	copy(dst, src)
	return nil
}

type lzxFolder struct {
	d      *lzx.Decoder
	window int
}

func (l lzxFolder) reset()                      { l.d.Reset() }
func (l lzxFolder) release()                    { decoders[l.window].Put(l.d) }
func (l lzxFolder) block(dst, src []byte) error { return l.d.Frame(dst, src) }

// mszip is the method MSZIP: every block is "CK" and a complete deflate
// stream that may refer back to the content of the blocks before it.
type mszip struct {
	inflate io.Reader // also a flate.Resetter
	src     bytes.Reader
	history []byte // the last blockSize bytes of content
	probe   [1]byte
}

var errMSZIP = errors.New(`an MSZIP block does not begin with "CK"`)

func newMSZIP() *mszip {
	m := &mszip{history: make([]byte, 0, 2*blockSize)}
	m.inflate = flate.NewReader(&m.src)
	return m
}

func (m *mszip) release() {}

func (m *mszip) reset() { m.history = m.history[:0] }

func (m *mszip) block(dst, src []byte) error {
	if !bytes.HasPrefix(src, []byte("CK")) {
		return errMSZIP
	}
	m.src.Reset(src[2:])
	if err := m.inflate.(flate.Resetter).Reset(&m.src, m.history); err != nil {
		return err
	}
	if n, err := io.ReadFull(m.inflate, dst); err != nil {
		return fmt.Errorf("an MSZIP block fails after %d of %d bytes: %w", n, len(dst), err)
	}
	if n, err := m.inflate.Read(m.probe[:]); n != 0 || err != io.EOF {
		return fmt.Errorf("an MSZIP block does not end after %d bytes", len(dst))
	}
	m.remember(dst)
	return nil
}

// remember keeps the last blockSize bytes of content.
func (m *mszip) remember(block []byte) {
	m.history = append(m.history, block...)
	if over := len(m.history) - blockSize; over > 0 {
		m.history = m.history[:copy(m.history, m.history[over:])]
	}
}
