package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/eventlog"
	"waptwua/agent/settings"
	"waptwua/agent/upgrade"
	"waptwua/schedule"
)

// The service's times of replacing its program.
const (
	confirmPoll = 15 * time.Second // while a new version is not confirmed
	upgradeBusy = 5 * time.Minute  // after another operation was running
	stopWait    = 5 * time.Minute  // for the guard to stop this service
)

// renewal replaces the service's program.
type renewal struct {
	*daemon
	up   *upgrade.Upgrader
	host string // decides this host's place in a roll-out
}

// renew finishes an exchange that was begun, and looks for new releases
// until stop is called, or ctx ends. The error wraps upgrade.ErrRolledBack
// when the old program is back: the service must end.
func (d *daemon) renew(ctx context.Context, s *settings.Settings) (stop func(), err error) {
	up, err := d.upgrader(d.agent, s)
	if err != nil {
		d.log.Debug("this program does not replace itself", "error", err)
		return func() {}, nil
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("preparing the agent's folder: %w", err)
	}
	unconfirmed, err := up.Begin()
	if err != nil {
		return nil, err
	}
	name, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name of this host: %w", err)
	}
	r := renewal{daemon: d, up: up, host: name}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if unconfirmed {
			r.confirm(ctx)
		}
		r.run(ctx, s)
	}()
	return func() { cancel(); <-done }, nil
}

// renewalEvent is what the event log is told when the service has to end.
func renewalEvent(err error) eventlog.Event {
	if errors.Is(err, upgrade.ErrRolledBack) {
		return eventlog.Event{ID: eventlog.SelfUpdateBad, Level: eventlog.Error, Text: "A new version of the agent was taken back; the agent starts anew: " + err.Error()}
	}
	return eventlog.Event{ID: eventlog.CannotWork, Level: eventlog.Error, Text: "The agent cannot work: " + err.Error()}
}

// confirm tells the guard that this new version does its work, as soon as
// the server has answered.
func (r *renewal) confirm(ctx context.Context) {
	for {
		err := r.up.Confirm(ctx)
		if err == nil {
			r.log.Info("agent was replaced", "version", version)
			r.tell(eventlog.Event{ID: eventlog.SelfUpdated, Text: "The agent was replaced by version " + version + "."})
			return
		}
		r.log.Warn("new version is not confirmed yet", "error", err)
		if sleep(ctx, confirmPoll) != nil {
			return
		}
	}
}

// run looks for a release about as often as the host reports; hosts that
// are started together do not ask together.
func (r *renewal) run(ctx context.Context, s *settings.Settings) {
	told := "" // the last refusal in the event log
	for next := schedule.Jitter(r.host+"self-update", lookEvery(s)); sleep(ctx, next) == nil; {
		now, err := r.settings()
		if err == nil {
			s = now
		}
		if next = lookEvery(s); err != nil || !s.SelfUpdate.On {
			continue
		}
		err = r.attempt(ctx, s)
		switch {
		case err == nil, errors.Is(err, waptwua.ErrUnchanged), errors.Is(err, agent.ErrNotRegistered), ctx.Err() != nil:
		case errors.Is(err, agent.ErrBusy):
			next = upgradeBusy
		default:
			r.log.Warn("agent is not replaced", "error", err)
			if text := err.Error(); refused(err) && text != told {
				told = text
				r.tell(eventlog.Event{ID: eventlog.SelfUpdateBad, Level: eventlog.Error, Text: "A version of the agent was refused: " + text})
			}
		}
	}
}

// lookEvery is how often the settings let a host look for a release.
func lookEvery(s *settings.Settings) time.Duration {
	return max(s.UpdatePeriod.Duration(), time.Minute)
}

// refused reports whether a release is not as it should be, or failed here;
// that a server cannot be reached is nothing to tell the event log.
func refused(err error) bool {
	var failed *upgrade.FailedError
	return errors.As(err, &failed) || errors.Is(err, upgrade.ErrUnwell) || errors.Is(err, waptwua.ErrNotTrusted) || errors.Is(err, waptwua.ErrDigest) || errors.Is(err, waptwua.ErrStale)
}

// attempt takes a release when there is one for this host now.
func (r *renewal) attempt(ctx context.Context, s *settings.Settings) error {
	o, err := r.up.Look(ctx)
	if err != nil {
		return err
	}
	if why := r.waits(ctx, s, o); why != "" {
		r.log.Debug("new version of the agent waits", "version", o.Version, "reason", why)
		return nil
	}
	return agent.Alone(s.Dir, func() error {
		r.log.Info("agent is being replaced", "version", o.Version, "signer", o.Signer)
		if _, err := r.startGuard(ctx, r.up, o); err != nil {
			return err
		}
		// The guard stops this service; until then nothing else begins.
		_ = sleep(ctx, stopWait)
		return nil
	})
}

// waits tells why the host does not take an offer now; "" when it does.
func (r *renewal) waits(ctx context.Context, s *settings.Settings, o *upgrade.Offer) string {
	if turn := o.Created.Add(schedule.Jitter(r.host+o.Version, s.SelfUpdate.Spread)); r.now().Before(turn) {
		return "this host's turn (self_update_spread) is at " + turn.Format(time.RFC3339)
	}
	return r.agent.DownloadsWait(ctx, s)
}

// upgradeNotices are the versions that this host could not take, as
// sentences for its reports.
func upgradeNotices(dir string) []string {
	failed, err := upgrade.Failures(dir)
	if err != nil {
		return []string{"self-update: " + err.Error()}
	}
	var list []string
	for _, f := range failed {
		list = append(list, "self-update: "+(&upgrade.FailedError{Failure: f}).Error())
	}
	return list
}
