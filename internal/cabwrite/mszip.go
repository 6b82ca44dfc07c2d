package cabwrite

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
)

// mszipLimit is the largest MSZIP record that decoders must accept.
const mszipLimit = frameSize + 12

// mszip is a folder compressed with MSZIP: each record is "CK" and a deflate
// stream of its own that may refer to the 32 KiB before it.
//
// One deflate writer serves the whole folder: after each frame it is flushed to
// a byte's end, and an empty final block makes that a complete stream.
type mszip struct {
	deflate *flate.Writer
	record  bytes.Buffer
}

// finalBlock is an empty last block with fixed codes.
var finalBlock = [2]byte{3, 0}

func newMSZIP() (*mszip, error) {
	s := &mszip{}
	var err error
	s.deflate, err = flate.NewWriter(&s.record, flate.DefaultCompression)
	return s, err
}

func (s *mszip) group() int { return 1 }

func (s *mszip) frames(p []byte, emit func([]byte, int) error) error {
	s.record.Reset()
	s.record.WriteString("CK")
	if _, err := s.deflate.Write(p); err != nil {
		return err
	}
	if err := s.deflate.Flush(); err != nil {
		return err
	}
	s.record.Write(finalBlock[:])
	if s.record.Len() > mszipLimit {
		s.store(p)
	}
	return emit(s.record.Bytes(), len(p))
}

// store replaces the record by one that holds p in a stored block.
func (s *mszip) store(p []byte) {
	s.record.Reset()
	s.record.WriteString("CK\x01")
	var sizes [4]byte
	binary.LittleEndian.PutUint16(sizes[:], uint16(len(p)))
	binary.LittleEndian.PutUint16(sizes[2:], ^uint16(len(p)))
	s.record.Write(sizes[:])
	s.record.Write(p)
}
