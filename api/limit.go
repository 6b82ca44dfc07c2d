package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"waptwua"
)

var (
	errTooMany = fmt.Errorf("too many failed attempts; wait a minute: %w", waptwua.ErrLimit)
	errBusy    = errors.New("the server is busy")
)

// failures slows down whoever fails too often: after burst failures one more
// each interval. Success costs nothing, so that a fleet behind one address
// can enrol at once.
type failures struct {
	burst    int
	interval time.Duration
	now      func() time.Time

	mu sync.Mutex
	by map[string]*rate.Limiter
}

// maxFailures bounds the memory for those who failed.
const maxFailures = 10_000

func newFailures(burst int, interval time.Duration, now func() time.Time) *failures {
	return &failures{burst: burst, interval: interval, now: now, by: map[string]*rate.Limiter{}}
}

// allow returns errTooMany while one of keys has failed too often.
func (f *failures) allow(keys ...string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range keys {
		if l := f.by[k]; l != nil && l.TokensAt(f.now()) < 1 {
			return fmt.Errorf("%w", errTooMany)
		}
	}
	return nil
}

// count notes a failure of each key.
func (f *failures) count(keys ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.by) >= maxFailures {
		f.forget()
	}
	for _, k := range keys {
		l := f.by[k]
		if l == nil {
			l = rate.NewLimiter(rate.Every(f.interval), f.burst)
			f.by[k] = l
		}
		l.AllowN(f.now(), 1)
	}
}

// forget drops those who have not failed for long, or everybody when all
// have: then an attack with many addresses is on, which this cannot stop.
func (f *failures) forget() {
	for k, l := range f.by {
		if l.TokensAt(f.now()) >= float64(f.burst) {
			delete(f.by, k)
		}
	}
	if len(f.by) >= maxFailures {
		clear(f.by)
	}
}

// gate lets a number of requests through at a time; others wait a little.
type gate struct {
	slots chan struct{}
	wait  time.Duration
}

func newGate(n int, wait time.Duration) *gate {
	return &gate{slots: make(chan struct{}, n), wait: wait}
}

// enter returns errBusy when no slot came free in time. After nil the
// caller calls leave.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	t := time.NewTimer(g.wait)
	defer t.Stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-t.C:
		return fmt.Errorf("%w", errBusy)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) leave() { <-g.slots }

// remote is the address of the peer without its port. Headers of proxies are
// not believed.
func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
