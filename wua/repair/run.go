package repair

import (
	"context"
	"errors"
	"time"

	"waptwua/wua"
)

// Finding is what a look found.
type Finding struct {
	Text  string // for people
	Sound bool   // nothing is to be done
	Skip  string // why it must not be mended now, and what to do; empty: it may be
}

// Step is one repair.
type Step struct {
	Name string
	Look func(context.Context) (Finding, error)
	// Mend returns how many bytes it has freed. It is called when Look found
	// something to be done.
	Mend func(context.Context) (freed int64, err error)
	// Try proves that it works now, also when nothing had to be mended; nil:
	// there is nothing to try. Not called in a dry run.
	Try func(context.Context) error
}

// Outcome says how a step went.
type Outcome string

// The outcomes.
const (
	Sound     Outcome = "sound"      // there was nothing to do
	Mended    Outcome = "mended"     // it was mended, and a second look found it sound
	WouldMend Outcome = "would mend" // in a dry run
	Skipped   Outcome = "skipped"    // see Error
	Failed    Outcome = "failed"     // see Error and Remedy
)

// Result is what a step did.
type Result struct {
	Step    string  `json:"step"`
	Outcome Outcome `json:"outcome"`
	Before  string  `json:"before,omitempty"`
	After   string  `json:"after,omitempty"`
	Freed   int64   `json:"freed,omitempty"` // bytes
	Error   string  `json:"error,omitempty"`
	Remedy  string  `json:"remedy,omitempty"`
}

// Report is what Run did.
type Report struct {
	At      time.Time `json:"at"`
	DryRun  bool      `json:"dry_run,omitempty"`
	Results []Result  `json:"results"`
}

// Failed tells whether a step failed.
func (r *Report) Failed() bool {
	for _, s := range r.Results {
		if s.Outcome == Failed {
			return true
		}
	}
	return false
}

// Run runs the steps in their order. When ctx ends, those that are left are
// skipped.
func Run(ctx context.Context, at time.Time, dryRun bool, steps []Step) *Report {
	report := &Report{At: at, DryRun: dryRun}
	for _, s := range steps {
		report.Results = append(report.Results, s.run(ctx, dryRun))
	}
	return report
}

func (s Step) run(ctx context.Context, dryRun bool) Result {
	r := Result{Step: s.Name, Outcome: Skipped}
	if err := ctx.Err(); err != nil {
		r.Error = err.Error()
		return r
	}
	found, err := s.Look(ctx)
	if err != nil {
		return r.failed(err)
	}
	r.Before = found.Text
	switch {
	case found.Skip != "":
		r.Error = found.Skip
		return r
	case !found.Sound && dryRun:
		r.Outcome = WouldMend
		return r
	}
	r.Outcome = Sound
	if !found.Sound {
		if r = s.mend(ctx, r); r.Outcome == Failed {
			return r
		}
	}
	if s.Try == nil || dryRun {
		return r
	}
	if err := s.Try(ctx); err != nil {
		return r.failed(err)
	}
	return r
}

// mend mends and looks again.
func (s Step) mend(ctx context.Context, r Result) Result {
	freed, err := s.Mend(ctx)
	r.Freed = freed
	found, lookErr := s.Look(ctx)
	r.After = found.Text
	if err := errors.Join(err, lookErr); err != nil {
		return r.failed(err)
	}
	if !found.Sound {
		return r.failed(errors.New("it is not mended: " + found.Text))
	}
	r.Outcome = Mended
	return r
}

// failed adds what to do about the error, when a code in it says so.
func (r Result) failed(err error) Result {
	r.Outcome, r.Error = Failed, err.Error()
	var e *wua.Error
	if errors.As(err, &e) {
		r.Remedy = wua.Lookup(e.Code).Remedy
	}
	return r
}
