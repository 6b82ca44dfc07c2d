package cab

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"waptwua/lzx"
)

const (
	blockHeaderSize = 8                 // CFDATA without reserve
	maxBlockInput   = lzx.MaxFrameInput // the most data bytes of a CFDATA block
)

// blockReader reads a folder's CFDATA blocks one after the other.
type blockReader struct {
	section *io.SectionReader // the cabinet, up to where the folder must end
	inside  bool              // another folder's data follow there
	buffer  *bufio.Reader
	start   int64 // of the folder's first block
	offset  int64 // of the next block
	left    int   // blocks still to come

	head []byte // the header, with reserve, of the block read last
	held int    // bytes of buffer that hold the data of the block read last
}

func newBlockReader(f *Folder) *blockReader {
	section := io.NewSectionReader(f.reader.src, 0, f.end)
	return &blockReader{
		section: section,
		inside:  f.end < f.reader.Header.Size,
		buffer:  bufio.NewReaderSize(section, 1<<17),
		start:   f.start,
		head:    make([]byte, blockHeaderSize+f.reader.Header.DataReserve),
	}
}

// rewind goes back to the first of n blocks.
func (b *blockReader) rewind(n int) error {
	b.offset, b.left = b.start, n
	if _, err := b.section.Seek(b.start, io.SeekStart); err != nil {
		return fmt.Errorf("cab: seeking to a folder's data: %w", err)
	}
	b.buffer.Reset(b.section)
	b.held = 0
	return nil
}

// next returns the data of the next block, valid until the next call, and
// the size of its content. It returns io.EOF after the last block.
func (b *blockReader) next() (data []byte, size int, err error) {
	if b.left == 0 {
		return nil, 0, io.EOF
	}
	if err := b.readHead(); err != nil {
		return nil, 0, err
	}
	n := int(binary.LittleEndian.Uint16(b.head[4:]))
	size = int(binary.LittleEndian.Uint16(b.head[6:]))
	switch {
	case n > maxBlockInput:
		return nil, 0, fault(ErrFormat, b.offset, "a block of %d bytes, the most is %d", n, maxBlockInput)
	case size > blockSize:
		return nil, 0, fault(ErrFormat, b.offset, "a block for %d bytes of content, the most is %d", size, blockSize)
	case size == 0:
		return nil, 0, fault(ErrUnsupported, b.offset, "a block that ends in the next cabinet of the set")
	}
	if data, err = b.buffer.Peek(n); err != nil {
		return nil, 0, b.short(err)
	}
	b.held = n
	if !b.sound(data) {
		return nil, 0, fault(ErrChecksum, b.offset, "the block's checksum is %08x, its bytes give %08x",
			binary.LittleEndian.Uint32(b.head), b.checksum(data, nil))
	}
	b.offset += int64(len(b.head) + n)
	b.left--
	return data, size, nil
}

// readHead gives up the data of the block before and reads the next header.
func (b *blockReader) readHead() error {
	_, err := b.buffer.Discard(b.held)
	b.held = 0
	if err == nil {
		_, err = io.ReadFull(b.buffer, b.head)
	}
	return b.short(err)
}

// short is the error for a block that cannot be read as a whole.
func (b *blockReader) short(err error) error {
	switch {
	case err == nil:
		return nil
	case b.inside && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return fault(ErrFormat, b.offset, "a block reaches into the data of another folder")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fault(ErrFormat, b.offset, "the cabinet ends within a block")
	}
	return fmt.Errorf("cab: reading the block at offset %d: %w", b.offset, err)
}

// sound tells whether the block has its checksum, or none (zero). Programs
// differ on whether the block's reserve counts; either is accepted.
func (b *blockReader) sound(data []byte) bool {
	want := binary.LittleEndian.Uint32(b.head)
	if want == 0 || want == b.checksum(data, nil) {
		return true
	}
	reserve := b.head[blockHeaderSize:]
	return len(reserve) > 0 && want == b.checksum(data, reserve)
}

func (b *blockReader) checksum(data, reserve []byte) uint32 {
	sizes := binary.LittleEndian.Uint32(b.head[4:])
	return checksum(data) ^ sizes ^ checksum(reserve)
}

// checksum is the exclusive or of the data's 32-bit little-endian words; of
// up to three bytes that remain, the first counts most.
func checksum(data []byte) uint32 {
	var wide uint64
	for ; len(data) >= 32; data = data[32:] {
		wide ^= binary.LittleEndian.Uint64(data) ^ binary.LittleEndian.Uint64(data[8:]) ^
			binary.LittleEndian.Uint64(data[16:]) ^ binary.LittleEndian.Uint64(data[24:])
	}
	for ; len(data) >= 8; data = data[8:] {
		wide ^= binary.LittleEndian.Uint64(data)
	}
	sum := uint32(wide&math.MaxUint32) ^ uint32(wide>>32)
	if len(data) >= 4 {
		sum ^= binary.LittleEndian.Uint32(data)
		data = data[4:]
	}
	var tail uint32
	for _, c := range data {
		tail = tail<<8 | uint32(c)
	}
	return sum ^ tail
}
