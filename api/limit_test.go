package api

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestFailures(t *testing.T) {
	now := time.Unix(1e9, 0)
	f := newFailures(2, time.Minute, func() time.Time { return now })
	f.count("a")
	if err := f.allow("a", "b"); err != nil {
		t.Errorf("after one failure of two: %v", err)
	}
	f.count("a")
	if err := f.allow("b", "a"); !errors.Is(err, errTooMany) {
		t.Errorf("after two failures: %v, want errTooMany", err)
	}
	if err := f.allow("b"); err != nil {
		t.Errorf("another one: %v", err)
	}
	now = now.Add(time.Minute)
	if err := f.allow("a"); err != nil {
		t.Errorf("after a minute: %v", err)
	}
}

func TestFailuresForget(t *testing.T) {
	now := time.Unix(1e9, 0)
	f := newFailures(2, time.Minute, func() time.Time { return now })
	for i := range 3 * maxFailures {
		f.count(fmt.Sprint(i))
		if len(f.by) > maxFailures {
			t.Fatalf("%d are remembered", len(f.by))
		}
	}
}

func TestGate(t *testing.T) {
	g := newGate(1, time.Millisecond)
	if err := g.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := g.enter(t.Context()); !errors.Is(err, errBusy) {
		t.Errorf("a second one: %v, want errBusy", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	g.wait = time.Hour
	if err := g.enter(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("one that hung up: %v", err)
	}
	g.leave()
	if err := g.enter(t.Context()); err != nil {
		t.Errorf("after the first left: %v", err)
	}
}
