package dialog_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"waptwua/dialog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// front plays a user: it calls act with the machine until it is closed.
type front func(ctx context.Context, m dialog.Machine) error

func (f front) Show(ctx context.Context, m dialog.Machine) error { return f(ctx, m) }

// until ticks m, a minute each time, until it is closed.
func until(ctx context.Context, m dialog.Machine, each func()) error {
	for now := start; !m.View().Closed; now = now.Add(time.Minute) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		m.Tick(now)
		each()
	}
	return nil
}

func TestRunExit(t *testing.T) {
	failure := errors.New("no room on the disk")
	worked := make(chan struct{}, 1)
	tests := map[string]struct {
		choice dialog.Choice
		work   dialog.Work
		want   dialog.Outcome
		err    error
	}{
		"installed":   {dialog.Install, func(context.Context, func(string, int)) error { return nil }, dialog.Installed, nil},
		"failed":      {dialog.Install, func(context.Context, func(string, int)) error { return failure }, dialog.Installed, failure},
		"not now":     {dialog.NotNow, func(context.Context, func(string, int)) error { t.Error("installed"); return nil }, dialog.Declined, nil},
		"by the time": {"", func(context.Context, func(string, int)) error { return nil }, dialog.Installed, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			work := func(ctx context.Context, p func(string, int)) error {
				defer func() { worked <- struct{}{} }()
				return tt.work(ctx, p)
			}
			e := dialog.NewExit(exitOptions())
			got, err := run(t.Context(), front(func(ctx context.Context, m dialog.Machine) error {
				if tt.choice != "" {
					press(t, m, tt.choice)
				}
				began := false
				return until(ctx, m, func() {
					if isClosed(e.Begin()) && !began {
						began = true
						<-worked
						waitDone(m)
					}
				})
			}), e, work)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
}

// waitDone waits until the dialog knows that the work has ended, which it
// learns right after the work's return.
func waitDone(m dialog.Machine) {
	for v := m.View(); !v.Closed && (len(v.Buttons) != 1 || v.Buttons[0].Choice != dialog.Close); v = m.View() {
		runtime.Gosched()
	}
}

func TestRunExitStopsTheWorkAtTheLimit(t *testing.T) {
	e := dialog.NewExit(exitOptions())
	stopped := make(chan struct{})
	got, err := run(t.Context(), front(func(ctx context.Context, m dialog.Machine) error {
		press(t, m, dialog.Install)
		return until(ctx, m, func() {
			if isClosed(e.Stop()) {
				<-stopped
				waitDone(m)
			}
		})
	}), e, func(ctx context.Context, _ func(string, int)) error {
		<-ctx.Done()
		close(stopped)
		return ctx.Err()
	})
	if got != dialog.Stopped || !errors.Is(err, context.Canceled) {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestRunExitLeavesWorkThatHangs(t *testing.T) {
	e := dialog.NewExit(exitOptions())
	begun, hang, gone := make(chan struct{}), make(chan struct{}), make(chan struct{})
	got, _ := run(t.Context(), front(func(ctx context.Context, m dialog.Machine) error {
		press(t, m, dialog.Install)
		<-begun
		return until(ctx, m, func() {})
	}), e, func(context.Context, func(string, int)) error {
		defer close(gone)
		close(begun)
		<-hang
		return nil
	})
	if got != dialog.Abandoned {
		t.Errorf("got %d", got)
	}
	close(hang)
	<-gone
}

// A dialog that nobody can see counts, installs and ends all the same.
func TestRunExitWithoutADesktop(t *testing.T) {
	for name, show := range map[string]front{
		"fails": func(context.Context, dialog.Machine) error { return io.ErrClosedPipe },
		"hangs": func(ctx context.Context, _ dialog.Machine) error { <-ctx.Done(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			e := dialog.NewExit(exitOptions())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel() // lets the front end go that hangs
			ticks, worked := make(chan time.Time), make(chan struct{})
			go func() {
				for now := start; ; now = now.Add(5 * time.Second) {
					if isClosed(e.Begin()) {
						<-worked
						waitDone(e)
					}
					select {
					case ticks <- now:
					case <-ctx.Done():
						return
					}
				}
			}()
			var warned error
			r := dialog.ExitRun{Front: show, Ticks: ticks, Warn: func(err error) { warned = err }, Work: func(context.Context, func(string, int)) error {
				defer close(worked)
				return nil
			}}
			got, err := r.Do(ctx, e)
			if got != dialog.Installed || err != nil || (name == "fails") != errors.Is(warned, io.ErrClosedPipe) {
				t.Errorf("got %d, %v, warned %v", got, err, warned)
			}
		})
	}
}

func TestRunExitEndsWithItsContext(t *testing.T) {
	e := dialog.NewExit(exitOptions())
	ctx, cancel := context.WithCancel(t.Context())
	got, err := run(ctx, func(ctx context.Context, m dialog.Machine) error {
		press(t, m, dialog.Install)
		<-ctx.Done()
		return ctx.Err()
	}, e, func(ctx context.Context, _ func(string, int)) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
	if got != dialog.Undecided || !errors.Is(err, context.Canceled) {
		t.Errorf("got %d, %v", got, err)
	}
}

// run lets the front end tell the time.
func run(ctx context.Context, f front, e *dialog.Exit, work dialog.Work) (dialog.Outcome, error) {
	return dialog.ExitRun{Front: f, Work: work, Warn: func(error) {}}.Do(ctx, e)
}
