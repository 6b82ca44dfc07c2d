package lzx

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// FuzzFrame decodes arbitrary bytes as two frames. Whatever they are, the
// decoder returns, and what it returns does not depend on what it decoded
// before Reset.
func FuzzFrame(f *testing.F) {
	for window := MinWindow; window <= MaxWindow; window++ {
		s := smallStream(window)
		f.Add(uint8(window-MinWindow), uint16(len(s.content)-FrameSize-1), s.frames[0], s.frames[1])
	}
	var one, other [MaxWindow - MinWindow + 1]*Decoder
	for i := range one {
		one[i], _ = NewDecoder(MinWindow + i)
		other[i], _ = NewDecoder(MinWindow + i)
	}
	past := bytes.Repeat([]byte{0x5b}, MaxFrameInput)
	f.Fuzz(func(t *testing.T, window uint8, size uint16, first, second []byte) {
		i, n := int(window)%len(one), 1+int(size)%FrameSize
		one[i].Reset()
		other[i].Reset()
		other[i].Frame(make([]byte, FrameSize), past)
		other[i].Reset()
		want, err1 := twoFrames(one[i], n, first, second)
		got, err2 := twoFrames(other[i], n, first, second)
		if (err1 == nil) != (err2 == nil) || err1 != nil && err1.Error() != err2.Error() {
			t.Fatalf("one decoder returns %v, another %v", err1, err2)
		}
		if !bytes.Equal(want, got) {
			t.Fatalf("two decoders differ from byte %d on", firstDifference(want, got))
		}
	})
}

// smallStream returns two frames of all kinds of block in few bytes.
func smallStream(window int) *stream {
	r := rand.New(rand.NewPCG(5, uint64(window)))
	s := newStream(window)
	s.e8(1 << 20)
	s.rawHeader(7)
	s.raw([]byte{callOpcode, 1, 0, 0, 0, 'a', 'b'})
	s.padRaw()
	s.header(alignedBlock, 500, false)
	s.randomSymbols(r, 507)
	s.header(verbatimBlock, FrameSize, true)
	for len(s.content)+257 <= FrameSize {
		s.match(257, 300+r.IntN(len(s.content)-300))
	}
	s.randomSymbols(r, FrameSize)
	s.endFrame()
	s.randomSymbols(r, FrameSize+507)
	s.endFrame()
	return s
}

// twoFrames returns what was decoded before the first error.
func twoFrames(d *Decoder, size int, first, second []byte) ([]byte, error) {
	out := make([]byte, FrameSize+size)
	if err := d.Frame(out[:FrameSize], first); err != nil {
		return nil, err
	}
	if err := d.Frame(out[FrameSize:], second); err != nil {
		return out[:FrameSize], err
	}
	return out, nil
}
