package native

import (
	"context"
	"errors"
	"io"
	"sync"

	"waptwua"
	"waptwua/wua"
)

// Host is a wua.Host whose calls find the Windows Update service usable. The
// service is held from the first call until [Host.Rest], since starting and
// stopping it for each of a hundred files would take longer than the work.
type Host struct {
	host    wua.Host
	control *Control

	mu     sync.Mutex
	rest   func(context.Context) error // ends the hold between calls; nil: there is none
	worked bool                        // something may have to be cleaned up when the host is closed
}

var _ wua.Host = (*Host)(nil)

// Keep puts c around h. Closing the result closes h, when it can be closed.
func Keep(h wua.Host, c *Control) *Host { return &Host{host: h, control: c} }

// begin holds the service for one call, and until Rest.
func (h *Host) begin(ctx context.Context) (end func() error, err error) {
	release, err := h.control.Hold(ctx)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.worked = true
	if h.rest == nil {
		h.rest = release
		if release, err = h.control.Hold(ctx); err != nil {
			rest := h.rest
			h.rest = nil
			return nil, errors.Join(err, rest(context.WithoutCancel(ctx)))
		}
	}
	return func() error { return release(context.WithoutCancel(ctx)) }, nil
}

// Rest ends the hold: an operation has ended.
func (h *Host) Rest(ctx context.Context) error {
	h.mu.Lock()
	rest := h.rest
	h.rest = nil
	h.mu.Unlock()
	if rest == nil {
		return nil
	}
	return rest(ctx)
}

// Close ends the hold and closes the host. What the host has left in the
// service's database can only be cleaned up while the service can be used.
func (h *Host) Close() error {
	c, ok := h.host.(io.Closer)
	if !ok {
		return h.Rest(context.Background())
	}
	ctx := context.Background()
	if !h.worked {
		return c.Close()
	}
	release, err := h.control.Hold(ctx)
	if err != nil {
		return errors.Join(c.Close(), h.Rest(ctx))
	}
	return errors.Join(c.Close(), release(ctx), h.Rest(ctx))
}

// during makes one call while the service is held.
func during[T any](ctx context.Context, h *Host, call func() (T, error)) (T, error) {
	end, err := h.begin(ctx)
	if err != nil {
		var none T
		return none, err
	}
	v, err := call()
	return v, errors.Join(err, end())
}

// Search implements wua.Searcher.
func (h *Host) Search(ctx context.Context, q wua.Query) (*wua.Found, error) {
	return during(ctx, h, func() (*wua.Found, error) { return h.host.Search(ctx, q) })
}

// SetHidden implements wua.Hider.
func (h *Host) SetHidden(ctx context.Context, id waptwua.UpdateID, hidden bool) error {
	_, err := during(ctx, h, func() (struct{}, error) { return struct{}{}, h.host.SetHidden(ctx, id, hidden) })
	return err
}

// Stage implements wua.Installer.
func (h *Host) Stage(ctx context.Context, leaf waptwua.UpdateID, files []string) error {
	_, err := during(ctx, h, func() (struct{}, error) { return struct{}{}, h.host.Stage(ctx, leaf, files) })
	return err
}

// Install implements wua.Installer.
func (h *Host) Install(ctx context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (*wua.Result, error) {
	return during(ctx, h, func() (*wua.Result, error) { return h.host.Install(ctx, ids, progress) })
}

// Uninstall implements wua.Installer.
func (h *Host) Uninstall(ctx context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (*wua.Result, error) {
	return during(ctx, h, func() (*wua.Result, error) { return h.host.Uninstall(ctx, ids, progress) })
}

// Info implements wua.System; it needs no service.
func (h *Host) Info(ctx context.Context) (wua.Info, error) { return h.host.Info(ctx) }

// RebootPending implements wua.System.
func (h *Host) RebootPending(ctx context.Context) (wua.Reboot, error) {
	return during(ctx, h, func() (wua.Reboot, error) { return h.host.RebootPending(ctx) })
}
