package sim

import (
	"context"
	"slices"
	"time"

	"waptwua/wua"
)

// Restart restarts the machine: what waited for it takes effect or, where
// the script says so, is rolled back. The identities of the last search are
// forgotten. It is no call of the Windows Update Agent.
func (h *Host) Restart(ctx context.Context) error {
	return h.serve(ctx, "restart", nil, func(c *call) error {
		c.record(Event{Operation: OpRestart, Code: wua.Succeeded})
		c.state.Boots++
		c.state.Booted = c.opt.Now().UTC()
		var kept []change
		for _, ch := range c.state.Changes {
			switch {
			case ch.Phase == removing:
				continue
			case ch.Phase == installing && ch.Rollback.Failed():
				c.record(Event{Operation: OpRollback, ID: ch.ID, Title: ch.Title, Code: wua.Failed, HResult: ch.Rollback})
				continue
			}
			ch.Phase = installed
			kept = append(kept, ch)
		}
		c.state.Changes = slices.Clip(kept)
		c.offer = offer{}
		return nil
	})
}

// Booted is when the machine was last restarted; zero: never.
func (h *Host) Booted(ctx context.Context) (at time.Time, err error) {
	err = h.serve(ctx, "booted", nil, func(c *call) error {
		at = c.state.Booted
		return nil
	})
	return at, err
}
