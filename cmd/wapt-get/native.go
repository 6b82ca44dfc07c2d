package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"time"

	"waptwua/agent"
	"waptwua/agent/journal"
	"waptwua/agent/settings"
	"waptwua/wua"
	"waptwua/wua/native"
)

// nativeFile keeps what Windows Update was before it was taken over, below dbdir.
const nativeFile = "native.json"

// document is a native.Records in a file of the agent.
type document string

func (d document) Load(v any) error { return journal.Load(string(d), v) }
func (d document) Save(v any) error { return journal.Save(string(d), v) }

// newControl has the native updating of a host in hand. Its record is in the
// agent's folder dir.
func newControl(sys native.System, dir string, now func() time.Time) *native.Control {
	return native.New(native.Options{System: sys, Records: document(filepath.Join(dir, nativeFile)), Now: now})
}

// updating is the native updating of the host that was opened, and its WUA.
type updating struct {
	dir     string // of the agent
	control *native.Control
	host    *native.Host // holds the service
	inner   wua.Host     // does not
	system  native.System
	windows string // the Windows folder
}

// newUpdating works with searcher, which is h's WUA or is around it.
func newUpdating(h *windowsHost, searcher wua.Host, c *native.Control, dir string) *updating {
	return &updating{dir: dir, control: c, host: native.Keep(searcher, c), inner: h.wua, system: h.native, windows: h.folder}
}

// Settle implements agent.Native.
func (u *updating) Settle(ctx context.Context, s *settings.Settings) ([]string, error) {
	return u.control.Settle(ctx, planOf(s))
}

// Rest implements agent.Native.
func (u *updating) Rest(ctx context.Context) error { return u.host.Rest(ctx) }

// Close ends the use of WUA. Cleaning up starts the Windows Update service and
// stops it again, so it is done only while no operation of another process
// runs, which may need the service or is giving it back. Otherwise nothing is
// started, and what cannot be cleaned up the next search cleans up.
func (u *updating) Close() error {
	began := false
	err := agent.Alone(u.dir, func() error {
		began = true
		return u.host.Close()
	})
	if began {
		return err
	}
	if c, ok := u.inner.(io.Closer); ok {
		if err := c.Close(); err != nil && !errors.Is(err, &wua.Error{Code: wua.ServiceDisabled}) {
			return err
		}
	}
	return nil
}

// planOf is what the settings want of native updating.
func planOf(s *settings.Settings) native.Plan {
	p := native.Plan{Idle: native.Idle(s.ServiceIdle)}
	switch s.Enabled {
	case settings.True:
		p.Want = native.TakeOver
	case settings.False:
		p.Want = native.GiveBack
	}
	return p
}
