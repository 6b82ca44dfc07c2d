package winsvc

import (
	"context"
	"errors"
	"time"
)

// Work is what a service does.
type Work struct {
	// Run works until ctx ends, or until Drain was called. An error makes the
	// SCM start the service again.
	Run func(ctx context.Context) error
	// Drain asks Run to finish what it is doing and to return. nil: Run's
	// context ends instead.
	Drain func()
	// AtShutdown is done before Windows shuts down; ctx ends when the time for
	// it is over. nil: nothing is.
	AtShutdown func(ctx context.Context) error
	// Limit is the time for Drain and AtShutdown together, asked for when
	// Windows shuts down. Needed with AtShutdown or Drain.
	Limit func() time.Duration
	// Close is called when all of that has ended, before the SCM is told that
	// the service has stopped: who has waited for the stop, such as an
	// installer, then finds nothing left behind. Not after ErrHung. May be nil.
	Close func()
}

// StopLimit is the time that Run has to return after a stop, and Parting what
// Windows should wait at a shutdown beyond Work.Limit.
const (
	StopLimit = 20 * time.Second
	Parting   = 3 * StopLimit
)

// pulse is how often the SCM is told that a stopping service is alive, and
// patience how much later it may expect the next sign.
const (
	pulse    = 2 * time.Second
	patience = 10 * time.Second
)

// control is what the SCM asks of a service.
type control int

const (
	stop control = iota
	preShutdown
)

// report is what the service tells the SCM. Beat counts up while it stops.
type report struct {
	state State
	beat  uint32
	hint  time.Duration // until the next beat, at the latest
}

// clock makes the two timers of serve; tests have their own.
type clock interface {
	// Every sends every d until stop is called.
	Every(d time.Duration) (ticks <-chan time.Time, stop func())
	// After ends the context that it returns after d.
	After(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
}

// ErrHung says that the work did not end in time: its goroutine still runs,
// and the process should end without waiting for anything.
var ErrHung = errors.New("the work did not end in time")

// serve does the work and obeys controls until the work has ended. It returns
// what Run returned, and whether the SCM had asked for the end: then an error
// is no reason to start the service again. What AtShutdown returns is that
// function's own business.
func serve(ctx context.Context, w Work, clk clock, controls <-chan control, tell func(report)) (asked bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() {
		if w.Close != nil && !errors.Is(err, ErrHung) {
			w.Close()
		}
	}()
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	tell(report{state: Running})
	select {
	case err := <-ended:
		return false, err
	case c := <-controls:
		p := &parting{work: w, clock: clk, controls: controls, tell: tell, cancel: cancel, ended: ended}
		if c == preShutdown {
			return true, p.shutdown()
		}
		return true, p.stop()
	}
}

// parting is a service on its way out.
type parting struct {
	work     Work
	clock    clock
	controls <-chan control
	tell     func(report)
	cancel   context.CancelFunc // ends Run
	ended    <-chan error       // of Run
	beat     uint32
}

// stop ends Run, and waits for it no longer than StopLimit.
func (p *parting) stop() error {
	p.cancel()
	limit, done := p.clock.After(context.Background(), StopLimit)
	defer done()
	return p.await(limit, p.ended, nil)
}

// shutdown lets Run finish and does what is to be done before the shutdown.
func (p *parting) shutdown() error {
	limit, done := p.clock.After(context.Background(), p.work.Limit())
	defer done()
	if p.work.Drain == nil {
		p.cancel()
	} else {
		p.work.Drain()
	}
	err := p.await(limit, p.ended, done)
	if errors.Is(err, ErrHung) {
		return p.stop()
	}
	if p.work.AtShutdown == nil {
		return err
	}
	last := make(chan error, 1)
	go func() { last <- p.work.AtShutdown(limit) }()
	if errors.Is(p.await(limit, last, done), ErrHung) {
		p.ended = last // it has seen its context end; it has StopLimit to return
		if errors.Is(p.stop(), ErrHung) {
			return ErrHung
		}
	}
	return err
}

// await returns what comes from result. Meanwhile it keeps the SCM patient.
// When limit ends first it returns ErrHung. A stop calls abort, where there is
// one.
func (p *parting) await(limit context.Context, result <-chan error, abort func()) error {
	ticks, quiet := p.clock.Every(pulse)
	defer quiet()
	for {
		p.beat++
		p.tell(report{state: Stopping, beat: p.beat, hint: patience})
		select {
		case err := <-result:
			return err
		case <-limit.Done():
			return ErrHung
		case c := <-p.controls:
			if c == stop && abort != nil {
				abort()
			}
		case <-ticks:
		}
	}
}
