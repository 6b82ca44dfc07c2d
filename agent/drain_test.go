package agent_test

import (
	"context"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
)

// TestDrained: a service that is drained in the middle of an installation
// finishes it, and begins nothing else.
func TestDrained(t *testing.T) {
	r := newRig(t)
	r.ini += "download_scheduling = 2h\ninstall_scheduling = 2h\n"
	r.register()
	id := r.offer(1, waptwua.Update{})
	drained := make(chan struct{})
	r.change = func(o *agent.Options) {
		o.Drained = drained
		o.Reached = func(step string) {
			if step == "install installing" {
				close(drained) // closing it twice would panic: there is one installation
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := r.agent().Run(ctx); err != nil || ctx.Err() != nil {
		t.Fatalf("Run ended with %v, %v", err, ctx.Err())
	}
	r.wantStatus(id, waptwua.StatusOK)
}
