package lzxenc

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// compressed returns the number of bytes that the frames of src take.
func compressed(t testing.TB, e *Encoder, src []byte) (n int) {
	e.Reset()
	for len(src) > 0 {
		group := src[:min(len(src), GroupFrames*FrameSize)]
		src = src[len(group):]
		err := e.Frames(group, func(frame []byte, _ int) error {
			n += len(frame)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func BenchmarkFrames(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	text, random := fragments(rng, 8<<20), noise(rng, 8<<20)
	for _, c := range []struct {
		name  string
		level Level
		src   []byte
	}{{"xml/fast", Fast, text}, {"xml/default", Default, text}, {"xml/best", Best, text}, {"noise/default", Default, random}} {
		for _, window := range []int{15, 21} {
			b.Run(fmt.Sprintf("%s/%d", c.name, window), func(b *testing.B) {
				e := NewEncoder(window, Options{Level: c.level})
				b.SetBytes(int64(len(c.src)))
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					n = compressed(b, e, c.src)
				}
				b.ReportMetric(float64(len(c.src))/float64(n), "ratio")
			})
		}
	}
}
