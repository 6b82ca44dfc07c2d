package agent

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"waptwua"
	"waptwua/wua"
)

// The times after which the Windows Update Agent counts as hung: of a whole
// search, which took hours on old machines, and of an installation that comes
// no further, as long as dism.exe and wusa.exe may take.
const (
	defaultSearchLimit  = 6 * time.Hour
	defaultInstallLimit = 3 * time.Hour
)

// bounded is a host whose Windows Update Agent may hang: an installer that
// waits for somebody to press a button must not hold the schedule for ever.
type bounded struct {
	wua.Host
	search, install time.Duration
}

// Search implements wua.Searcher.
func (b bounded) Search(ctx context.Context, q wua.Query) (*wua.Found, error) {
	limited, cancel := context.WithTimeout(ctx, b.search)
	defer cancel()
	f, err := b.Host.Search(limited, q)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("the search was ended after %s; restart the host, or its Windows Update service", b.search)
	}
	return f, err
}

// Install implements wua.Installer. The update that was its turn when nothing
// moved any more has failed; where that was not told, all have.
func (b bounded) Install(ctx context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (*wua.Result, error) {
	return b.watch(ctx, ids, progress, b.Host.Install)
}

// Uninstall implements wua.Installer; see Install.
func (b bounded) Uninstall(ctx context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (*wua.Result, error) {
	return b.watch(ctx, ids, progress, b.Host.Uninstall)
}

func (b bounded) watch(ctx context.Context, ids []waptwua.UpdateID, progress func(wua.Progress),
	call func(context.Context, []waptwua.UpdateID, func(wua.Progress)) (*wua.Result, error)) (*wua.Result, error) {
	watched, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := time.AfterFunc(b.install, cancel)
	defer timer.Stop()
	var mu sync.Mutex
	var last wua.Progress
	r, err := call(watched, ids, func(p wua.Progress) {
		mu.Lock()
		moved := p != last
		last = p
		mu.Unlock()
		if moved {
			timer.Reset(b.install)
		}
		if progress != nil {
			progress(p)
		}
	})
	if err == nil || watched.Err() == nil || ctx.Err() != nil {
		return r, err
	}
	mu.Lock()
	defer mu.Unlock()
	return hung(ids, last.Update, r), nil
}

// hung is the result of a call in which current was installed for too long. so
// far may be nil.
func hung(ids []waptwua.UpdateID, current waptwua.UpdateID, soFar *wua.Result) *wua.Result {
	out := &wua.Result{Code: wua.Aborted}
	if soFar != nil {
		out.RebootRequired, out.Updates = soFar.RebootRequired, slices.Clone(soFar.Updates)
	}
	for _, id := range ids {
		i := slices.IndexFunc(out.Updates, func(u wua.UpdateResult) bool { return u.ID == id })
		if i < 0 {
			i, out.Updates = len(out.Updates), append(out.Updates, wua.UpdateResult{ID: id})
		}
		u := &out.Updates[i]
		ended := u.Code == wua.Succeeded || u.Code == wua.SucceededWithErrors || u.Code == wua.Failed
		if !ended && (id == current || current == waptwua.UpdateID{}) {
			u.Code, u.HResult = wua.Failed, wua.InstallerHung
		}
	}
	return out
}
