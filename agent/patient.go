package agent

import (
	"context"
	"errors"
	"time"

	"waptwua"
	"waptwua/wua"
)

// patient is a host whose Windows Update Agent may be at work for somebody
// else: Windows itself, or a user at the control panel. WUA refuses a second
// caller instead of letting it wait, so the call is made again for a while.
type patient struct {
	wua.Host
	clock Clock
}

// The waits between calls double; together they last about two minutes.
const (
	busyTries = 8
	busyWait  = time.Second
)

func (p patient) try(ctx context.Context, call func() error) error {
	for n := 1; ; n++ {
		err := call()
		if n == busyTries || !p.ends(ctx, err) {
			return err
		}
		if err := p.clock.Sleep(ctx, doubled(busyWait, n, time.Minute)); err != nil {
			return err
		}
	}
}

// ends tells whether what err refuses may be possible soon. Installations are
// not allowed while another one runs, and after one that wants a restart:
// that is worth no wait.
func (p patient) ends(ctx context.Context, err error) bool {
	if errors.Is(err, &wua.Error{Code: wua.InstallNotAllowed}) {
		r, rebootErr := p.Host.RebootPending(ctx)
		return rebootErr == nil && !r.Required
	}
	return isBusy(err)
}

// Search implements wua.Searcher.
func (p patient) Search(ctx context.Context, q wua.Query) (f *wua.Found, err error) {
	err = p.try(ctx, func() error { f, err = p.Host.Search(ctx, q); return err })
	return f, err
}

// SetHidden implements wua.Hider.
func (p patient) SetHidden(ctx context.Context, id waptwua.UpdateID, hidden bool) error {
	return p.try(ctx, func() error { return p.Host.SetHidden(ctx, id, hidden) })
}

// Stage implements wua.Installer.
func (p patient) Stage(ctx context.Context, leaf waptwua.UpdateID, files []string) error {
	return p.try(ctx, func() error { return p.Host.Stage(ctx, leaf, files) })
}

// Install implements wua.Installer. An error says that nothing was tried, so
// trying again installs nothing twice.
func (p patient) Install(ctx context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (r *wua.Result, err error) {
	err = p.try(ctx, func() error { r, err = p.Host.Install(ctx, ids, progress); return err })
	return r, err
}

// Uninstall implements wua.Installer; see Install.
func (p patient) Uninstall(ctx context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (r *wua.Result, err error) {
	err = p.try(ctx, func() error { r, err = p.Host.Uninstall(ctx, ids, progress); return err })
	return r, err
}

// History implements wua.Historian.
func (p patient) History(ctx context.Context, max int) (h []wua.HistoryEntry, err error) {
	err = p.try(ctx, func() error { h, err = p.Host.History(ctx, max); return err })
	return h, err
}

// Info implements wua.System.
func (p patient) Info(ctx context.Context) (i wua.Info, err error) {
	err = p.try(ctx, func() error { i, err = p.Host.Info(ctx); return err })
	return i, err
}

// RebootPending implements wua.System.
func (p patient) RebootPending(ctx context.Context) (r wua.Reboot, err error) {
	err = p.try(ctx, func() error { r, err = p.Host.RebootPending(ctx); return err })
	return r, err
}
