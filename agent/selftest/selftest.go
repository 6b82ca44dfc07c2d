// Package selftest runs checks of a real machine and says of each what was
// expected and what was found. It is for what no test of the program can
// prove elsewhere: that Windows behaves as was assumed (docs/design/windows.md
// and update-agent.md name the check for each assumption).
//
// A check passes, fails, or is left out because this machine lacks what it
// needs. A check that changes something runs only when that is asked for. One
// that does not return in its time counts as failed, is not waited for, and
// its goroutine is lost: the program should end after a run.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Verdict is what came of a check.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	Failed  Verdict = "FAILED"
	LeftOut Verdict = "left out"
)

// ErrLeftOut says that this machine lacks what a check needs; the text of the
// error that wraps it says what.
var ErrLeftOut = errors.New("left out")

// Check is one check.
type Check struct {
	Name    string // e.g. wua/search
	Expect  string // in words
	Changes bool   // it changes something on the machine
	Limit   time.Duration
	// Run returns what was found, and an error when that is not what was
	// expected, or could not be found out.
	Run func(ctx context.Context) (found string, err error)
}

// Result is what came of one check.
type Result struct {
	Name    string        `json:"name"`
	Expect  string        `json:"expected"`
	Found   string        `json:"found,omitempty"`
	Verdict Verdict       `json:"verdict"`
	Reason  string        `json:"reason,omitempty"` // why it failed or was left out
	Took    time.Duration `json:"took_ns"`
}

// defaultLimit is the time for a check that does not say.
const defaultLimit = time.Minute

// Options are how checks are run.
type Options struct {
	Changes bool             // also those that change something
	Now     func() time.Time // needed
	Tell    func(Result)     // each result at once; may be nil
}

// Run runs the checks, one after the other. When ctx ends the rest is left
// out.
func Run(ctx context.Context, checks []Check, o Options) []Result {
	results := make([]Result, 0, len(checks))
	for _, c := range checks {
		r := one(ctx, c, o)
		if o.Tell != nil {
			o.Tell(r)
		}
		results = append(results, r)
	}
	return results
}

func one(ctx context.Context, c Check, o Options) Result {
	r := Result{Name: c.Name, Expect: c.Expect}
	start := o.Now()
	var err error
	switch {
	case ctx.Err() != nil:
		err = fmt.Errorf("the run was stopped: %w", ErrLeftOut)
	case c.Changes && !o.Changes:
		err = fmt.Errorf("it changes something: run it with --changes: %w", ErrLeftOut)
	default:
		r.Found, err = within(ctx, c)
	}
	r.Took = o.Now().Sub(start)
	switch {
	case errors.Is(err, ErrLeftOut):
		r.Verdict, r.Reason = LeftOut, err.Error()
	case err != nil:
		r.Verdict, r.Reason = Failed, err.Error()
	default:
		r.Verdict = OK
	}
	return r
}

// within runs the check, for no longer than its limit and a little.
func within(ctx context.Context, c Check) (string, error) {
	limit := c.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	type outcome struct {
		found string
		err   error
	}
	ended := make(chan outcome, 1)
	go func() {
		found, err := c.Run(ctx)
		ended <- outcome{found, err}
	}()
	select {
	case o := <-ended:
		return o.found, o.err
	case <-ctx.Done():
	}
	select { // what obeys its context is given the time to say so
	case o := <-ended:
		return o.found, o.err
	case <-time.After(grace):
		return "", fmt.Errorf("it did not end within %v: %w", limit, context.Cause(ctx))
	}
}

// grace is how long a check may take to end after its context has.
const grace = 15 * time.Second

// Count counts the results of each verdict.
func Count(results []Result) map[Verdict]int {
	n := map[Verdict]int{}
	for _, r := range results {
		n[r.Verdict]++
	}
	return n
}
