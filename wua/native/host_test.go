//go:build !windows

package native_test

import (
	"context"
	"errors"
	"testing"

	"waptwua"
	"waptwua/wua"
	"waptwua/wua/native"
)

// watcher is a wua.Host that looks at the service in each call.
type watcher struct {
	r      *rig
	calls  int
	closed bool
}

func (w *watcher) look() error {
	w.calls++
	s, err := w.r.Service(w.r.Context(), native.UpdateService)
	if err == nil && s != usable {
		err = errors.New("the service cannot be used: " + s.String())
	}
	return err
}

func (w *watcher) Search(context.Context, wua.Query) (*wua.Found, error) {
	return &wua.Found{}, w.look()
}
func (w *watcher) SetHidden(context.Context, waptwua.UpdateID, bool) error { return w.look() }
func (w *watcher) Stage(context.Context, waptwua.UpdateID, []string) error { return w.look() }
func (w *watcher) Install(context.Context, []waptwua.UpdateID, func(wua.Progress)) (*wua.Result, error) {
	return &wua.Result{}, w.look()
}
func (w *watcher) Uninstall(context.Context, []waptwua.UpdateID, func(wua.Progress)) (*wua.Result, error) {
	return &wua.Result{}, w.look()
}
func (w *watcher) History(context.Context, int) ([]wua.HistoryEntry, error) { return nil, w.look() }
func (w *watcher) Info(context.Context) (wua.Info, error)                   { return wua.Info{}, nil }
func (w *watcher) RebootPending(context.Context) (wua.Reboot, error)        { return wua.Reboot{}, w.look() }
func (w *watcher) Close() error                                             { w.closed = true; return w.look() }

func TestHost(t *testing.T) {
	r := newRig(t)
	r.settle(takeOver)
	w := &watcher{r: r}
	h := native.Keep(w, r.control())
	ctx := t.Context()
	_, info := h.Info(ctx)
	r.must(info)
	r.service(native.Service{Start: native.Disabled})
	_, search := h.Search(ctx, wua.Query{})
	_, install := h.Install(ctx, nil, nil)
	_, uninstall := h.Uninstall(ctx, nil, nil)
	_, history := h.History(ctx, 1)
	_, reboot := h.RebootPending(ctx)
	for op, err := range map[string]error{
		"Search": search, "Install": install, "Uninstall": uninstall, "History": history, "RebootPending": reboot,
		"SetHidden": h.SetHidden(ctx, waptwua.UpdateID{}, true), "Stage": h.Stage(ctx, waptwua.UpdateID{}, nil),
	} {
		if err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
	r.service(usable)
	r.must(h.Rest(ctx))
	r.must(h.Rest(ctx))
	r.service(native.Service{Start: native.Disabled})
	r.must(h.Close())
	if !w.closed || w.calls != 8 {
		t.Errorf("closed: %v, after %d calls", w.closed, w.calls)
	}
	r.service(native.Service{Start: native.Disabled})
}

// TestHostCancelled: the hold ends although the call's context has.
func TestHostCancelled(t *testing.T) {
	r := newRig(t)
	r.settle(takeOver)
	h := native.Keep(&watcher{r: r}, r.control())
	ctx, cancel := context.WithCancel(t.Context())
	_, err := h.Search(ctx, wua.Query{})
	r.must(err)
	cancel()
	r.must(h.Close())
	r.service(native.Service{Start: native.Disabled})
}

func TestHostDisabled(t *testing.T) {
	r := newRig(t)
	r.start(native.Disabled)
	w := &watcher{r: r}
	h := native.Keep(w, r.control())
	if _, err := h.Search(t.Context(), wua.Query{}); err == nil || w.calls > 0 {
		t.Errorf("a search with a disabled service: %v, %d calls", err, w.calls)
	}
	r.must(h.Rest(t.Context()))
}
