package agent

import "context"

// untilDrained returns a context that ends with ctx, or when Options.Drained
// is closed: then nothing new is begun, and what runs is not disturbed.
func (a *Agent) untilDrained(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.opt.Drained == nil {
		return ctx, func() {}
	}
	idle, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-a.opt.Drained:
			cancel()
		case <-idle.Done():
		}
	}()
	return idle, cancel
}
