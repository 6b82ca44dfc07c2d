// Package notify says "something of this kind has changed", within a process
// (notify/inproc) or between replicas, so that pages and jobs look again.
//
// A signal carries no content: whoever gets it reads the store. Signals of
// one topic that come faster than they are taken become one; a signal is
// never lost otherwise while the subscription lasts, and never delivered
// before the change that it is about is committed, because publishers
// publish afterwards. A subscriber that starts reads the store first.
package notify

import "context"

// Topic is a kind of thing that changes.
type Topic string

// The topics.
const (
	Hosts     Topic = "hosts"     // hosts and their updates
	Files     Topic = "files"     // presence of payload files
	Downloads Topic = "downloads" // download tasks
	Runs      Topic = "runs"      // runs of jobs
	Rules     Topic = "rules"     // rule packages
	Accounts  Topic = "accounts"  // users and tokens
)

// Publisher sends signals.
type Publisher interface {
	// Publish signals a change. It never waits for subscribers.
	Publish(ctx context.Context, topic Topic) error
}

// Subscriber receives signals.
type Subscriber interface {
	// Subscribe returns a channel that yields a topic soon after it was
	// published, and is closed when ctx ends. No topics: all.
	Subscribe(ctx context.Context, topics ...Topic) (<-chan Topic, error)
}

// Notifier does both.
type Notifier interface {
	Publisher
	Subscriber
}
