package lzx

import (
	"bytes"
	"encoding/binary"
)

const (
	// The translation stops after this many frames: 1 GiB of content.
	translatedFrames = 1 << 15
	// The last bytes of a frame, where an instruction might continue in the
	// next, are not looked at.
	translatedTail = 10

	callOpcode = 0xe8
)

// translation reverses what the compressor may have done to x86 code: the
// relative target of a CALL (E8) instruction, a 32-bit little-endian number,
// is stored as an absolute one so that calls of one function look the same.
// Only targets within "file size", a number the compressor chose, have been
// translated. Positions count over the stream, not over files.
type translation struct {
	fileSize int32 // 0: not translated
	position int64 // of the next frame in the stream
}

// readHeader reads what the stream begins with: a bit, and where it is set
// the file size, high half first.
func (t *translation) readHeader(b *bitReader) {
	if b.take(1) == 1 {
		t.fileSize = int32(b.take(32))
	}
}

// undo restores the targets in frame, the stream's next.
func (t *translation) undo(frame []byte) {
	start := t.position
	t.position += int64(len(frame))
	if t.fileSize == 0 || start >= translatedFrames*FrameSize || len(frame) <= translatedTail {
		return
	}
	end := len(frame) - translatedTail
	for i := 0; i < end; i += 5 {
		next := bytes.IndexByte(frame[i:end], callOpcode)
		if next < 0 {
			return
		}
		i += next
		operand := frame[i+1 : i+5]
		position := int32(start) + int32(i)
		target := int32(binary.LittleEndian.Uint32(operand))
		if target >= -position && target < t.fileSize {
			if target >= 0 {
				target -= position
			} else {
				target += t.fileSize
			}
			binary.LittleEndian.PutUint32(operand, uint32(target))
		}
	}
}
