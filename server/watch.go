package server

import (
	"context"

	"waptwua/notify"
	"waptwua/store"
)

// Topic is a kind of thing that changes.
type Topic = notify.Topic

// Watch yields a topic soon after something of it changed, until ctx ends;
// then the channel is closed. No topics: all.
func (f *Fleet) Watch(ctx context.Context, topics ...Topic) (<-chan Topic, error) {
	return f.notify.Subscribe(ctx, topics...)
}

// Names of the store that callers of the services need.
type (
	// Standing is how a host stands with the server.
	Standing = store.Standing
	// State is the state of a download or a run.
	State = store.State
)

// The standings.
const (
	Enrolled = store.Enrolled
	Awaiting = store.Awaiting
	Refused  = store.Refused
)
