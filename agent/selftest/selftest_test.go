package selftest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func found(text string, err error) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return text, err }
}

func noTime() time.Time { return time.Time{} }

func TestRun(t *testing.T) {
	checks := []Check{
		{Name: "good", Expect: "one", Run: found("one", nil)},
		{Name: "bad", Run: found("two", errors.New("it is two"))},
		{Name: "lacking", Run: found("", fmt.Errorf("no Windows here: %w", ErrLeftOut))},
		{Name: "changing", Changes: true, Run: found("changed", nil)},
	}
	var told []string
	got := Run(t.Context(), checks, Options{Now: noTime, Tell: func(r Result) { told = append(told, r.Name) }})
	want := []Result{
		{Name: "good", Expect: "one", Found: "one", Verdict: OK},
		{Name: "bad", Found: "two", Verdict: Failed, Reason: "it is two"},
		{Name: "lacking", Verdict: LeftOut, Reason: "no Windows here: left out"},
		{Name: "changing", Verdict: LeftOut, Reason: "it changes something: run it with --changes: left out"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"good", "bad", "lacking", "changing"}, told); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[Verdict]int{OK: 1, Failed: 1, LeftOut: 2}, Count(got)); diff != "" {
		t.Error(diff)
	}
	if got := Run(t.Context(), checks[3:], Options{Now: noTime, Changes: true}); got[0].Found != "changed" {
		t.Errorf("with changes: %+v", got)
	}
}

func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	checks := []Check{
		{Name: "stops", Run: func(context.Context) (string, error) { cancel(); return "", nil }},
		{Name: "next", Run: func(context.Context) (string, error) { t.Error("it ran"); return "", nil }},
	}
	if got := Run(ctx, checks, Options{Now: noTime}); got[1].Verdict != LeftOut {
		t.Errorf("%+v", got)
	}
}

// TestLimit: neither a slow check nor one that hangs stops the others.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		got := Run(t.Context(), []Check{
			{Name: "slow", Run: func(ctx context.Context) (string, error) { <-ctx.Done(); return "half", ctx.Err() }},
			{Name: "hanging", Limit: time.Second, Run: func(context.Context) (string, error) { <-let; return "", nil }},
			{Name: "last", Run: found("", nil)},
		}, Options{Now: time.Now})
		close(let)
		if got[0].Verdict != Failed || got[0].Found != "half" || got[0].Took != defaultLimit {
			t.Errorf("slow: %+v", got[0])
		}
		if got[1].Verdict != Failed || got[1].Took != time.Second+grace {
			t.Errorf("hanging: %+v", got[1])
		}
		if got[2].Verdict != OK {
			t.Errorf("last: %+v", got[2])
		}
	})
}
