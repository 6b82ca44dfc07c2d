package dialog

import (
	"context"
	"sync"
	"time"
)

// Work installs until ctx ends, and tells how far it has come. It must
// return soon after ctx has ended.
type Work func(ctx context.Context, progress func(operation string, percent int)) error

// frontGrace is how long a front end may take to see that its machine has
// closed.
const frontGrace = 10 * time.Second

// ExitRun is one run of the dialog at shutdown.
type ExitRun struct {
	Front Front
	Ticks <-chan time.Time // the time, several times a second
	Work  Work
	// Warn is told when the front end has failed: nobody can see the dialog,
	// but its countdown, limits and installation go on.
	Warn func(error)
}

// Do shows e and installs when it says so. It does not depend on the front
// end to end: the time comes from Ticks, and a front end that hangs is left
// behind. It returns the outcome and the installation's error, or Undecided
// and ctx's error when ctx ended. The installation has ended when Do
// returns, except when the outcome is Abandoned.
func (r ExitRun) Do(ctx context.Context, e *Exit) (Outcome, error) {
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	var ended sync.WaitGroup
	closed := make(chan struct{}) // when there is nothing to do any more
	ended.Go(func() {
		select {
		case <-e.Begin():
			e.Finish(r.Work(working, e.Progress))
		case <-closed:
		}
	})
	ended.Go(func() {
		select {
		case <-e.Stop():
			cancel()
		case <-closed:
		}
	})
	err := r.show(ctx, e)
	close(closed)
	if outcome, workErr := e.Outcome(); outcome == Abandoned {
		return outcome, workErr
	}
	if err != nil {
		cancel()
	}
	ended.Wait()
	if err != nil {
		return Undecided, err
	}
	return e.Outcome()
}

// show returns when e has closed, or with ctx's error.
func (r ExitRun) show(ctx context.Context, e *Exit) error {
	shown := make(chan error, 1)
	go func() { shown <- r.Front.Show(ctx, e) }()
	var closed time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-shown:
			if e.View().Closed || ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				r.Warn(err)
			}
			shown = nil // it is seen by nobody from now on
		case now := <-r.Ticks:
			e.Tick(now)
			switch {
			case !e.View().Closed:
			case closed.IsZero() && shown != nil:
				closed = now
			case now.Sub(closed) >= frontGrace || shown == nil:
				return nil
			}
		}
	}
}
