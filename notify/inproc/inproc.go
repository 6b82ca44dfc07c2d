// Package inproc carries signals within one process.
package inproc

import (
	"context"
	"slices"
	"sync"

	"waptwua/notify"
)

// Notifier is a notify.Notifier. The zero value is ready.
type Notifier struct {
	mu   sync.Mutex
	subs map[*subscription]struct{}
}

var _ notify.Notifier = (*Notifier)(nil)

// subscription holds the topics signalled since the subscriber last took one.
type subscription struct {
	topics []notify.Topic
	wake   chan struct{} // capacity 1

	mu      sync.Mutex
	waiting []notify.Topic
}

// Publish implements notify.Publisher.
func (n *Notifier) Publish(_ context.Context, topic notify.Topic) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for s := range n.subs {
		if len(s.topics) == 0 || slices.Contains(s.topics, topic) {
			s.add(topic)
		}
	}
	return nil
}

func (s *subscription) add(topic notify.Topic) {
	s.mu.Lock()
	if !slices.Contains(s.waiting, topic) {
		s.waiting = append(s.waiting, topic)
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default: // it is awake already and will look
	}
}

func (s *subscription) take() []notify.Topic {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.waiting
	s.waiting = nil
	return w
}

// Subscribe implements notify.Subscriber.
func (n *Notifier) Subscribe(ctx context.Context, topics ...notify.Topic) (<-chan notify.Topic, error) {
	s := &subscription{topics: slices.Clone(topics), wake: make(chan struct{}, 1)}
	n.mu.Lock()
	if n.subs == nil {
		n.subs = map[*subscription]struct{}{}
	}
	n.subs[s] = struct{}{}
	n.mu.Unlock()
	out := make(chan notify.Topic)
	go n.deliver(ctx, s, out)
	return out, nil
}

func (n *Notifier) deliver(ctx context.Context, s *subscription, out chan<- notify.Topic) {
	defer close(out)
	defer n.remove(s)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		for _, topic := range s.take() {
			select {
			case <-ctx.Done():
				return
			case out <- topic:
			}
		}
	}
}

func (n *Notifier) remove(s *subscription) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.subs, s)
}
