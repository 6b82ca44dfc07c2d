package lzxenc

import (
	"bytes"
	"encoding/binary"
)

// The translation of calls stops after so many frames of a folder (1 GiB), and
// leaves the last bytes of each frame alone.
const (
	e8Frames = 32768
	e8Tail   = 10
)

// translate makes the call targets in the group absolute, frame by frame.
func (e *Encoder) translate(group []byte) {
	for i := 0; i*FrameSize < len(group) && e.frames+i < e8Frames; i++ {
		frame := group[i*FrameSize : min((i+1)*FrameSize, len(group))]
		translateFrame(frame, int32(e.frames+i)*FrameSize, e.opt.E8FileSize)
	}
}

// translateFrame replaces the relative target after each byte E8 of frame,
// which begins at position start of the folder, by the absolute one when that
// lies in 0..fileSize. It is the inverse of what decoders do.
func translateFrame(frame []byte, start, fileSize int32) {
	for i := 0; i < len(frame)-e8Tail; {
		skip := bytes.IndexByte(frame[i:len(frame)-e8Tail], 0xE8)
		if skip < 0 {
			return
		}
		i += skip
		target, at := frame[i+1:i+5], start+int32(i)
		rel := int32(binary.LittleEndian.Uint32(target))
		if rel >= -at && rel < fileSize {
			binary.LittleEndian.PutUint32(target, uint32(absolute(rel, at, fileSize)))
		}
		i += 5
	}
}

// absolute maps rel in -at..fileSize onto itself, so that the decoder can tell
// which calls were translated.
func absolute(rel, at, fileSize int32) int32 {
	if rel < fileSize-at {
		return rel + at
	}
	return rel - fileSize
}
