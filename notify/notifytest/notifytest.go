// Package notifytest is the suite that every notify.Notifier passes.
package notifytest

import (
	"context"
	"testing"

	"waptwua/notify"
)

// Run runs the suite; open returns a notifier without subscribers.
func Run(t *testing.T, open func(t *testing.T) notify.Notifier) {
	t.Run("Delivers", func(t *testing.T) { testDelivers(t, open(t)) })
	t.Run("OnlyWhatWasAskedFor", func(t *testing.T) { testTopics(t, open(t)) })
	t.Run("JoinsSignals", func(t *testing.T) { testJoins(t, open(t)) })
	t.Run("Ends", func(t *testing.T) { testEnds(t, open(t)) })
}

func subscribe(ctx context.Context, t *testing.T, n notify.Notifier, topics ...notify.Topic) <-chan notify.Topic {
	t.Helper()
	ch, err := n.Subscribe(ctx, topics...)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func publish(t *testing.T, n notify.Notifier, topic notify.Topic) {
	t.Helper()
	if err := n.Publish(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
}

func testDelivers(t *testing.T, n notify.Notifier) {
	a, b := subscribe(t.Context(), t, n), subscribe(t.Context(), t, n, notify.Runs)
	publish(t, n, notify.Runs)
	for _, ch := range []<-chan notify.Topic{a, b} {
		if got := <-ch; got != notify.Runs {
			t.Errorf("got %q, want %q", got, notify.Runs)
		}
	}
}

func testTopics(t *testing.T, n notify.Notifier) {
	ch := subscribe(t.Context(), t, n, notify.Runs)
	publish(t, n, notify.Hosts)
	publish(t, n, notify.Runs)
	if got := <-ch; got != notify.Runs {
		t.Errorf("got %q first, want only %q", got, notify.Runs)
	}
}

// testJoins publishes a topic many times before anybody reads, then another:
// the second must come after at most two of the first.
func testJoins(t *testing.T, n notify.Notifier) {
	ch := subscribe(t.Context(), t, n)
	for range 1000 {
		publish(t, n, notify.Hosts)
	}
	publish(t, n, notify.Runs)
	count := 0
	for topic := range ch {
		if topic == notify.Runs {
			break
		}
		count++
	}
	if count < 1 || count > 2 {
		t.Errorf("%d signals of one topic, want 1 or 2", count)
	}
}

func testEnds(t *testing.T, n notify.Notifier) {
	ctx, cancel := context.WithCancel(t.Context())
	ch := subscribe(ctx, t, n)
	cancel()
	for range ch { // ends only when the channel is closed
	}
	publish(t, n, notify.Hosts)
}
