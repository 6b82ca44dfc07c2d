package agent_test

import (
	"context"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/agenttest"
	"waptwua/wua"
)

// slow is a host whose search takes until somebody lets it go on.
type slow struct {
	*agenttest.Host
	during func()
}

func (s slow) Search(ctx context.Context, q wua.Query) (*wua.Found, error) {
	q.Progress(wua.Progress{})
	s.during()
	return s.Host.Search(ctx, q)
}

// While WUA says nothing, a search comes on as the last one did.
func TestProgressOfASearch(t *testing.T) {
	r := newRig(t)
	r.register()
	r.offer(1, waptwua.Update{})
	told := make(chan int64, 1000)
	took := 40 * time.Minute
	host := slow{Host: r.host}
	r.change = func(o *agent.Options) {
		o.WUA = host
		o.Progress = func(p agent.Progress) {
			if p.Operation == "scan" {
				told <- p.Done
			}
		}
	}
	host.during = func() { r.clock.Advance(took) }
	r.scan()
	for len(told) > 0 {
		<-told
	}
	host.during = func() {
		<-told // its beginning
		for _, want := range []int64{47, 95, 95} {
			r.clock.Advance(took / 2)
			for got := int64(-1); got != want; {
				if got = <-told; got > want {
					t.Errorf("%d %%, want %d", got, want)
					return
				}
			}
		}
	}
	r.scan()
}
