package lzx

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"waptwua/internal/lzxenc"
)

// program returns size bytes that look like an update's files: XML, x86 code
// with calls of a few functions, zeros, and what does not compress.
func program(r *rand.Rand, size int) []byte {
	var b []byte
	for len(b) < size {
		switch r.IntN(4) {
		case 0:
			for i := range 40 + r.IntN(200) {
				b = fmt.Appendf(b, "<b.RegSz Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"SOFTWARE\\%d\" Value=\"%x\" />\r\n", i%7, r.IntN(1000))
			}
		case 1:
			for range 100 + r.IntN(2000) {
				b = append(b, 0x55, 0x8b, 0xec, byte(r.IntN(8)), 0xe8)
				b = binary.LittleEndian.AppendUint32(b, uint32(r.IntN(20)*1000-len(b)))
			}
		case 2:
			b = append(b, make([]byte, r.IntN(3000))...)
		case 3:
			b = append(b, randomBytes(r, r.IntN(20000))...)
		}
	}
	return b[:size]
}

// What an independent encoder writes: every window, kind of block, and
// translation.
func TestRoundTrip(t *testing.T) {
	kinds := map[string]lzxenc.Blocks{
		"auto": lzxenc.Auto, "verbatim": lzxenc.Verbatim, "aligned": lzxenc.Aligned,
		"uncompressed": lzxenc.Uncompressed, "mixed": lzxenc.Mixed,
	}
	content := program(rand.New(rand.NewPCG(8, 8)), 5*FrameSize+4321)
	for window := MinWindow; window <= MaxWindow; window++ {
		for name, blocks := range kinds {
			for _, e8 := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d %s e8=%t", window, name, e8), func(t *testing.T) {
					opt := lzxenc.Options{Level: lzxenc.Fast, Blocks: blocks, E8: e8}
					testRoundTrip(t, window, opt, content)
				})
			}
		}
	}
}

// As above, on content larger than the window.
func TestRoundTripBeyondWindow(t *testing.T) {
	for _, window := range []int{15, 17, 19} {
		t.Run(fmt.Sprint(window), func(t *testing.T) {
			content := program(rand.New(rand.NewPCG(9, 9)), 1<<window+100*1000)
			testRoundTrip(t, window, lzxenc.Options{Blocks: lzxenc.Auto, E8: true}, content)
		})
	}
}

func testRoundTrip(t *testing.T, window int, opt lzxenc.Options, content []byte) {
	var frames [][]byte
	e := lzxenc.NewEncoder(window, opt)
	for rest := content; len(rest) > 0; {
		n := min(len(rest), lzxenc.GroupFrames*FrameSize)
		err := e.Frames(rest[:n], func(frame []byte, _ int) error {
			frames = append(frames, append([]byte(nil), frame...))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	d, err := NewDecoder(window)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeAll(d, frames, len(content))
	if err != nil {
		t.Fatal(err)
	}
	if i := firstDifference(got, content); i >= 0 {
		t.Fatalf("differs from byte %d on", i)
	}
}
