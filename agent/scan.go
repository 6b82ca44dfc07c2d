package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"waptwua"
	"waptwua/agent/cache"
	"waptwua/agent/journal"
	"waptwua/agent/settings"
	"waptwua/policy"
	"waptwua/transport/client"
	"waptwua/wua"
)

// ScanOptions say how to scan.
type ScanOptions struct {
	Force bool // search also when nothing has changed
}

// basis is what a search was made from: while it stays the same, another
// search would find the same.
type basis struct {
	Rules   string         `json:"rules"`   // digest of the policy
	Search  string         `json:"search"`  // filter, language and mode
	Archive waptwua.SHA256 `json:"archive"` // zero: searched online
	History string         `json:"history"` // digest of WUA's history: others install too
	Restart bool           `json:"restart"` // the host waited for one
}

// historyDepth is how many entries of WUA's history are compared.
const historyDepth = 200

// Scan fetches rules and archive, searches and reports. It searches only
// when rules, archive, history or a delay have changed anything since the
// last search; otherwise it reports and returns waptwua.ErrUnchanged.
func (a *Agent) Scan(ctx context.Context, o ScanOptions) error {
	return a.do("scan", func(op *operation) error {
		_, err := op.scan(ctx, o.Force)
		if errors.Is(err, waptwua.ErrUnchanged) {
			return errors.Join(err, op.saveQuietly(ctx))
		}
		return op.finish(ctx, err)
	})
}

// saveQuietly saves and reports where nothing was done.
func (op *operation) saveQuietly(ctx context.Context) error {
	op.mem.State.Status = op.hostStatus()
	if err := op.save(); err != nil {
		return err
	}
	return op.report(ctx)
}

// found is what a search gave, for the rest of the operation.
type found struct {
	updates map[waptwua.UpdateID]wua.Update
	policy  *policy.Policy
	archive cache.Archive
	lost    bool               // not every update could be read
	history []wua.HistoryEntry // newest first
	blind   bool               // the history could not be read
}

// scan searches unless nothing has changed. A failure is noted in the state.
func (op *operation) scan(ctx context.Context, force bool) (*found, error) {
	f, err := op.tryScan(ctx, force)
	if err == nil || errors.Is(err, waptwua.ErrUnchanged) {
		op.mem.State.Scan.Error = nil
		return f, err
	}
	if ctx.Err() != nil {
		return nil, err
	}
	attempts := 1
	if last := op.mem.State.Scan.Error; last != nil {
		attempts = last.Attempts + 1
	}
	failure := wua.FailureOf(err, op.now(), attempts)
	op.mem.State.Scan.Error = &failure
	return nil, err
}

func (op *operation) tryScan(ctx context.Context, force bool) (*found, error) {
	if err := op.describeHost(ctx); err != nil {
		return nil, err
	}
	f := &found{}
	var soft error // the server's part failed, but the last good rules and archive serve
	f.policy, _, soft = op.rules(ctx)
	if f.policy == nil {
		return nil, soft
	}
	if op.settings.Offline {
		var err error
		if f.archive, err = op.archive(ctx); err != nil && f.archive.Size == 0 {
			return nil, err
		}
		soft = errors.Join(soft, err)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err() // not the server's fault
	}
	if soft != nil {
		op.later(client.RetryAfter(soft))
		op.log.Warn("scanning with what is at hand", "error", soft)
	}
	reboot, err := op.opt.WUA.RebootPending(ctx)
	if err != nil {
		return nil, err
	}
	now, err := op.basis(ctx, f, reboot)
	if err != nil {
		return nil, err
	}
	op.countRestart(reboot.Required)
	if !force && !f.blind && !op.mustSearch(now) {
		return f, waptwua.ErrUnchanged
	}
	if err := op.search(ctx, f); err != nil {
		return nil, err
	}
	if f.lost {
		now.History = "" // the next scan searches again
	}
	op.mem.Basis = now
	return f, nil
}

// describeHost keeps who the host is, from the moment it is known.
func (op *operation) describeHost(ctx context.Context) error {
	uuid, err := op.uuid()
	if err == nil {
		op.mem.State.Host = op.host(ctx, uuid)
	}
	return err
}

func (op *operation) basis(ctx context.Context, f *found, r wua.Reboot) (basis, error) {
	op.mem.State.Reboot = nil
	if r.Required {
		op.mem.State.Reboot = append([]string{}, r.Reasons...)
		if len(r.Reasons) == 0 {
			op.mem.State.Reboot = []string{"WUA"}
		}
	}
	b := basis{Rules: f.policy.Digest(), Archive: f.archive.SHA256, Restart: r.Required}
	s := op.settings
	b.Search = fmt.Sprintf("%s|%d|%t|%v", s.Filter, s.UserLocale, s.Offline, s.Enabled)
	f.history, f.blind = op.history(ctx)
	if ctx.Err() != nil {
		return b, ctx.Err()
	}
	text, err := json.Marshal(f.history)
	if err != nil {
		return b, err
	}
	sum := sha256.Sum256(text)
	b.History = hex.EncodeToString(sum[:])
	return b, nil
}

// history is that of WUA. It only spares searches and explains what was rolled
// back, so a damaged one, which a search may bear, costs no more than that.
func (op *operation) history(ctx context.Context) (h []wua.HistoryEntry, blind bool) {
	h, err := op.opt.WUA.History(ctx, historyDepth)
	if err != nil {
		op.log.Warn("Windows' update history cannot be read, so a search is made in any case", "error", err)
		return nil, true
	}
	return h, false
}

// mustSearch tells whether a search can find something else than the last.
func (op *operation) mustSearch(now basis) bool {
	s := op.mem.State
	return op.killed || len(op.mem.Cut) > 0 || s.Scan.At.IsZero() || s.Scan.Error != nil || op.mem.Basis != now || op.delayOver()
}

// delayOver tells whether an update was held until a moment that has passed.
func (op *operation) delayOver() bool {
	for _, u := range op.mem.State.Updates {
		if u.Verdict.Decision == waptwua.Held && !u.Verdict.Until.IsZero() && !op.now().Before(u.Verdict.Until) {
			return true
		}
	}
	return false
}

// search asks WUA and brings the state up to date with its answer.
func (op *operation) search(ctx context.Context, f *found) error {
	if err := op.begin(ctx, waptwua.HostScanning); err != nil {
		return err
	}
	start := op.now()
	told, stop := op.estimate(op.mem.State.Scan.Duration)
	result, err := op.opt.WUA.Search(ctx, op.query(f, told))
	stop()
	if err != nil {
		return err
	}
	for _, w := range result.Warnings {
		op.log.Warn("update cannot be read completely", "error", w)
	}
	reboot, err := op.opt.WUA.RebootPending(ctx)
	if err != nil {
		return err
	}
	f.updates = make(map[waptwua.UpdateID]wua.Update, len(result.Updates))
	about := make(map[waptwua.UpdateID]waptwua.Update, len(result.Updates))
	for _, u := range result.Updates {
		f.updates[u.ID], about[u.ID] = u, u.Update
	}
	f.lost = result.Lost > 0
	before := op.mem.State.Updates
	op.mem.State.Updates = assess(assessment{
		found: f.updates, lost: f.lost, old: before, policy: f.policy, now: op.now(), restart: reboot.Required, cut: op.mem.Cut, stopped: op.mem.Stopped,
		notRestarted: op.notRestarted, removing: op.mem.Removing, history: f.history,
	})
	op.countRolledBack(before)
	op.mem.Cut = nil
	op.noteScan(f, start)
	if err := op.enforce(ctx, f.updates); err != nil {
		return err
	}
	op.probe(ctx, f)
	return journal.Save(op.path("updates.json"), about)
}

// begin notes the operation's beginning, once, and tells the server.
func (op *operation) begin(ctx context.Context, status waptwua.HostStatus) error {
	if op.begun {
		return nil
	}
	if err := op.announce(ctx, status); err != nil {
		return err
	}
	return op.step(journal.Begin, "")
}

func (op *operation) query(f *found, progress func(wua.Progress)) wua.Query {
	q := wua.Query{
		Criteria:                     op.settings.Filter,
		IncludePotentiallySuperseded: f.policy.IncludePotentiallySuperseded(),
		Locale:                       op.settings.UserLocale,
		Progress:                     progress,
	}
	if op.settings.Offline {
		q.Archive, _ = filepath.Abs(op.cache.ArchivePath(f.archive)) // fails only without a working directory
	}
	return q
}

func (op *operation) noteScan(f *found, start time.Time) {
	op.mem.State.Scan = waptwua.Scan{
		At:          op.now(),
		Duration:    op.now().Sub(start),
		Archive:     f.archive.SHA256,
		ArchiveDate: f.archive.LastModified,
		RulesDigest: f.policy.Digest(),
	}
}

// enforce hides what may not be installed from the host's users and from
// Windows itself, when WAPT manages updates here; when Windows is given back
// (enabled = false), nothing stays hidden. Unset, it touches nothing.
func (op *operation) enforce(ctx context.Context, updates map[waptwua.UpdateID]wua.Update) error {
	if op.settings.Enabled == settings.Unset {
		return nil
	}
	for id, u := range updates {
		hide := op.settings.Enabled == settings.True && !u.Installed && op.mem.State.Updates[id].Verdict.Decision != waptwua.Allowed
		if hide == u.Hidden {
			continue
		}
		if err := op.opt.WUA.SetHidden(ctx, id, hide); err != nil {
			if ctx.Err() != nil {
				return err
			}
			op.log.Warn("update cannot be hidden or shown", "update", id, "hide", hide, "error", err)
		}
	}
	return nil
}
