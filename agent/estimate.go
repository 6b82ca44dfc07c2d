package agent

import (
	"sync"
	"sync/atomic"
	"time"

	"waptwua/wua"
)

// A search by WUA tells no more than that it has begun. How far it may be is
// estimated from how long the last one took.
const (
	firstScan     = 5 * time.Minute // expected where there was none
	mostEstimated = 95              // percent: an estimate does not say that a search has ended
	estimateEvery = time.Second
)

// estimated is how many percent of a search are done.
func estimated(spent, last time.Duration) int {
	if last <= 0 {
		last = firstScan
	}
	return int(mostEstimated * min(max(spent, 0), last) / last)
}

// estimate tells how far a search may be, until stop is called or WUA tells
// more than its beginning itself (told).
func (op *operation) estimate(last time.Duration) (told func(wua.Progress), stop func()) {
	var mu sync.Mutex // Progress is told one thing after the other
	tell := func(percent int) {
		mu.Lock()
		defer mu.Unlock()
		op.opt.Progress(Progress{Operation: "scan", Done: int64(percent), Total: 100})
	}
	begun, ended := op.now(), make(chan struct{})
	var known atomic.Bool
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(estimateEvery)
		defer tick.Stop()
		for !known.Load() {
			select {
			case <-ended:
				return
			case <-tick.C:
				tell(estimated(op.now().Sub(begun), last))
			}
		}
	})
	told = func(p wua.Progress) {
		known.Store(p.Percent > 0)
		tell(p.Percent)
	}
	return told, func() { close(ended); running.Wait() }
}
