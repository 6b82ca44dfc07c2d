// Package lzxenc compresses into LZX as cabinets store it (folder type 3,
// windows of 2^15 to 2^21 bytes).
//
// It is written for tests and generated archives: it makes streams of every
// shape that a decoder must read, quickly and always the same bytes from the
// same input. It is not tuned as a general compressor.
//
// # Stream
//
// One [Encoder] writes the stream of one cabinet folder. The folder's content
// is cut into frames of 32,768 bytes (the last may be shorter); each frame
// becomes the content of one CFDATA record of at most [MaxFrame] bytes. The
// bit stream consists of 16-bit little-endian words filled from the most
// significant bit, and is padded to a word at the end of each frame.
//
// The stream begins with one bit: 0, or 1 and a 32-bit number when x86 call
// instructions are translated (see [Options.E8]). Then follow blocks: a 3-bit
// type (1 verbatim, 2 aligned, 3 uncompressed), a 24-bit size in bytes of
// output, Huffman code lengths as differences from those of the block before,
// and the symbols. The window, the code lengths and the three most recent
// match offsets R0, R1, R2 persist over the whole folder. A match never
// crosses the end of a frame, though it may begin in any earlier one.
//
// A call of [Encoder.Frames] compresses up to [GroupFrames] frames together:
// its blocks begin and end where the statistics of the text change, hence may
// cover several frames or a part of one. [Encoder.Frame] compresses a single
// frame with blocks of its own.
//
// # Limits
//
// Code lengths are limited to 16 bits (aligned offsets 7, the code of the code
// lengths 15), match lengths to 2..257, offsets to window-4 (see
// [Options.WholeWindow]). A frame that would not fit into MaxFrame bytes is
// stored in an uncompressed block, whatever kind of block was asked for.
//
// Not supported: LZX DELTA, the variant of WIM files, windows above 2^21, and
// input in which a folder exceeds 65,535 frames (the cabinet's own limit, which
// the caller keeps).
//
// Sources of the format: Microsoft's "LZX Data Compression Format" of the
// Cabinet SDK and [MS-PATCH] section 2, where they differ the behaviour of
// cabextract and 7-Zip.
package lzxenc

import "fmt"

const (
	// FrameSize is the number of input bytes in each frame but the last.
	FrameSize = 32768
	// MaxFrame is the largest number of compressed bytes in a frame.
	MaxFrame = FrameSize + 6144
	// GroupFrames is how many frames Frames may compress together.
	GroupFrames = 8
	// MinWindow is the smallest window, in bits.
	MinWindow = 15
	// MaxWindow is the largest window, in bits.
	MaxWindow = 21
)

// Level says how hard the encoder searches for matches.
type Level int

// The levels, from the usual one.
const (
	// Default searches lazily; made for archives of some hundred megabytes.
	Default Level = iota
	// Fast takes the first good match.
	Fast
	// Best searches longest, at a small fraction of the speed.
	Best
)

// Blocks says which kinds of block the encoder may write.
type Blocks int

// The kinds of block.
const (
	// Auto writes whatever is smallest.
	Auto Blocks = iota
	// Verbatim, Aligned and Uncompressed write only that kind.
	Verbatim
	Aligned
	Uncompressed
	// Mixed writes the three kinds in turn; for testing decoders.
	Mixed
)

// Options of an Encoder. The zero value is usable.
type Options struct {
	// Level says how hard to search.
	Level Level
	// Blocks restricts the kinds of block.
	Blocks Blocks
	// E8 translates the relative targets of x86 call instructions (byte E8)
	// into absolute ones in the first 32,768 frames, which makes code more
	// compressible. The decoder translates them back.
	E8 bool
	// E8FileSize is the "file size" of the translation: targets at or above
	// it are left alone. 0 means 12,000,000, as Microsoft's encoder uses.
	E8FileSize int32
	// WholeWindow lets offsets be as large as the format allows, window-3.
	// Otherwise they are at most window-4, since 7-Zip 26.02 gets one byte
	// of a match at the largest offset wrong.
	WholeWindow bool
}

// DefaultE8FileSize is the E8FileSize that 0 stands for.
const DefaultE8FileSize = 12_000_000

// Encoder compresses the frames of one folder after the other. It uses
// about five bytes of memory per byte of window (twelve at level Best) and 4 MiB
// more, and allocates nothing per frame.
// It must not be used by several goroutines at once.
type Encoder struct {
	opt    Options
	search *finder
	repeat [3]uint32 // R0, R1, R2 after the last token
	bits   bitWriter
	codes  codeSet
	tokens []token
	pieces []piece
	cuts   [GroupFrames + 1]cut // where the frames of the group begin and end
	blocks []piece              // pieces merged into blocks
	// splitBits is what a block of its own must save, as estimate counts.
	splitBits int
	frames    int  // written so far in this folder
	ended     bool // a short frame has been written
	turn      int  // which kind is next with Mixed
	frame     int  // being written, within the group
}

// NewEncoder returns an encoder with a window of 2^window bytes. It panics
// unless MinWindow <= window <= MaxWindow.
func NewEncoder(window int, opt Options) *Encoder {
	if window < MinWindow || window > MaxWindow {
		panic(fmt.Sprintf("lzxenc: window of %d bits is not in %d..%d", window, MinWindow, MaxWindow))
	}
	if opt.E8FileSize == 0 {
		opt.E8FileSize = DefaultE8FileSize
	}
	e := &Encoder{opt: opt, search: newFinder(window, opt), splitBits: headerBits}
	e.codes.init(window)
	e.pieces = newPieces(len(e.codes.main.lens))
	e.tokens = make([]token, 0, GroupFrames*FrameSize)
	e.blocks = make([]piece, 0, maxPieces)
	e.Reset()
	return e
}

// Reset begins a new folder. The encoder keeps its memory; what it writes
// then is what a new encoder would write.
func (e *Encoder) Reset() {
	e.search.reset()
	e.repeat = [3]uint32{1, 1, 1}
	e.codes.forget()
	e.frames, e.ended, e.turn = 0, false, 0
}

// Frame compresses src as one frame with its own blocks and appends its bytes
// to dst. Only the last frame of a folder may be shorter than FrameSize; Frame
// panics when src is longer, empty, or follows a short one.
func (e *Encoder) Frame(dst, src []byte) []byte {
	if len(src) > FrameSize {
		panic(fmt.Sprintf("lzxenc: frame of %d bytes, more than %d", len(src), FrameSize))
	}
	e.compress(src)
	return append(dst, e.bits.buf[:e.bits.n]...)
}

// Frames compresses src, at most GroupFrames frames, and calls emit for each
// frame in order with its compressed bytes, which are valid during the call,
// and the number of input bytes they stand for. Only the last frame of a
// folder may be short. It returns the first error of emit, after which only
// Reset may be called, and panics as Frame does.
func (e *Encoder) Frames(src []byte, emit func(frame []byte, size int) error) error {
	if len(src) > GroupFrames*FrameSize {
		panic(fmt.Sprintf("lzxenc: group of %d bytes, more than %d frames", len(src), GroupFrames))
	}
	e.compress(src)
	for i := range frameCount(len(src)) {
		size := min(FrameSize, len(src)-i*FrameSize)
		if err := emit(e.bits.buf[e.cuts[i].out:e.cuts[i+1].out], size); err != nil {
			return err
		}
	}
	return nil
}

// compress leaves the compressed frames of src in e.bits, delimited by e.cuts.
func (e *Encoder) compress(src []byte) {
	if len(src) == 0 || e.ended {
		panic("lzxenc: empty frame, or a frame after a short one")
	}
	e.ended = len(src)%FrameSize != 0
	window := e.search.push(src)
	if e.opt.E8 {
		e.translate(window)
	}
	e.parse(len(src))
	e.write(len(src))
	e.frames += frameCount(len(src))
}

// write writes the blocks of the parsed group; when a frame comes out too
// large because it shares a block with others, once more frame by frame.
func (e *Encoder) write(size int) {
	saved := e.codes.remember()
	turn := e.turn
	e.mergePieces()
	e.writeBlocks(size, e.opt.Blocks)
	if e.fits(size) {
		return
	}
	e.codes.restore(saved)
	e.turn = turn
	e.mergeByFrame()
	e.writeBlocks(size, Auto)
}

// fits reports whether no frame of the group exceeds MaxFrame.
func (e *Encoder) fits(size int) bool {
	for i := range frameCount(size) {
		if e.cuts[i+1].out-e.cuts[i].out > MaxFrame {
			return false
		}
	}
	return true
}

func frameCount(size int) int { return (size + FrameSize - 1) / FrameSize }
