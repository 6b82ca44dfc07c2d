package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"waptwua"
	"waptwua/agent/journal"
	"waptwua/schedule"
	"waptwua/transport"
	"waptwua/transport/client"
)

// acked is acked.json: the state that the server holds, as it said.
type acked struct {
	Digest string          `json:"digest"`
	State  transport.State `json:"state"`
}

// reportTries is how often one report is sent before it is left for later,
// with longSilence the longest wait between that the agent obeys on the spot.
const (
	reportTries = 3
	firstWait   = time.Second
	longSilence = 10 * time.Second
)

// maxAbout bounds the descriptions that go with one report.
const maxAbout = 500

// Report sends what the server does not know yet. It is also the sign of
// life of a host on which nothing changes.
func (a *Agent) Report(ctx context.Context) error {
	return a.do("report", func(op *operation) error { return op.saveQuietly(ctx) })
}

// report sends the saved state; the error wraps ErrNotReported.
func (op *operation) report(ctx context.Context) error {
	if err := op.tryReport(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrNotReported, err)
	}
	return nil
}

func (op *operation) tryReport(ctx context.Context) error {
	c, err := op.server()
	if err != nil {
		return err
	}
	if op.mem.State.Host.UUID == "" { // the state was lost
		if err := errors.Join(op.describeHost(ctx), op.save()); err != nil {
			return err
		}
	}
	base, err := op.acknowledged()
	if err != nil {
		return err
	}
	ack, err := op.deliver(ctx, c, base, nil)
	if err != nil {
		return err
	}
	if len(ack.Describe) == 0 {
		return nil
	}
	return op.describe(ctx, c, ack.Describe)
}

// acknowledged is the state that the server holds; nil: none, or unknown.
func (op *operation) acknowledged() (*transport.State, error) {
	var a acked
	err := journal.Load(op.path("acked.json"), &a)
	if errors.Is(err, waptwua.ErrNotFound) || errors.Is(err, waptwua.ErrDigest) {
		return nil, nil
	}
	return &a.State, err
}

// deliver sends the difference to base, and everything when the server asks
// for that or turns out to hold something else.
func (op *operation) deliver(ctx context.Context, c *client.Client, base *transport.State, about []waptwua.Update) (*transport.ReportAck, error) {
	for range reportTries {
		r, err := transport.Diff(base, &op.mem.State)
		if err != nil {
			return nil, err
		}
		r.Seq, r.Sent, r.About = op.mem.Seq, op.now(), about
		ack, err := op.send(ctx, c, r)
		if err != nil {
			return nil, err
		}
		op.opt.Reached("reported")
		if ack.Digest == r.Digest && !ack.NeedFull {
			return ack, journal.Save(op.path("acked.json"), acked{Digest: r.Digest, State: op.mem.State})
		}
		base = nil
		if ack.Seq >= op.mem.Seq {
			op.mem.Seq = ack.Seq + 1
			if err := op.save(); err != nil {
				return nil, err
			}
		}
	}
	return nil, errors.New("the server keeps acknowledging another state than the one sent")
}

// describe sends the descriptions that the server asked for.
func (op *operation) describe(ctx context.Context, c *client.Client, ids []waptwua.UpdateID) error {
	known := map[waptwua.UpdateID]waptwua.Update{}
	if err := journal.Load(op.path("updates.json"), &known); err != nil {
		return nil // nothing to tell; the next search brings it
	}
	var about []waptwua.Update
	for _, id := range ids[:min(len(ids), maxAbout)] {
		if u, ok := known[id]; ok {
			about = append(about, u)
		}
	}
	if len(about) == 0 {
		return nil
	}
	op.mem.Seq++
	if err := op.save(); err != nil {
		return err
	}
	_, err := op.deliver(ctx, c, &op.mem.State, about)
	return err
}

// send sends one report, again after failures that may pass.
func (op *operation) send(ctx context.Context, c *client.Client, r *transport.Report) (*transport.ReportAck, error) {
	for try := 1; ; try++ {
		ack, err := c.Report(ctx, r)
		if err == nil {
			op.later(time.Duration(ack.RetryAfter) * time.Second)
			return ack, nil
		}
		wait := client.RetryAfter(err)
		op.later(wait)
		if !client.Temporary(err) || try == reportTries || wait > longSilence {
			return nil, err
		}
		wait = max(wait, doubled(firstWait, try, longSilence))
		if err := op.opt.Clock.Sleep(ctx, wait+schedule.Jitter(r.Digest, wait)); err != nil {
			return nil, err
		}
	}
}

// announce saves the state and tells the server what the host is doing now.
// Nobody depends on the telling: what goes wrong shows at the next report.
func (op *operation) announce(ctx context.Context, s waptwua.HostStatus) error {
	before := op.mem.State.Status
	op.mem.State.Status = s
	defer func() { op.mem.State.Status = before }()
	if err := op.save(); err != nil {
		return err
	}
	if err := op.tryReport(ctx); err != nil {
		op.log.Debug("status cannot be announced", "status", s, "error", err)
	}
	return nil
}
