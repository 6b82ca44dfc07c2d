package wuatest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"waptwua/wua"
)

func cancelled(t *testing.T, s *suite) {
	h := s.host()
	h.stage(h.search(wua.Query{}), numPlain)
	ctx, cancel := context.WithCancel(h.ctx())
	cancel()
	calls := map[string]func() error{
		"search":         func() error { _, err := h.Host.Search(ctx, wua.Query{Archive: h.Archive}); return err },
		"hide":           func() error { return h.Host.SetHidden(ctx, updateID(numPlain), true) },
		"stage":          func() error { return h.Host.Stage(ctx, updateID(numPlain), []string{h.File(updateID(numPlain))}) },
		"install":        func() error { _, err := h.Host.Install(ctx, ids(numPlain), nil); return err },
		"uninstall":      func() error { _, err := h.Host.Uninstall(ctx, ids(numPlain), nil); return err },
		"history":        func() error { _, err := h.Host.History(ctx, 1); return err },
		"info":           func() error { _, err := h.Host.Info(ctx); return err },
		"reboot-pending": func() error { _, err := h.Host.RebootPending(ctx); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want %v", name, err, context.Canceled)
		}
	}
	h.wantInstalled(false, numPlain)
}

// running starts call in the background on a host that hangs in it, waits
// until it has begun, and returns what ends it.
func (h *subject) running(call func(ctx context.Context, began func(wua.Progress)) error) (end func() error) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.ctx())
	began, done := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		done <- call(ctx, func(wua.Progress) { once.Do(func() { close(began) }) })
	}()
	select {
	case <-began:
	case err := <-done:
		h.t.Fatalf("the call ended before it was cancelled: %v", err)
	}
	return func() error {
		cancel()
		return <-done
	}
}

func cancelSearch(t *testing.T, s *suite) {
	h := s.host(Fault{Call: "search", Effect: NeverReturn, Times: 1})
	end := h.running(func(ctx context.Context, began func(wua.Progress)) error {
		_, err := h.Host.Search(ctx, wua.Query{Archive: h.Archive, Progress: began})
		return err
	})
	if err := end(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	h.search(wua.Query{}) // it still works
}

func cancelInstall(t *testing.T, s *suite) {
	h := s.host(Fault{Call: "install", Update: updateID(numPatch), Effect: NeverReturn, Times: 1})
	h.stage(h.search(wua.Query{}), numPlain, numPatch, numNew)
	var result *wua.Result
	plainDone := make(chan struct{})
	var once sync.Once
	end := h.running(func(ctx context.Context, began func(wua.Progress)) (err error) {
		result, err = h.Host.Install(ctx, ids(numPlain, numPatch, numNew), func(p wua.Progress) {
			began(p)
			if p.Index == 1 {
				once.Do(func() { close(plainDone) })
			}
		})
		return err
	})
	<-plainDone
	if err := end(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if result == nil || len(result.Updates) != 3 {
		t.Fatalf("the result so far is %+v", result)
	}
	h.wantResult(result, 0, wua.Succeeded, wua.OK)
	h.wantResult(result, 2, wua.NotStarted, wua.OK)
	h.wantInstalled(true, numPlain)
	h.wantInstalled(false, numPatch, numNew)
}

func inProgress(t *testing.T, s *suite) {
	h := s.host(Fault{Call: "search", Effect: NeverReturn, Times: 1})
	end := h.running(func(ctx context.Context, began func(wua.Progress)) error {
		_, err := h.Host.Search(ctx, wua.Query{Archive: h.Archive, Progress: began})
		return err
	})
	_, err := h.Host.Search(h.ctx(), wua.Query{Archive: h.Archive})
	h.wantCode(err, wua.OperationInProgress)
	_, err = h.Host.Install(h.ctx(), ids(numPlain), nil)
	h.wantCode(err, wua.OperationInProgress)
	if err := end(); !errors.Is(err, context.Canceled) {
		t.Errorf("the first call ended with %v", err)
	}
	h.search(wua.Query{})
}

func serviceDisabled(_ *testing.T, s *suite) {
	h := s.host(
		Fault{Call: "search", Effect: Fails, Code: wua.ServiceDisabled},
		Fault{Call: "install", Effect: Fails, Code: wua.ServiceDisabled},
	)
	_, err := h.Host.Search(h.ctx(), wua.Query{Archive: h.Archive})
	h.wantCode(err, wua.ServiceDisabled)
	_, err = h.Host.Install(h.ctx(), ids(numPlain), nil)
	h.wantCode(err, wua.ServiceDisabled)
}

func info(t *testing.T, s *suite) {
	i, err := s.host().Host.Info(t.Context())
	if err != nil || i.OS == "" || i.Version == "" || i.Architecture == "" || i.WUAVersion == "" {
		t.Errorf("Info = %+v, %v", i, err)
	}
}

func survives(t *testing.T, s *suite) {
	h := s.host()
	if h.Reopen == nil {
		t.Skip("this host cannot be opened by a second process")
	}
	h.install(numPlain, numBundle)
	if err := h.Host.SetHidden(h.ctx(), updateID(numPatch), true); err != nil {
		t.Fatal(err)
	}
	h.Host = h.Reopen()
	h.wantInstalled(true, numPlain)
	if p, err := h.Host.RebootPending(h.ctx()); err != nil || !p.Required {
		t.Errorf("the pending restart is forgotten: %+v, %v", p, err)
	}
	if !h.search(wua.Query{})[updateID(numPatch)].Hidden {
		t.Error("the hidden update is shown again")
	}
	if entries, err := h.Host.History(h.ctx(), 10); err != nil || len(entries) != 2 {
		t.Errorf("the history is %+v, %v", entries, err)
	}
}
