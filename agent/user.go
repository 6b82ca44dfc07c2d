package agent

import (
	"context"
	"sync"
	"time"
)

// Desktop is the people who work at this host. Implementations are safe for
// concurrent use.
type Desktop interface {
	// LoggedIn tells whether somebody is logged in, at the screen or from
	// afar, also while their session is locked or disconnected.
	LoggedIn(ctx context.Context) (bool, error)
	// AskRestart shows a question or a countdown, and returns when it is
	// answered, when its time is over, or when ctx ends. Nobody being there to
	// be asked is no answer, and no error.
	AskRestart(ctx context.Context, q RestartQuestion) (RestartAnswer, error)
}

// RestartQuestion is what is put to the user about a restart.
type RestartQuestion struct {
	At      time.Time       // of a countdown: when the host restarts; zero: it is a question
	Again   bool            // it was asked before
	Choices []time.Duration // how long the restart may be put off; none: it may not
	Left    int             // how often it may be put off; negative: no limit
	Forced  time.Time       // when the host restarts in any case; zero: never
	Limit   time.Duration   // how long the question may stay without an answer
}

// RestartAnswer is what a user has answered; the zero value is no answer.
type RestartAnswer struct {
	Accepted bool          // restart now
	Snooze   time.Duration // ask again after this time
}

// user is what goes on between Run and the people at the host: one question
// at a time, asked beside the tasks, since people take their time.
type user struct {
	questions chan RestartQuestion // to the goroutine of serveUser

	mu       sync.Mutex
	asked    *RestartQuestion   // what is being shown; nil: nothing
	withdraw context.CancelFunc // takes it back
	answer   *RestartAnswer     // not looked at yet
	wake     context.CancelFunc // ends Run's nap; nil: it is awake
}

// serveUser asks the user what Run wants to be asked, until ctx ends or stop
// is called, which takes back what is being shown.
func (a *Agent) serveUser(ctx context.Context) (stop func()) {
	if a.opt.Desktop == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case q := <-a.user.questions:
				a.ask(ctx, q)
			}
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

// ask puts one question and keeps the answer.
func (a *Agent) ask(ctx context.Context, q RestartQuestion) {
	asking, withdraw := context.WithCancel(ctx)
	defer withdraw()
	a.user.mu.Lock()
	a.user.withdraw = withdraw
	a.user.mu.Unlock()
	answer, err := a.opt.Desktop.AskRestart(asking, q)
	if err != nil && asking.Err() == nil {
		a.opt.Log.Warn("the user cannot be asked", "error", err)
	}
	a.user.mu.Lock()
	defer a.user.mu.Unlock()
	a.user.asked, a.user.withdraw = nil, nil
	if answer != (RestartAnswer{}) && err == nil {
		a.user.answer = &answer
		if a.user.wake != nil {
			a.user.wake()
		}
	}
}

// put has a question asked. It tells false, and takes back what is being
// shown if that is something else, when the question has to wait.
func (u *user) put(q RestartQuestion) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.asked != nil {
		if !u.asked.At.Equal(q.At) && u.withdraw != nil {
			u.withdraw()
		}
		return false
	}
	select {
	case u.questions <- q:
		u.asked = &q
		return true
	default:
		return false
	}
}

// shows tells whether the countdown to at, or a question (zero), is being
// shown.
func (u *user) shows(at time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.asked != nil && u.asked.At.Equal(at)
}

// take returns the answer that came since, once.
func (u *user) take() RestartAnswer {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.answer == nil {
		return RestartAnswer{}
	}
	answer := *u.answer
	u.answer = nil
	return answer
}

// answered tells whether an answer waits to be looked at.
func (u *user) answered() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.answer != nil
}

// nap sleeps for d, or until the user has answered.
func (a *Agent) nap(ctx context.Context, d time.Duration) error {
	napping, wake := context.WithCancel(ctx)
	defer wake()
	a.user.mu.Lock()
	a.user.wake = wake
	if a.user.answer != nil {
		wake()
	}
	a.user.mu.Unlock()
	err := a.opt.Clock.Sleep(napping, d)
	a.user.mu.Lock()
	defer a.user.mu.Unlock()
	a.user.wake = nil
	if ctx.Err() == nil && napping.Err() != nil {
		return nil // woken
	}
	return err
}
