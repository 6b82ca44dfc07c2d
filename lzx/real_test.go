package lzx

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"waptwua/internal/fixture"
)

// folderFrames returns the frames of the first folder of a cabinet with one
// folder, and their content's size. (Package cab would import this one.)
func folderFrames(tb testing.TB, cabinet []byte) (frames [][]byte, size int) {
	tb.Helper()
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(cabinet[at:])) }
	at := 36
	if u16(30)&4 != 0 {
		at += 4 + u16(36)
	}
	blocks := u16(at + 4)
	if method := u16(at + 6); method != 0x1503 {
		tb.Fatalf("the folder's method is %#x, want LZX:21", method)
	}
	at = int(binary.LittleEndian.Uint32(cabinet[at:]))
	for range blocks {
		n := u16(at + 4)
		size += u16(at + 6)
		frames = append(frames, cabinet[at+8:at+8+n])
		at += 8 + n
	}
	return frames, size
}

// innerCabinet returns the scan archive's package.cab, which is the only file
// of the outer cabinet.
func innerCabinet(tb testing.TB) []byte {
	tb.Helper()
	frames, size := folderFrames(tb, fixture.Read(tb, "offline-scan-2011/WSUSSCAN.cab"))
	d, err := NewDecoder(21)
	if err != nil {
		tb.Fatal(err)
	}
	out, err := decodeAll(d, frames, size)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// Microsoft's archive: the compressed inner cabinet is the content of the
// outer one, so that the outer's faults would be the inner's. (Package cab
// compares the files with what other programs extract.)
func TestRealArchive(t *testing.T) {
	frames, size := folderFrames(t, innerCabinet(t))
	d, _ := NewDecoder(21)
	out, err := decodeAll(d, frames, size)
	if err != nil {
		t.Fatal(err)
	}
	if len(frames) != 112 || len(out) != 3649665 {
		t.Errorf("%d frames of %d bytes, want 112 of 3649665", len(frames), len(out))
	}
}

func benchmarkFrames(b *testing.B, window int, frames [][]byte, size int) {
	d, err := NewDecoder(window)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, FrameSize)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		d.Reset()
		left := size
		for _, f := range frames {
			n := min(left, FrameSize)
			if err := d.Frame(dst[:n], f); err != nil {
				b.Fatal(err)
			}
			left -= n
		}
	}
}

// XML at about 10:1, as in the scan archive's shards.
func BenchmarkDecodeMetadata(b *testing.B) {
	frames, size := folderFrames(b, innerCabinet(b))
	benchmarkFrames(b, 21, frames, size)
}

// An LZX cabinet compressed again: nearly literals only.
func BenchmarkDecodeIncompressible(b *testing.B) {
	frames, size := folderFrames(b, fixture.Read(b, "offline-scan-2011/WSUSSCAN.cab"))
	benchmarkFrames(b, 21, frames, size)
}

// Every element of the format, in small blocks.
func BenchmarkDecodeRandom(b *testing.B) {
	for _, window := range []int{15, 21} {
		b.Run(fmt.Sprint(window), func(b *testing.B) {
			s := randomStream(rand.New(rand.NewPCG(7, 7)), window, 4<<20)
			benchmarkFrames(b, window, s.frames, len(s.content))
		})
	}
}
