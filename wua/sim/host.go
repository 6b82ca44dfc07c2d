package sim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"waptwua"
	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/internal/filelock"
	"waptwua/wua"
)

var _ wua.Host = (*Host)(nil)

// Options describe a host. Dir, Machine, Graphs and Now must be set.
type Options struct {
	Dir     string               // of the host's state; made when it is missing
	Machine *applicability.Facts // the machine as recorded; never changed, may be shared by hosts
	Graphs  *Graphs              // the archives, shared by the hosts of a process
	Now     func() time.Time

	Script          *Script       // nil: nothing fails
	Seed            uint64        // decides what the archive leaves to chance
	ScanDuration    time.Duration // of each search
	InstallDuration time.Duration // of each update
	ClientID        string        // ClientApplicationID in the history; empty: "waptwua"

	// Sleep waits for d or until ctx ends, and then returns its error; nil: by
	// the real clock.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Host is a simulated host. Its methods may be called by several goroutines;
// one call at a time is served.
type Host struct {
	opt Options

	mu    sync.Mutex // held by the call that runs
	offer offer      // of the last successful search
}

// offer is what the last search found. Its identities are the ones that the
// other calls take.
type offer struct {
	graph   *catalog.Graph
	updates map[waptwua.UpdateID]*offered
	leaves  map[waptwua.UpdateID]catalog.Leaf
}

type offered struct {
	update waptwua.Update
	leaves []catalog.Leaf // those that apply
}

// Open makes a host of what lies in o.Dir, or a new one.
func Open(o Options) (*Host, error) {
	if o.Dir == "" || o.Machine == nil || o.Graphs == nil || o.Now == nil {
		return nil, errors.New("open a simulated host: Dir, Machine, Graphs and Now must be set")
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.ClientID == "" {
		o.ClientID = "waptwua"
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open a simulated host: %w", err)
	}
	h := &Host{opt: o}
	s, err := h.load()
	if err != nil {
		return nil, fmt.Errorf("open a simulated host: %w", err)
	}
	if err := appendLog(o.Dir, s.Events); err != nil { // it may lag behind
		return nil, fmt.Errorf("open a simulated host: %w", err)
	}
	if _, err := applicability.NewMachine(s.facts(o.Machine, effective)); err != nil {
		return nil, fmt.Errorf("open a simulated host: %w", err)
	}
	return h, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// call is one call that is being served.
type call struct {
	*Host
	name  string
	state *state
	dirty bool // the state must be saved
}

// serve runs f as the only call on this host. It reports the call's begin to
// progress, which may be nil.
func (h *Host) serve(ctx context.Context, name string, progress func(wua.Progress), f func(*call) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !h.mu.TryLock() {
		return &wua.Error{Op: name, Code: wua.OperationInProgress}
	}
	defer h.mu.Unlock()
	lock, err := filelock.Try(filepath.Join(h.opt.Dir, "lock"))
	if errors.Is(err, filelock.ErrLocked) {
		return &wua.Error{Op: name, Code: wua.OperationInProgress}
	}
	if err != nil {
		return err
	}
	report(progress, wua.Progress{})
	err = h.run(ctx, name, f)
	if unlock := lock.Unlock(); err == nil {
		err = unlock
	}
	return err
}

func (h *Host) run(ctx context.Context, name string, f func(*call) error) error {
	s, err := h.load()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c := &call{Host: h, name: name, state: s}
	if err = c.fault(ctx); err == nil {
		err = f(c)
	}
	if !c.dirty {
		return err
	}
	if saved := c.save(); saved != nil {
		return errors.Join(err, saved)
	}
	return err
}

// fault fails the call as a whole where the script says so.
func (c *call) fault(ctx context.Context) error {
	f := c.scripted(c.name, nil)
	if f == nil {
		return nil
	}
	if err := c.opt.Sleep(ctx, f.delay); err != nil {
		return err
	}
	if f.code == wua.OK {
		return nil
	}
	return &wua.Error{Op: c.name, Code: f.code}
}

// SetHidden hides an update of the last search, or shows it again.
func (h *Host) SetHidden(ctx context.Context, id waptwua.UpdateID, hidden bool) error {
	return h.serve(ctx, callHide, nil, func(c *call) error {
		if _, ok := h.offer.updates[id]; !ok || c.state.Vanished[id] {
			return &wua.Error{Op: callHide, Code: wua.ItemNotFound}
		}
		if c.state.Hidden[id] != hidden {
			c.dirty = true
			c.state.setHidden(id, hidden)
		}
		return nil
	})
}

// History returns what was installed, uninstalled and rolled back.
func (h *Host) History(ctx context.Context, max int) (entries []wua.HistoryEntry, err error) {
	err = h.serve(ctx, callHistory, nil, func(c *call) error {
		entries = c.state.history(max, h.opt.ClientID)
		return nil
	})
	return entries, err
}

// Info describes the machine.
func (h *Host) Info(ctx context.Context) (info wua.Info, err error) {
	err = h.serve(ctx, callInfo, nil, func(c *call) error {
		info = describe(c.state.facts(h.opt.Machine, effective))
		return nil
	})
	return info, err
}

// RebootPending tells whether an installation waits for Restart.
func (h *Host) RebootPending(ctx context.Context) (r wua.Reboot, err error) {
	err = h.serve(ctx, callReboot, nil, func(c *call) error {
		r = c.state.reboot()
		return nil
	})
	return r, err
}

// Facts is the machine as it is now, without what waits for a restart. The
// caller must not change it.
func (h *Host) Facts(ctx context.Context) (f *applicability.Facts, err error) {
	err = h.serve(ctx, "facts", nil, func(c *call) error {
		f = c.state.facts(h.opt.Machine, effective)
		return nil
	})
	return f, err
}
