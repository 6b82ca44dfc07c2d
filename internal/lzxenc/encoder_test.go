package lzxenc

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
	"waptwua/lzx"
)

// encode returns the frames of src; group is how many are given at once, 1
// meaning Frame.
func encode(e *Encoder, src []byte, group int) (frames [][]byte) {
	for len(src) > 0 {
		part := src[:min(len(src), group*FrameSize)]
		src = src[len(part):]
		if group == 1 {
			frames = append(frames, e.Frame(nil, part))
			continue
		}
		_ = e.Frames(part, func(frame []byte, _ int) error {
			frames = append(frames, bytes.Clone(frame))
			return nil
		})
	}
	return frames
}

// decode returns what the frames of size bytes hold.
func decode(window int, frames [][]byte, size int) ([]byte, error) {
	d, err := lzx.NewDecoder(window)
	if err != nil {
		return nil, err
	}
	out := make([]byte, size)
	rest := out
	for i, frame := range frames {
		if len(frame) > MaxFrame {
			return nil, fmt.Errorf("frame %d has %d bytes, more than %d", i, len(frame), MaxFrame)
		}
		part := rest[:min(FrameSize, len(rest))]
		rest = rest[len(part):]
		if err := d.Frame(part, frame); err != nil {
			return nil, fmt.Errorf("frame %d: %w", i, err)
		}
	}
	return out, nil
}

// content draws bytes made of text, noise, runs, calls, and repetitions.
func content(t *rapid.T) []byte {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	var b []byte
	for range rapid.IntRange(1, 6).Draw(t, "parts") {
		n := rapid.IntRange(1, 60000).Draw(t, "size")
		switch rapid.SampledFrom([]string{"text", "noise", "run", "calls", "again"}).Draw(t, "part") {
		case "text":
			b = append(b, fragments(rng, n)...)
		case "noise":
			b = append(b, noise(rng, n)...)
		case "run":
			b = append(b, bytes.Repeat([]byte{byte(n)}, n)...)
		case "calls":
			b = append(b, bytes.Repeat([]byte{0xE8, byte(n), byte(n >> 8), 0, 0, 0x90}, 1+n/6)...)
		case "again":
			b = append(b, b[:min(n, len(b))]...)
		}
	}
	return append(b, '.')
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.IntRange(MinWindow, MaxWindow).Draw(t, "window")
		opt := Options{
			Level:      rapid.SampledFrom([]Level{Default, Fast, Best}).Draw(t, "level"),
			Blocks:     rapid.SampledFrom([]Blocks{Auto, Verbatim, Aligned, Uncompressed, Mixed}).Draw(t, "blocks"),
			E8:         rapid.Bool().Draw(t, "e8"),
			E8FileSize: rapid.Int32Min(0).Draw(t, "e8 file size"),

			WholeWindow: rapid.Bool().Draw(t, "whole window"),
		}
		group := rapid.IntRange(1, GroupFrames).Draw(t, "group")
		src := content(t)
		got, err := decode(window, encode(NewEncoder(window, opt), src, group), len(src))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, src) {
			t.Fatal("decoded bytes differ")
		}
	})
}

// What an encoder writes after Reset does not depend on what it wrote before.
func TestResetIsANewEncoder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	first, second := append(fragments(rng, 500000), noise(rng, 99)...), fragments(rng, 400001)
	for _, level := range []Level{Default, Fast, Best} {
		t.Run(fmt.Sprint(level), func(t *testing.T) {
			used := NewEncoder(15, Options{Level: level, Blocks: Mixed})
			encode(used, first, GroupFrames)
			used.Reset()
			got := encode(used, second, GroupFrames)
			want := encode(NewEncoder(15, Options{Level: level, Blocks: Mixed}), second, GroupFrames)
			if !bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) {
				t.Error("a new encoder writes other bytes")
			}
		})
	}
}

// Positions start again before they overflow.
func TestResetAfterTwoGigabytes(t *testing.T) {
	src := fragments(rand.New(rand.NewPCG(3, 4)), 100000)
	e := NewEncoder(16, Options{})
	want := bytes.Join(encode(e, src, GroupFrames), nil)
	e.search.base = 1<<31 + 5
	e.Reset()
	if e.search.base != 1 {
		t.Errorf("positions go on at %d, want 1", e.search.base)
	}
	if got := bytes.Join(encode(e, src, GroupFrames), nil); !bytes.Equal(got, want) {
		t.Error("the encoder writes other bytes")
	}
}

// A frame of noise among text would be blown up by a code made for the text.
func TestFrameNeverExceedsLimit(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	text := bytes.Repeat([]byte("Windows Update "), 7*FrameSize/15)
	src := append(text, noise(rng, 3*FrameSize)...)
	for _, kinds := range []Blocks{Auto, Verbatim, Aligned, Uncompressed, Mixed} {
		t.Run(fmt.Sprint(kinds), func(t *testing.T) {
			frames := encode(NewEncoder(21, Options{Blocks: kinds}), src, GroupFrames)
			got, err := decode(21, frames, len(src))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, src) {
				t.Error("decoded bytes differ")
			}
		})
	}
}

// twice is noise, and the same again so many bytes after its begin.
func twice(offset int) []byte {
	block := noise(rand.New(rand.NewPCG(uint64(offset), 8)), 600)
	return append(append(bytes.Clone(block), make([]byte, offset-len(block))...), block...)
}

// Offsets reach as far back as they may, and not a byte further.
func TestOffsetsReachTheWindow(t *testing.T) {
	for window := MinWindow; window <= MaxWindow; window++ {
		for _, whole := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d whole=%t", window, whole), func(t *testing.T) {
				largest := 1<<window - 4
				if whole {
					largest++
				}
				used := sizeTwice(t, window, whole, largest)
				if unused := sizeTwice(t, window, whole, largest+1); used+400 > unused {
					t.Errorf("%d bytes with the largest offset, %d with one more: it was not used", used, unused)
				}
			})
		}
	}
}

// sizeTwice returns how many bytes twice(offset) takes, once they are found to
// decode to it.
func sizeTwice(t *testing.T, window int, whole bool, offset int) int {
	t.Helper()
	src := twice(offset)
	frames := encode(NewEncoder(window, Options{WholeWindow: whole}), src, GroupFrames)
	got, err := decode(window, frames, len(src))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, src) {
		t.Fatalf("offset %d: decoded bytes differ", offset)
	}
	return len(bytes.Join(frames, nil))
}

// When blocks of their own hardly pay, a frame of noise shares a code in which
// its bytes are rare, and does not fit: then each frame gets its own block.
func TestSecondPassSplitsByFrame(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	src := noise(rng, GroupFrames*FrameSize)
	for i := range src[FrameSize:] {
		src[i] %= 16
	}
	e := NewEncoder(15, Options{Blocks: Verbatim})
	e.splitBits = 1 << 40
	e.search.push(src)
	e.parse(len(src))
	e.mergePieces()
	e.writeBlocks(len(src), Verbatim)
	if len(e.blocks) != 1 || e.fits(len(src)) {
		t.Fatalf("%d blocks fit, want one that does not", len(e.blocks))
	}

	e.Reset()
	got, err := decode(15, encode(e, src, GroupFrames), len(src))
	if err != nil {
		t.Fatal(err)
	}
	if len(e.blocks) != GroupFrames {
		t.Errorf("%d blocks, want one for each of %d frames", len(e.blocks), GroupFrames)
	}
	if !bytes.Equal(got, src) {
		t.Error("decoded bytes differ")
	}
}

func TestEmitErrorIsReturned(t *testing.T) {
	want := errors.New("disk full")
	err := NewEncoder(15, Options{}).Frames([]byte("x"), func([]byte, int) error { return want })
	if err != want {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestMisuse(t *testing.T) {
	frame := make([]byte, FrameSize)
	nothing := func([]byte, int) error { return nil }
	for name, misuse := range map[string]func(){
		"small window": func() { NewEncoder(14, Options{}) },
		"large window": func() { NewEncoder(22, Options{}) },
		"empty frame":  func() { NewEncoder(15, Options{}).Frame(nil, nil) },
		"long frame":   func() { NewEncoder(15, Options{}).Frame(nil, append(frame, 1)) },
		"long group": func() {
			_ = NewEncoder(15, Options{}).Frames(make([]byte, GroupFrames*FrameSize+1), nothing)
		},
		"after the last": func() {
			e := NewEncoder(15, Options{})
			e.Frame(nil, frame[:100])
			e.Frame(nil, frame)
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			misuse()
		})
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	src := append(fragments(rng, 200000), noise(rng, GroupFrames*FrameSize-200000)...)
	e := NewEncoder(17, Options{})
	frames := func() {
		if err := e.Frames(src, func([]byte, int) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	frames()
	if n := testing.AllocsPerRun(5, frames); n > 0 {
		t.Errorf("%v allocations in a group of frames", n)
	}
}
