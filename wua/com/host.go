package com

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"waptwua"
	"waptwua/wua"
)

var _ wua.Host = (*Host)(nil)

// Options describe how to work with WUA. The zero value is usable.
type Options struct {
	// ClientID is what the host's history shows as the origin of searches and
	// installations (ClientApplicationID); empty: waptwua.
	ClientID string
	// Grace is how long a call may take to end after its context has; 0: 10 s.
	Grace time.Duration
}

const (
	defaultClientID = "waptwua"
	defaultGrace    = 10 * time.Second
)

// platform is what a Windows gives.
type platform struct {
	enter   func() (apartment, error) // makes the calling thread use COM
	edition func() (edition, error)   // what Windows this is
	pending func() ([]string, error)  // restarts that others than WUA wait for
}

// Host is the Windows that the program runs on. Its methods may be called by
// several goroutines; one call at a time is served. Close it.
type Host struct {
	opt      Options
	platform platform

	busy chan struct{} // holds a token while a call runs
	work chan func(apartment)
	done chan struct{} // closed when the thread has ended

	offer *offer // of the last successful search; used on the thread only
}

// newHost starts the thread that makes all calls.
func newHost(o Options, p platform) (*Host, error) {
	if o.ClientID == "" {
		o.ClientID = defaultClientID
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	h := &Host{opt: o, platform: p, busy: make(chan struct{}, 1), work: make(chan func(apartment)), done: make(chan struct{})}
	entered := make(chan error)
	go h.thread(entered)
	if err := <-entered; err != nil {
		return nil, fmt.Errorf("use COM: %w", err)
	}
	return h, nil
}

// thread keeps its operating-system thread for good: it ends with it.
func (h *Host) thread(entered chan<- error) {
	defer close(h.done)
	runtime.LockOSThread()
	a, err := h.platform.enter()
	entered <- err
	if err != nil {
		return
	}
	defer a.close()
	for f := range h.work {
		f(a)
	}
}

// Close waits for the call that runs, removes the service of the last search,
// and ends the thread. No call is possible afterwards.
func (h *Host) Close() error {
	h.busy <- struct{}{} // for good
	removed := make(chan error, 1)
	h.work <- func(a apartment) {
		if h.offer == nil {
			removed <- nil // a search that failed has removed its service
			return
		}
		h.offer.close()
		if h.offer.service == "" {
			removed <- nil
			return
		}
		removed <- removeService(a, h.offer.service) // not another process' service
	}
	err := <-removed
	close(h.work)
	<-h.done
	if err != nil {
		return fmt.Errorf("remove the scan package service: %w", err)
	}
	return nil
}

// session is one call that is being served.
type session struct {
	*Host
	apartment
}

// serve runs f on the thread as the only call. When ctx ends and f does not,
// it returns without it after Options.Grace.
func serve[T any](ctx context.Context, h *Host, op string, f func(*session) (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	select {
	case h.busy <- struct{}{}:
	default:
		return none, &wua.Error{Op: op, Code: wua.OperationInProgress}
	}
	ended := make(chan outcome, 1)
	h.work <- func(a apartment) {
		v, err := f(&session{Host: h, apartment: a})
		<-h.busy
		ended <- outcome{v, explain(ctx, op, err)}
	}
	select {
	case r := <-ended:
		return r.value, r.err
	case <-ctx.Done():
	}
	late := time.NewTimer(h.opt.Grace)
	defer late.Stop()
	select {
	case r := <-ended:
		return r.value, r.err
	case <-late.C:
		return none, ctx.Err()
	}
}

// explain says what was being done when err came. A call that failed because
// its context ended fails with the context's error.
func explain(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var e *wua.Error
	if errors.As(err, &e) && e.Op == op {
		return err
	}
	return fmt.Errorf("%s: %w", op, err)
}

// offer is what the last successful search found: the objects whose
// identities the other calls take.
type offer struct {
	session object
	service string // the scan package service that was searched; empty: none
	updates map[waptwua.UpdateID]object
	leaves  map[waptwua.UpdateID]object
}

func (o *offer) close() {
	if o == nil {
		return
	}
	for _, u := range o.updates {
		u.release()
	}
	for _, l := range o.leaves {
		l.release()
	}
	o.session.release()
}

// update finds an update of the last search.
func (o *offer) update(id waptwua.UpdateID) (object, bool) {
	if o == nil {
		return nil, false
	}
	u, ok := o.updates[id]
	return u, ok
}

func (o *offer) leaf(id waptwua.UpdateID) (object, bool) {
	if o == nil {
		return nil, false
	}
	l, ok := o.leaves[id]
	return l, ok
}
