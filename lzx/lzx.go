// Package lzx decompresses LZX as it is stored in cabinet files.
//
// # What it reads
//
// A cabinet folder compressed with LZX is a sequence of frames, one for each
// CFDATA record. A frame holds at most [FrameSize] (32,768) bytes of content
// in at most [MaxFrameInput] (38,912) compressed bytes; every frame but a
// folder's last holds exactly FrameSize. A [Decoder] takes the frames of one
// folder in order and keeps between them what the format keeps: the window
// of 2^15 to 2^21 bytes, the three most recent match offsets (R0, R1, R2),
// the code lengths that the next block's are coded against, and a block that
// is still open.
//
// All of the cabinet flavour is read: windows of 15 to 21 bits (30, 32, 34,
// 36, 38, 42 and 50 position slots), verbatim, aligned-offset and
// uncompressed blocks, blocks that continue in the next frame, matches whose
// source lies in earlier frames, and the reversal of the x86 call
// translation ("E8 preprocessing").
//
// # What it does not read
//
// LZX DELTA (reference data, matches longer than 257 bytes), the LZX of WIM
// images (chunked, 15-bit default block size, always translated) and of CHM
// files (which resets the state at intervals) share the block syntax and
// nothing else; they are not supported.
//
// # Malformed input
//
// The package takes hostile input: it never panics, never reads before the
// start of the stream or outside the window, works in time proportional to
// the frame, and allocates nothing after [NewDecoder]. A stream that is not
// LZX gives a [*FormatError], which matches [ErrFormat]. Where published
// descriptions leave a case open, the package does what libmspack (the
// decoder of cabextract) does; docs/formats/lzx.md lists these cases.
//
// # Limits
//
// A Decoder occupies the window, one frame more and about 70 KB: 2.2 MB for
// 21 bits, whatever its input. A frame never gives more than FrameSize bytes.
// How many frames are decoded is for the caller to bound.
//
// # Compatibility
//
// The package imports the standard library only, uses neither unsafe nor
// assembly, and needs the Go version that go.mod names. A Decoder is used by
// one goroutine at a time; Decoders share nothing that changes.
//
// What is exported, the bytes that a well-formed stream gives, and that
// malformed ones give a FormatError, stay as they are. The wording of errors,
// the offset they name for a given fault, and which malformed streams are
// found out, may change: towards refusing more, never towards other bytes.
//
// The format is described in Microsoft's "LZX Data Compression Format" (part
// of the Cabinet SDK), in [MS-PATCH] for the parts LZX DELTA shares, and was
// checked against cabextract and 7-Zip on cabinets made by Microsoft.
//
// [MS-PATCH]: https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-patch
package lzx

import (
	"errors"
	"fmt"
)

const (
	// FrameSize is the number of content bytes of every frame but the last.
	FrameSize = 1 << 15
	// MaxFrameInput is the largest number of compressed bytes of one frame.
	MaxFrameInput = FrameSize + 6144
	// MinWindow is the smallest window of a cabinet, in bits.
	MinWindow = 15
	// MaxWindow is the largest window of a cabinet, in bits.
	MaxWindow = 21
)

// ErrFormat is what every [*FormatError] matches with errors.Is.
var ErrFormat = errors.New("lzx: malformed stream")

// A FormatError says where and why a stream is not LZX.
type FormatError struct {
	Offset int64  // content bytes of the stream that came before the fault
	Msg    string // what is wrong there
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("lzx: malformed stream after %d bytes of content: %s", e.Offset, e.Msg)
}

// Unwrap returns ErrFormat.
func (e *FormatError) Unwrap() error { return ErrFormat }

// cutOff is what a FormatError says of a frame whose input is too short.
const cutOff = "compressed bytes end within the frame"

// windowSlack is what a match copy may write beyond its end.
const windowSlack = 16

// Decoder decodes the frames of one LZX stream. Create it with NewDecoder;
// Reset starts another stream of the same window size.
type Decoder struct {
	bits bitReader

	// The window is a ring of one frame more than the format's window, so
	// that no frame crosses the end of the ring, and so that the bytes just
	// ahead of pos are too old for any match: copies may overwrite them.
	ring       []byte
	ringSize   int
	windowSize int
	pos        int   // next byte of the ring to write
	total      int64 // content bytes of the stream so far

	recent [3]uint32 // R0, R1, R2
	block  block
	trees  trees
	e8     translation

	started  bool
	last     bool  // a frame shorter than FrameSize has been decoded
	leftover int   // input bytes that the last frame did not use
	err      error // sticks until Reset
}

// NewDecoder returns a decoder for a window of 2^window bytes, window being
// 15 to 21: bits 8 to 12 of a cabinet folder's typeCompress.
func NewDecoder(window int) (*Decoder, error) {
	if window < MinWindow || window > MaxWindow {
		return nil, fmt.Errorf("lzx: window of %d bits, want %d to %d", window, MinWindow, MaxWindow)
	}
	size := 1 << window
	d := &Decoder{
		ring:       make([]byte, size+FrameSize+windowSlack),
		ringSize:   size + FrameSize,
		windowSize: size,
	}
	d.trees.mainSize = numLiterals + 8*positionSlots(window)
	d.Reset()
	return d, nil
}

// Window returns the window size in bits.
func (d *Decoder) Window() int {
	bits := 0
	for 1<<bits < d.windowSize {
		bits++
	}
	return bits
}

// Reset makes the decoder ready for the first frame of another stream.
func (d *Decoder) Reset() {
	d.pos, d.total = 0, 0
	d.recent = [3]uint32{1, 1, 1}
	d.block = block{}
	d.trees.reset()
	d.e8 = translation{}
	d.started, d.last, d.leftover, d.err = false, false, 0, nil
}

// Frame decodes the stream's next frame, whose compressed bytes are src,
// into dst. The length of dst is the frame's content size as the cabinet
// tells it: FrameSize, or 1 to FrameSize for the stream's last frame.
//
// Frame allocates nothing and keeps neither slice. After an error the
// content of dst is undefined and every further call returns the same error
// until Reset.
//
// Bytes of src that the frame does not use are tolerated in the last frame
// only: the error comes with the frame after it.
func (d *Decoder) Frame(dst, src []byte) error {
	if d.err == nil {
		d.err = d.frame(dst, src)
	}
	return d.err
}

func (d *Decoder) frame(dst, src []byte) error {
	if err := d.checkFrame(dst, src); err != nil {
		return err
	}
	if d.pos == d.ringSize {
		d.pos = 0
	}
	d.bits.load(src, 0)
	if d.block.kind != uncompressedBlock && d.block.remaining > 0 {
		d.bits.loadRest(src)
	}
	if !d.started {
		d.started = true
		d.e8.readHeader(&d.bits)
	}
	start := d.pos
	if err := d.decode(src, start+len(dst)); err != nil {
		return err
	}
	if err := d.finishInput(src); err != nil {
		return err
	}
	copy(dst, d.ring[start:d.pos])
	d.e8.undo(dst)
	d.total += int64(len(dst))
	d.last = len(dst) < FrameSize
	return nil
}

func (d *Decoder) checkFrame(dst, src []byte) error {
	switch {
	case len(dst) == 0 || len(dst) > FrameSize:
		return d.fault("a frame of %d bytes, want 1 to %d", len(dst), FrameSize)
	case len(src) > MaxFrameInput:
		return d.fault("a frame of %d compressed bytes, the most is %d", len(src), MaxFrameInput)
	case d.last:
		return d.fault("a frame after a frame of less than %d bytes", FrameSize)
	case d.leftover > 0:
		return d.fault("%d compressed bytes left over at the end of the frame", d.leftover)
	}
	return nil
}

// decode fills the ring up to end, which lies within one frame.
func (d *Decoder) decode(src []byte, end int) error {
	frameStart := d.pos
	for d.pos < end {
		if d.block.remaining == 0 {
			if err := d.nextBlock(src); err != nil {
				return err
			}
			continue
		}
		n := min(d.block.remaining, end-d.pos)
		var err error
		if d.block.kind == uncompressedBlock {
			err = d.copyRaw(src, n)
		} else {
			err = d.decodeSymbols(n, d.block.kind == alignedBlock)
		}
		if err != nil {
			var format *FormatError
			if errors.As(err, &format) {
				format.Offset += int64(d.pos - frameStart)
			}
			return err
		}
		d.block.remaining -= n
	}
	return nil
}

// finishInput settles how much of src the frame used.
func (d *Decoder) finishInput(src []byte) error {
	if d.block.kind != uncompressedBlock {
		d.bits.alignWord()
	}
	used := d.bits.offset()
	if d.block.padding && d.block.remaining == 0 && used < len(src) {
		d.block.padding = false // the pad byte ends this frame, not the next
		used++
	}
	if used > (len(src)+1)&^1 {
		return d.fault(cutOff)
	}
	d.leftover = max(0, len(src)-used) // half a word may lack
	return nil
}

// fault returns a FormatError at the start of the frame being decoded.
func (d *Decoder) fault(format string, args ...any) error {
	return &FormatError{Offset: d.total, Msg: fmt.Sprintf(format, args...)}
}
