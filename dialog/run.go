package dialog

import (
	"context"
	"sync"
)

// Work installs until ctx ends, and tells how far it has come. It must
// return soon after ctx has ended.
type Work func(ctx context.Context, progress func(operation string, percent int)) error

// RunExit shows the dialog and installs when it says so. It returns the
// outcome and the installation's error; an outcome of Undecided comes with
// the error for which the dialog could not be shown to its end. The
// installation has ended when RunExit returns, except when the outcome is
// Abandoned.
func RunExit(ctx context.Context, front Front, e *Exit, work Work) (Outcome, error) {
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	var ended sync.WaitGroup
	shown := make(chan struct{}) // closed when there is nothing to see any more
	ended.Go(func() {
		select {
		case <-e.Begin():
			e.Finish(work(working, e.Progress))
		case <-shown:
		}
	})
	ended.Go(func() {
		select {
		case <-e.Stop():
			cancel()
		case <-shown:
		}
	})
	err := front.Show(ctx, e)
	close(shown)
	outcome, workErr := e.Outcome()
	if outcome == Abandoned {
		return outcome, workErr
	}
	if err != nil {
		cancel() // nobody sees the installation any more
	}
	ended.Wait()
	if err != nil {
		return Undecided, err
	}
	return e.Outcome()
}
