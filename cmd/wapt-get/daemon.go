package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/eventlog"
	"waptwua/agent/local"
	"waptwua/agent/logfile"
	"waptwua/agent/settings"
	"waptwua/internal/winsvc"
)

// daemon is `service run`: the agent at its schedule, the local endpoint, the
// log files and the event log.
type daemon struct {
	*app
	scm     bool          // started by the service control manager
	drained chan struct{} // closed when nothing new is to be begun
	once    sync.Once     // closes drained
	desk    *local.Desk
	limit   shutdownLimit

	// Set by run; read by others only when run has returned.
	agent  *agent.Agent
	log    *slog.Logger
	events eventlog.Writer
}

func newDaemon(a *app, scm bool) *daemon {
	d := &daemon{app: a, scm: scm, drained: make(chan struct{}), log: slog.New(slog.DiscardHandler)}
	d.limit.tell = func(limit time.Duration) error { return winsvc.SetPreShutdown(serviceName, limit+winsvc.Parting) }
	d.desk = local.NewDesk(d, a.now)
	return d
}

// runBySCM is the Windows service. It does not look at the signals that end
// a command: Windows tells every console program when a user logs off, and
// the Go runtime makes that a SIGTERM.
func (d *daemon) runBySCM() error {
	err := winsvc.Run(serviceName, winsvc.Work{Run: d.run, Drain: d.drain, AtShutdown: d.atShutdown, Limit: d.limit.now, Close: d.close})
	if errors.Is(err, winsvc.ErrNotBySCM) {
		return usageError(fmt.Errorf("%w; by hand, leave out --scm, or use: wapt-get service start", err))
	}
	if errors.Is(err, winsvc.ErrHung) {
		d.opened = nil // closing would wait for what hangs
	}
	return err
}

// run opens the agent and lets it work until ctx ends, or until drain.
func (d *daemon) run(ctx context.Context) error {
	events, err := eventlog.Open(serviceName)
	if err != nil {
		return err
	}
	d.events = events
	d.opened = append(d.opened, events)
	s, err := d.prepare()
	if err != nil {
		d.tell(eventlog.Event{ID: eventlog.CannotWork, Level: eventlog.Error, Text: "The agent cannot work: " + err.Error()})
		return err
	}
	d.log.Info("service runs", "version", version, "config", d.config)
	d.tell(eventlog.Event{ID: eventlog.Started, Text: "The agent has started, version " + version + "."})
	unrenew, err := d.renew(ctx, s)
	if err != nil {
		d.tell(renewalEvent(err))
		return err
	}
	stop := d.serve(ctx, s.Dir)
	err = d.agent.Run(ctx)
	unrenew()
	stop()
	d.log.Info("service stops")
	d.tell(eventlog.Event{ID: eventlog.StoppedService, Text: "The agent has stopped."})
	return err
}

// prepare makes the log and the agent.
func (d *daemon) prepare() (*settings.Settings, error) {
	s, err := d.settings()
	if err != nil {
		return nil, err
	}
	d.log = slog.New(slog.NewTextHandler(d.logWriter(s), &slog.HandlerOptions{Level: level(s.LogLevel)}))
	d.agent, s, err = d.openWith(d.log, func(o *agent.Options) {
		o.Drained = d.drained
		if d.scm {
			o.Settings = d.limit.follow(o.Settings, d.log)
		}
		o.Around = d.around
		o.Progress = d.desk.Progress
	})
	return s, err
}

// logFolder and logName are where the service's log lies below dbdir.
const (
	logFolder = "log"
	logName   = "wapt-get.log"
)

// logWriter writes into the log files and, when a person or an init system
// started the service, to the standard error. Without files the service works
// all the same.
func (d *daemon) logWriter(s *settings.Settings) io.Writer {
	f, err := logfile.Open(filepath.Join(s.Dir, logFolder, logName), logfile.Options{Size: s.LogSize, Count: s.LogCount})
	if err != nil {
		fmt.Fprintln(d.stderr, "wapt-get: no log files are written:", err)
		return d.stderr
	}
	d.opened = append(d.opened, f)
	if d.scm {
		return f
	}
	return io.MultiWriter(f, d.stderr)
}

// serve answers at the local endpoint and does what is ordered there, until
// ctx ends or the function it returns is called: that lets an order under way
// finish first when the service was drained. Without the endpoint the service
// works all the same.
func (d *daemon) serve(ctx context.Context, dir string) (stop func()) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		d.log.Error("local endpoint cannot be opened", "error", err)
		return func() {}
	}
	admins, users, err := local.Listen(dir)
	if err != nil {
		d.log.Error("local endpoint cannot be opened", "error", err)
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var desk, server sync.WaitGroup
	desk.Go(func() { d.desk.Run(ctx, d.drained) })
	server.Go(func() {
		service := &local.Service{Desk: d.desk, Status: d.agent.Status, Version: version, Log: d.log}
		if err := service.Serve(ctx, admins, users); err != nil {
			d.log.Error("local endpoint failed", "error", err)
		}
	})
	return func() {
		d.drain()
		desk.Wait()
		cancel()
		server.Wait()
	}
}

// around runs a task of the schedule at the desk.
func (d *daemon) around(ctx context.Context, name string, run func(context.Context) error) error {
	return d.desk.Around(ctx, name, func(ctx context.Context) error { return d.watch(ctx, name, run) })
}

// Operate does what was ordered at the local endpoint.
func (d *daemon) Operate(ctx context.Context, o local.Order) error {
	return d.patiently(ctx, func(ctx context.Context) error {
		return d.watch(ctx, string(o.Kind), func(ctx context.Context) error {
			switch o.Kind {
			case local.Update:
				return d.agent.UpdateRules(ctx)
			case local.Scan:
				return d.agent.Scan(ctx, agent.ScanOptions{Force: o.Force})
			case local.Download:
				return d.agent.Download(ctx, agent.ScanOptions{Force: o.Force})
			case local.Install:
				return d.installOnly(ctx, d.agent, agent.InstallOptions{Force: o.Force, Now: o.Now}, o.Only)
			case local.Remove:
				return remove(ctx, d.agent, o.Only)
			}
			return fmt.Errorf("%q cannot be ordered", o.Kind)
		})
	})
}

// watch runs an operation, tells the event log what came of it, and gives the
// memory that it took back at once: the service is idle most of its life.
func (d *daemon) watch(ctx context.Context, kind string, run func(context.Context) error) error {
	defer giveBack()
	before, beforeErr := d.agent.Status()
	err := run(ctx)
	after, afterErr := d.agent.Status()
	if beforeErr != nil || afterErr != nil {
		d.log.Warn("no events are written", "error", errors.Join(beforeErr, afterErr))
		return err
	}
	cause := err
	if errors.Is(err, local.ErrUpdateFailed) {
		cause = nil // the updates tell it better
	}
	for _, e := range eventlog.Compare(before, after, kind, cause) {
		d.tell(e)
	}
	return err
}

// giveBack collects twice: what a pool holds outlives the first collection.
func giveBack() {
	runtime.GC()
	debug.FreeOSMemory()
}

func (d *daemon) tell(e eventlog.Event) {
	if err := d.events.Write(e); err != nil {
		d.log.Warn("event cannot be written", "event", e.ID, "error", err)
	}
}

// drain lets what runs finish, and nothing new begin.
func (d *daemon) drain() { d.once.Do(func() { close(d.drained) }) }

// atShutdown installs before Windows shuts down, if the settings say so. It
// is called when run has returned.
func (d *daemon) atShutdown(ctx context.Context) error {
	if d.agent == nil {
		return nil // the service could not begin to work
	}
	err := d.watch(ctx, string(local.Install), d.agent.Shutdown)
	if errors.Is(err, waptwua.ErrUnchanged) && !errors.Is(err, agent.ErrNotReported) {
		d.log.Info("nothing is installed before the shutdown", "reason", err)
		return nil
	}
	d.log.Info("installed before the shutdown", "error", err)
	return err
}

// shutdownLimit is pre_shutdown_timeout, which may change while the service
// runs.
type shutdownLimit struct {
	limit atomic.Int64                    // 0: the settings have not been read yet
	tell  func(limit time.Duration) error // has Windows wait that long
}

// now is how long a shutdown may take that begins now.
func (l *shutdownLimit) now() time.Duration {
	return cmp.Or(time.Duration(l.limit.Load()), preShutdown)
}

// follow tells Windows when the option has changed, each time that the agent
// reads its settings.
func (l *shutdownLimit) follow(read func() (*settings.Settings, error), log *slog.Logger) func() (*settings.Settings, error) {
	return func() (*settings.Settings, error) {
		s, err := read()
		if err != nil || l.limit.Swap(int64(s.Exit.Limit)) == int64(s.Exit.Limit) {
			return s, err
		}
		if err := l.tell(s.Exit.Limit); err != nil {
			log.Warn("Windows may not wait for pre_shutdown_timeout", "error", err)
		}
		return s, nil
	}
}

// close gives back what run has opened. It is called once.
func (d *daemon) close() {
	if d.agent != nil {
		d.agent.Close()
	}
	for _, c := range slices.Backward(d.opened) { // the log was opened before what it tells of
		if err := c.Close(); err != nil {
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
