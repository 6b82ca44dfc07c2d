// Package calm lets the Windows Update Agent search with low priority. A
// search with the scan archive keeps a processor busy for minutes; it happens
// in the process of the Windows Update service, whose priority is lowered
// meanwhile: one class below normal for the processor, low for the disk.
// (Windows' own background mode is not used: with it searches have been seen
// to take many times as long.)
//
// A process that other services share is left as it is, and so is one whose
// priority cannot be changed: a search is never refused for this.
package calm

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"waptwua/wua"
)

// errNotNow says that there is no process yet whose priority could be lowered.
var errNotNow = errors.New("the service does not run")

// Process is the process that searches.
type Process interface {
	// Lower lowers its priority; restore undoes that.
	Lower() (restore func() error, err error)
}

// Host is a wua.Host that searches calmly.
type Host struct {
	wua.Host
	process Process
	log     *slog.Logger
	again   time.Duration
}

// Searches puts calm around h. p is nil where nothing can be lowered.
func Searches(h wua.Host, p Process, log *slog.Logger) *Host {
	return &Host{Host: h, process: p, log: log, again: time.Second}
}

// Search implements wua.Searcher.
func (h *Host) Search(ctx context.Context, q wua.Query) (*wua.Found, error) {
	if h.process == nil {
		return h.Host.Search(ctx, q)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		h.lower(stop)
	}()
	f, err := h.Host.Search(ctx, q)
	close(stop)
	<-stopped
	return f, err
}

// lower lowers the priority until stop. The search itself may start the
// service, so it is looked for again.
func (h *Host) lower(stop <-chan struct{}) {
	for {
		restore, err := h.process.Lower()
		switch {
		case err == nil:
			<-stop
			if err := restore(); err != nil {
				h.log.Debug("priority of the search was not restored", "error", err)
			}
			return
		case !errors.Is(err, errNotNow):
			h.log.Debug("priority of the search was not lowered", "error", err)
			return
		}
		select {
		case <-stop:
			return
		case <-time.After(h.again):
		}
	}
}

// Close closes the host, when it can be closed.
func (h *Host) Close() error {
	if c, ok := h.Host.(interface{ Close() error }); ok {
		return c.Close()
	}
	return nil
}
