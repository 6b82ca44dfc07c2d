package winsvc

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// handClock has ticks and limits that a test sets off.
type handClock struct {
	ticks chan time.Time
	limit chan time.Duration // asked for, in turn
	over  chan struct{}      // each receive ends a limit
}

func newHandClock() *handClock {
	return &handClock{ticks: make(chan time.Time), limit: make(chan time.Duration, 8), over: make(chan struct{})}
}

func (c *handClock) Every(time.Duration) (<-chan time.Time, func()) { return c.ticks, func() {} }

func (c *handClock) After(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	c.limit <- d
	go func() {
		select {
		case <-c.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// served is a service under test.
type served struct {
	*handClock
	controls chan control
	reports  chan report
	ended    chan error
	asked    bool
}

func start(w Work) *served {
	s := &served{handClock: newHandClock(), controls: make(chan control), reports: make(chan report, 64), ended: make(chan error, 1)}
	go func() {
		asked, err := serve(context.Background(), w, s.handClock, s.controls, func(r report) { s.reports <- r })
		s.asked = asked
		s.ended <- err
	}()
	return s
}

// next fails unless the next report has this state.
func (s *served) next(t *testing.T, want State) report {
	t.Helper()
	r := <-s.reports
	if r.state != want {
		t.Fatalf("reported %s, want %s", r.state, want)
	}
	return r
}

func hour() time.Duration { return time.Hour }

func untilDone(ctx context.Context) error { <-ctx.Done(); return nil }

func TestStop(t *testing.T) {
	s := start(Work{Run: untilDone})
	s.next(t, Running)
	s.controls <- stop
	if r := s.next(t, Stopping); r.beat == 0 || r.hint < pulse {
		t.Errorf("the first report of a stopping service is %+v", r)
	}
	if err := <-s.ended; err != nil || !s.asked {
		t.Errorf("ended with %v, asked %t", err, s.asked)
	}
	if d := <-s.limit; d != StopLimit {
		t.Errorf("a stop waits %v", d)
	}
}

func TestFailureIsNotAStop(t *testing.T) {
	broken := errors.New("broken")
	s := start(Work{Run: func(context.Context) error { return broken }})
	if err := <-s.ended; !errors.Is(err, broken) || s.asked {
		t.Errorf("ended with %v, asked %t", err, s.asked)
	}
}

func TestTheSCMIsKeptPatient(t *testing.T) {
	let := make(chan struct{})
	s := start(Work{Run: func(context.Context) error { <-let; return nil }})
	s.next(t, Running)
	s.controls <- stop
	last := s.next(t, Stopping).beat
	for range 5 {
		s.ticks <- time.Time{}
		r := s.next(t, Stopping)
		if r.beat <= last {
			t.Fatalf("beat %d after %d: the SCM would take the service for dead", r.beat, last)
		}
		last = r.beat
	}
	close(let)
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}

func TestWorkThatHangs(t *testing.T) {
	let := make(chan struct{})
	defer close(let)
	s := start(Work{Run: func(context.Context) error { <-let; return nil }})
	s.controls <- stop
	s.over <- struct{}{}
	if err := <-s.ended; !errors.Is(err, ErrHung) || !s.asked {
		t.Errorf("ended with %v, asked %t", err, s.asked)
	}
}

// TestShutdown follows the order: what runs is finished, then the work before
// the shutdown, within one limit.
func TestShutdown(t *testing.T) {
	drained := make(chan struct{})
	atShutdown, install := make(chan struct{}), make(chan struct{})
	s := start(Work{
		Run: func(ctx context.Context) error {
			select {
			case <-drained:
			case <-ctx.Done():
				t.Error("what ran was cut off")
			}
			return nil
		},
		Drain:      func() { close(drained) },
		AtShutdown: func(context.Context) error { close(atShutdown); <-install; return errors.New("not the SCM's business") },
		Limit:      hour,
	})
	s.controls <- preShutdown
	<-atShutdown
	select {
	case err := <-s.ended:
		t.Fatalf("the service ended (%v) before its work", err)
	default:
	}
	s.controls <- preShutdown // a second one changes nothing
	close(install)
	if err := <-s.ended; err != nil || !s.asked {
		t.Errorf("ended with %v, asked %t", err, s.asked)
	}
	if d := <-s.limit; d != time.Hour {
		t.Errorf("the limit was %v", d)
	}
}

func TestShutdownLimit(t *testing.T) {
	s := start(Work{
		Run:        func(context.Context) error { return untilDone(t.Context()) },
		Drain:      func() {},
		AtShutdown: func(context.Context) error { t.Error("done although the time was over"); return nil },
		Limit:      hour,
	})
	s.controls <- preShutdown
	s.over <- struct{}{} // the time for the shutdown
	<-s.limit
	<-s.limit
	s.over <- struct{}{} // the time for the stop
	if err := <-s.ended; !errors.Is(err, ErrHung) {
		t.Errorf("ended with %v", err)
	}
}

func TestShutdownWorkSeesTheLimit(t *testing.T) {
	begun := make(chan struct{})
	s := start(Work{
		Run:        untilDone,
		AtShutdown: func(ctx context.Context) error { close(begun); return untilDone(ctx) },
		Limit:      hour,
	})
	s.controls <- preShutdown
	<-begun
	s.over <- struct{}{}
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}

// TestStopDuringShutdown: whoever stops the service does not wait an hour.
func TestStopDuringShutdown(t *testing.T) {
	begun := make(chan struct{})
	s := start(Work{
		Run:        untilDone,
		AtShutdown: func(ctx context.Context) error { close(begun); return untilDone(ctx) },
		Limit:      hour,
	})
	s.controls <- preShutdown
	<-begun
	s.controls <- stop
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}
