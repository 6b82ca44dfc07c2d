package server

import (
	"context"
	"fmt"
	"time"
)

// tokenMemory is how long ended tokens stay listed.
const tokenMemory = 30 * 24 * time.Hour

// Expired is the outcome of a run of JobExpiry.
type Expired struct {
	Sessions  int    `json:"sessions"`
	Tokens    int    `json:"tokens"`
	Runs      int    `json:"runs"`
	Downloads int    `json:"downloads"`
	Audit     int64  `json:"audit_entries"`
	Head      string `json:"audit_head"` // digest at the end of the audit: a checkpoint
}

// Expire forgets what is out of date and checks the audit. Its row, and the
// log, keep the digest at the audit's end: whoever keeps them elsewhere can
// show later that nothing before it was changed.
func (u *Upkeep) Expire(ctx context.Context, reason string) error {
	return u.run(ctx, JobExpiry, reason, func(ctx context.Context, _ *recorder) (string, any, error) {
		now := u.now()
		var e Expired
		for _, d := range []struct {
			n      *int
			drop   func(context.Context, time.Time) (int, error)
			before time.Time
		}{
			{&e.Sessions, u.store.DropSessions, now},
			{&e.Tokens, u.store.DropTokens, now.Add(-tokenMemory)},
			{&e.Runs, u.store.DropRuns, now.Add(-u.set.KeepRuns)},
			{&e.Downloads, u.store.DropDownloads, now.Add(-u.set.KeepRuns)},
		} {
			var err error
			if *d.n, err = d.drop(ctx, d.before); err != nil {
				return "", e, err
			}
		}
		var err error
		if e.Audit, e.Head, err = u.VerifyAudit(ctx); err != nil {
			return "", e, err
		}
		u.log.InfoContext(ctx, "audit checkpoint", "entries", e.Audit, "head", e.Head)
		return fmt.Sprintf("forgot %d sessions, %d tokens, %d runs, %d downloads; the audit's %d entries are in order",
			e.Sessions, e.Tokens, e.Runs, e.Downloads, e.Audit), e, nil
	})
}
