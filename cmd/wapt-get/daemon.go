package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"waptwua"
	"waptwua/agent"
	"waptwua/internal/winsvc"
)

// daemon is `service run`.
type daemon struct {
	*app
	drained chan struct{} // closed when nothing new is to be begun
	once    sync.Once     // closes drained

	// Set by run; read by others only when run has returned.
	agent *agent.Agent
	log   *slog.Logger
}

func newDaemon(a *app) *daemon { return &daemon{app: a, drained: make(chan struct{})} }

// runBySCM is the Windows service. It does not look at the signals that end
// a command: Windows tells every console program when a user logs off, and
// the Go runtime makes that a SIGTERM.
func (d *daemon) runBySCM() error {
	err := winsvc.Run(serviceName, winsvc.Work{Run: d.run, Drain: d.drain, AtShutdown: d.atShutdown, Limit: preShutdown, Close: d.close})
	if errors.Is(err, winsvc.ErrNotBySCM) {
		return usageError{fmt.Errorf("%w; by hand, leave out --scm, or use: wapt-get service start", err)}
	}
	if errors.Is(err, winsvc.ErrHung) {
		d.opened = nil // closing would wait for what hangs
	}
	return err
}

// run opens the agent and lets it work until ctx ends, or until drain.
func (d *daemon) run(ctx context.Context) error {
	s, err := d.settings()
	if err != nil {
		return err
	}
	d.log = slog.New(slog.NewTextHandler(d.stderr, &slog.HandlerOptions{Level: level(s.LogLevel)}))
	d.agent, _, err = d.openWith(d.log, func(o *agent.Options) { o.Drained = d.drained })
	if err != nil {
		return err
	}
	d.log.Info("service runs", "version", version, "config", d.config)
	err = d.agent.Run(ctx)
	d.log.Info("service stops")
	return err
}

// drain lets what runs finish, and nothing new begin.
func (d *daemon) drain() { d.once.Do(func() { close(d.drained) }) }

// atShutdown installs before Windows shuts down, if the settings say so. It
// is called when run has returned.
func (d *daemon) atShutdown(ctx context.Context) error {
	if d.agent == nil {
		return nil // the service could not begin to work
	}
	err := d.agent.Shutdown(ctx)
	if errors.Is(err, waptwua.ErrUnchanged) {
		return nil
	}
	d.log.Info("installed before the shutdown", "error", err)
	return err
}

// close gives back what run has opened. It is called once.
func (d *daemon) close() {
	if d.agent != nil {
		d.agent.Close()
	}
	for _, c := range d.opened {
		if err := c.Close(); err != nil && d.log != nil {
			d.log.Warn("closing", "error", err)
		}
	}
	d.opened = nil
}

// level is the log level of a loglevel option.
func level(s string) slog.Level {
	switch s {
	case "debug":
		return slog.LevelDebug
	case "warning":
		return slog.LevelWarn
	case "error", "critical":
		return slog.LevelError
	}
	return slog.LevelInfo
}
