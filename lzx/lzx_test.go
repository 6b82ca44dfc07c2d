package lzx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// decodeAll decodes the frames of a stream of size bytes.
func decodeAll(d *Decoder, frames [][]byte, size int) ([]byte, error) {
	out := make([]byte, 0, size)
	for _, f := range frames {
		n := min(FrameSize, size-len(out))
		out = out[:len(out)+n]
		if err := d.Frame(out[len(out)-n:], f); err != nil {
			return out, err
		}
	}
	return out, nil
}

func TestRandomStreams(t *testing.T) {
	for window := MinWindow; window <= MaxWindow; window++ {
		t.Run(fmt.Sprint(window), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(window)))
			d, err := NewDecoder(window)
			if err != nil {
				t.Fatal(err)
			}
			// Once through the ring and into it again; then a short stream
			// with the same decoder.
			for _, total := range []int{1<<window + 3*FrameSize + 1235, 2*FrameSize + 1, 3} {
				s := randomStream(r, window, total)
				d.Reset()
				got, err := decodeAll(d, s.frames, total)
				if err != nil {
					t.Fatalf("%d bytes: %v", total, err)
				}
				if i := firstDifference(got, s.content); i >= 0 {
					t.Fatalf("%d bytes: differ from byte %d on", total, i)
				}
			}
		})
	}
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	return -1
}

// A block that ends, or lasts, exactly where the frame does, in every
// combination of an uncompressed block's odd parts.
func TestUncompressedAcrossFrames(t *testing.T) {
	for _, before := range []int{0, 1, 2, 5, 6} {
		for _, after := range []int{0, 1, 2, 5, 6} {
			for _, padInNext := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d+%d %t", before, after, padInNext), func(t *testing.T) {
					testUncompressedAcrossFrames(t, before, after, padInNext)
				})
			}
		}
	}
}

func testUncompressedAcrossFrames(t *testing.T, before, after int, padInNext bool) {
	r := rand.New(rand.NewPCG(2, 2))
	s := newStream(15)
	s.noE8()
	s.header(verbatimBlock, FrameSize-before, false)
	s.randomSymbols(r, FrameSize-before)
	size := before + after
	pad := func() {
		if size%2 == 1 {
			s.padRaw()
		}
	}
	if before > 0 {
		s.rawHeader(size)
		s.raw(randomBytes(r, before))
		if after == 0 && !padInNext {
			pad()
		}
	}
	s.endFrame()
	if before == 0 {
		s.rawHeader(size)
	}
	s.raw(randomBytes(r, after))
	if after > 0 || before > 0 && padInNext {
		pad()
	}
	s.header(alignedBlock, 500, true)
	s.randomSymbols(r, FrameSize+after+500)
	s.endFrame()
	if before == 0 && after == 0 {
		t.Skip("no uncompressed block")
	}

	d, _ := NewDecoder(15)
	got, err := decodeAll(d, s.frames, len(s.content))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, s.content) {
		t.Fatalf("differ from byte %d on", firstDifference(got, s.content))
	}
}

func TestTranslation(t *testing.T) {
	call := func(target int32) []byte {
		return binary.LittleEndian.AppendUint32([]byte{callOpcode}, uint32(target))
	}
	at := func(size, i int, b []byte) []byte {
		f := bytes.Repeat([]byte{0x90}, size)
		copy(f[i:], b)
		return f
	}
	const gib = translatedFrames * FrameSize
	tests := []struct {
		name       string
		start      int64
		fileSize   int32
		frame, own []byte
	}{
		{"a call, from the stream's start", 0, 1000, at(64, 20, call(100)), at(64, 20, call(80))},
		{"a call in a later frame", FrameSize, 100000, at(64, 20, call(100)), at(64, 20, call(100-FrameSize-20))},
		{"backwards", 0, 1000, at(64, 20, call(-5)), at(64, 20, call(995))},
		{"backwards as far as the start", 0, 1000, at(64, 20, call(-20)), at(64, 20, call(980))},
		{"backwards beyond the start", 0, 1000, at(64, 20, call(-21)), at(64, 20, call(-21))},
		{"the last byte of the file", 0, 1000, at(64, 20, call(999)), at(64, 20, call(979))},
		{"beyond the file", 0, 1000, at(64, 20, call(1000)), at(64, 20, call(1000))},
		{"not translated", 0, 0, at(64, 20, call(100)), at(64, 20, call(100))},
		{"the last place in a frame", 0, 1000, at(64, 53, call(100)), at(64, 53, call(47))},
		{"ten bytes before its end", 0, 1000, at(64, 54, call(100)), at(64, 54, call(100))},
		{"a frame of ten bytes", 0, 1000, at(10, 0, call(100)), at(10, 0, call(100))},
		{"a frame of eleven bytes", 0, 1000, at(11, 0, call(100)), at(11, 0, call(100))},
		{"an operand that looks like a call", 0, 1 << 30, at(64, 20, call(0xe8)), at(64, 20, call(0xe8-20))},
		{"the last translated frame", gib - FrameSize, 1 << 30, at(64, 0, call(1)), at(64, 0, call(1-(gib-FrameSize)))},
		{"the first that is not", gib, 1 << 30, at(64, 0, call(1)), at(64, 0, call(1))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := translation{fileSize: tt.fileSize, position: tt.start}
			e.undo(tt.frame)
			if !bytes.Equal(tt.frame, tt.own) {
				t.Errorf("got  % x\nwant % x", tt.frame, tt.own)
			}
			if want := tt.start + int64(len(tt.frame)); e.position != want {
				t.Errorf("position %d, want %d", e.position, want)
			}
		})
	}
}

// The window keeps what the stream says, not what the translation makes of it.
func TestTranslationLeavesTheWindow(t *testing.T) {
	s := newStream(15)
	s.e8(5000)
	s.header(verbatimBlock, 60, false)
	for _, b := range []byte{callOpcode, 100, 0, 0, 0, 7, 7, 7, 7, 7} {
		s.literal(b)
	}
	s.match(50, 10)
	s.endFrame()
	d, _ := NewDecoder(15)
	got, err := decodeAll(d, s.frames, 60)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 50; i += 10 {
		if want := byte(100 - i); got[i+1] != want {
			t.Errorf("the call at %d goes to %d, want %d", i, got[i+1], want)
		}
	}
	if got[51] != 100 {
		t.Errorf("the call ten bytes from the end was changed to %d", got[51])
	}
}

func TestRunsOfLengths(t *testing.T) {
	s := newStream(15)
	s.noE8()
	s.put(verbatimBlock, 3)
	s.put(4, 24)
	pretree := flat(numPretree, false)
	codes := canonical(pretree)
	code := func(c int) { s.put(codes[c], uint(pretree[c])) }
	tree := func() {
		for _, n := range pretree {
			s.put(uint32(n), 4)
		}
	}
	tree() // literals: 'a' to 'd' by a run, the others by zeros beyond the end
	zeros := func(n int) {
		for ; n >= 20; n -= min(n, 51) {
			code(18)
			s.put(uint32(min(n, 51)-20), 5)
		}
		for ; n >= 4; n -= min(n, 19) {
			code(17)
			s.put(uint32(min(n, 19)-4), 4)
		}
		for range n {
			code(0)
		}
	}
	zeros('a')
	code(19)
	s.put(0, 1)
	code(17 - 2)
	zeros(numLiterals - 'a' - 4 - 10)
	code(18)
	s.put(31, 5) // 51 symbols where 10 are left
	tree()
	zeros(len(s.main) - numLiterals)
	tree()
	zeros(numLengths) // no lengths at all
	for _, c := range []uint32{0, 3, 1, 2} {
		s.put(c, 2)
	}
	s.endFrame()
	d, _ := NewDecoder(15)
	got := make([]byte, 4)
	if err := d.Frame(got, s.frames[0]); err != nil {
		t.Fatal(err)
	}
	if string(got) != "adbc" {
		t.Errorf("got %q, want %q", got, "adbc")
	}
}

func TestMalformed(t *testing.T) {
	tests := []struct {
		name string
		size int
		make func(s *stream)
		want string
	}{
		{"no input", 1, func(s *stream) {}, cutOff},
		{"block type 0", 1, func(s *stream) { s.noE8(); s.put(0, 3+24) }, "block of type 0"},
		{"block type 4", 1, func(s *stream) { s.noE8(); s.put(4, 3); s.put(0, 24) }, "block of type 4"},
		{"incomplete aligned tree", 1, func(s *stream) {
			s.noE8()
			s.put(alignedBlock, 3)
			s.put(1, 24)
			s.put(1, 3)
			s.put(0, 7*3)
		}, "aligned offset tree leaves codes"},
		{"empty pretree", 1, func(s *stream) {
			s.noE8()
			s.put(verbatimBlock, 3)
			s.put(1, 24)
			s.put(0, 4*numPretree)
		}, "empty pretree"},
		{"oversubscribed pretree", 1, func(s *stream) {
			s.noE8()
			s.put(verbatimBlock, 3)
			s.put(1, 24)
			for range numPretree {
				s.put(1, 4)
			}
		}, "more codes than fit"},
		{"repeated code that is no length", 1, func(s *stream) {
			s.noE8()
			s.put(verbatimBlock, 3)
			s.put(1, 24)
			pretree := flat(numPretree, false)
			codes := canonical(pretree)
			for _, n := range pretree {
				s.put(uint32(n), 4)
			}
			s.put(codes[19], uint(pretree[19]))
			s.put(0, 1)
			s.put(codes[18], uint(pretree[18]))
		}, "repeats code 18"},
		{"incomplete main tree", 1, func(s *stream) {
			s.noE8()
			s.put(verbatimBlock, 3)
			s.put(1, 24)
			lengths := make([]uint8, len(s.main))
			lengths['a'] = 1
			s.tree(s.main, lengths, numLiterals)
		}, "main tree leaves codes"},
		{"length from an empty tree", 20, func(s *stream) {
			s.noE8()
			s.put(verbatimBlock, 3)
			s.put(20, 24)
			s.tree(s.main, flat(len(s.main), false), numLiterals)
			s.tree(s.length, make([]uint8, numLengths), numLengths)
			s.mainCodes = canonical(s.main)
			s.literal('a')
			s.lengthCodes = make([]uint32, numLengths)
			s.repeat(12, 0)
		}, "empty tree"},
		{"match before the start", 20, func(s *stream) {
			s.noE8()
			s.header(verbatimBlock, 20, false)
			s.content = make([]byte, 10) // where stream.copy finds it
			s.literal('a')
			s.match(4, 2)
		}, "before the start"},
		{"match beyond the block", 20, func(s *stream) {
			s.noE8()
			s.header(verbatimBlock, 10, false)
			s.literal('a')
			s.match(10, 1)
		}, "beyond the end of its block"},
		{"match beyond the frame", 20, func(s *stream) {
			s.noE8()
			s.header(verbatimBlock, 100, false)
			s.literal('a')
			s.match(20, 1)
		}, "beyond the end of its block or frame"},
		{"as before, of bytes that are not there", 20, func(s *stream) {
			s.noE8()
			s.header(verbatimBlock, 100, false)
			s.literal('a')
			s.match(20, 1)
			s.align()
			s.out = s.out[:len(s.out)-4]
		}, cutOff},
		{"offset 0 from an uncompressed block", 20, func(s *stream) {
			s.noE8()
			s.recent = [3]int{0, 1 << 20, 1}
			s.rawHeader(10)
			s.raw(make([]byte, 10))
			s.header(verbatimBlock, 10, false)
			s.matchHead(5, 0)
		}, "before the start"},
		{"offset beyond the window from an uncompressed block", 20, func(s *stream) {
			s.noE8()
			s.recent = [3]int{1, 1 << 20, 1}
			s.rawHeader(10)
			s.raw(make([]byte, 10))
			s.header(verbatimBlock, 10, false)
			s.matchHead(5, 1)
		}, "before the start"},
		{"header of an uncompressed block cut off", 20, func(s *stream) {
			s.noE8()
			s.rawHeader(10)
			s.out = s.out[:len(s.out)-1]
		}, cutOff},
		{"uncompressed block cut off", 20, func(s *stream) {
			s.noE8()
			s.rawHeader(20)
			s.raw(make([]byte, 19))
		}, cutOff},
		{"symbols cut off", 2000, func(s *stream) {
			s.noE8()
			s.header(verbatimBlock, 2000, false)
			for range 20 {
				s.literal('a')
			}
		}, cutOff},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStream(15)
			tt.make(s)
			s.endFrame()
			d, _ := NewDecoder(15)
			err := d.Frame(make([]byte, tt.size), s.frames[0])
			var fe *FormatError
			if !errors.As(err, &fe) || !errors.Is(err, ErrFormat) {
				t.Fatalf("error %v, want a FormatError", err)
			}
			if !strings.Contains(fe.Msg, tt.want) {
				t.Errorf("error %q, want one with %q", fe.Msg, tt.want)
			}
			if again := d.Frame(make([]byte, 1), nil); again != err {
				t.Errorf("the next call returns %v, want the same error", again)
			}
		})
	}
}

func TestFrameArguments(t *testing.T) {
	good := newStream(15)
	good.noE8()
	good.header(verbatimBlock, 100, false)
	for range 100 {
		good.literal('a')
	}
	good.endFrame()
	frame := good.frames[0]
	tests := []struct {
		name     string
		dst, src int // sizes of a first frame, 0: none
		size     int // content of the frame tried
		input    []byte
		want     string
	}{
		{"no content", 0, 0, 0, frame, "a frame of 0 bytes"},
		{"too much content", 0, 0, FrameSize + 1, frame, "a frame of 32769 bytes"},
		{"too much input", 0, 0, 100, make([]byte, MaxFrameInput+1), "38913 compressed bytes"},
		{"after a short frame", 50, len(frame), 50, nil, "a frame after a frame of less"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := NewDecoder(15)
			if tt.dst > 0 {
				if err := d.Frame(make([]byte, tt.dst), frame[:tt.src]); err != nil {
					t.Fatal(err)
				}
			}
			err := d.Frame(make([]byte, tt.size), tt.input)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// What is left over matters only to a frame that follows.
func TestInputLeftOver(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	s := newStream(15)
	s.noE8()
	s.header(verbatimBlock, 2*FrameSize, false)
	s.randomSymbols(r, FrameSize-1)
	s.literal(0)
	s.endFrame()
	for _, n := range []int{1, 2, 40} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			in := append(bytes.Clone(s.frames[0]), make([]byte, n)...)
			d, _ := NewDecoder(15)
			got := make([]byte, FrameSize)
			if err := d.Frame(got, in); err != nil || !bytes.Equal(got, s.content) {
				t.Fatalf("error %v, or other content", err)
			}
			if err := d.Frame(got, in); !errors.Is(err, ErrFormat) {
				t.Errorf("the next frame gives %v, want ErrFormat", err)
			}
		})
	}
}

func TestNewDecoder(t *testing.T) {
	for window := -1; window < 40; window++ {
		d, err := NewDecoder(window)
		if ok := window >= MinWindow && window <= MaxWindow; ok != (err == nil) {
			t.Errorf("window %d: error %v", window, err)
		}
		if err == nil && d.Window() != window {
			t.Errorf("window %d reads back as %d", window, d.Window())
		}
	}
}

func TestFrameAllocatesNothing(t *testing.T) {
	s := randomStream(rand.New(rand.NewPCG(4, 4)), 16, 4*FrameSize)
	d, _ := NewDecoder(16)
	dst := make([]byte, FrameSize)
	allocs := testing.AllocsPerRun(10, func() {
		d.Reset()
		for _, f := range s.frames {
			if err := d.Frame(dst, f); err != nil {
				t.Fatal(err)
			}
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations for %d frames", allocs, len(s.frames))
	}
}
