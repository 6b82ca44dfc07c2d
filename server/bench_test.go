package server_test

import (
	"fmt"
	"testing"

	"waptwua"
	"waptwua/transport"
)

// BenchmarkIngestWhole takes whole reports of 300 updates, as after the
// enrolment of a fleet; BenchmarkIngestDelta the change of one update.
func BenchmarkIngestWhole(b *testing.B) { benchmarkIngest(b, true) }
func BenchmarkIngestDelta(b *testing.B) { benchmarkIngest(b, false) }

func benchmarkIngest(b *testing.B, whole bool) {
	r := newRig(b)
	r.archive.publish(1, 1)
	r.enrolled(b, uuidA)
	state := func(n int) *transport.State {
		us := make([]waptwua.OnHost, 300)
		for i := range us {
			us[i] = onHost(i, waptwua.StatusOK, waptwua.Allowed)
		}
		us[0].Verdict.Detail = fmt.Sprint(n)
		return r.state(uuidA, us...)
	}
	held := state(0)
	r.report(b, nil, held, 1)
	b.ResetTimer()
	for n := range b.N {
		next, base := state(n+1), held
		if whole {
			base = nil
		}
		if ack := r.report(b, base, next, uint64(n+2)); ack.NeedFull {
			b.Fatal("the server asks for everything")
		}
		held = next
	}
}
