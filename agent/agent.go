// Package agent is a host's cycle of patch management: it fetches rules and
// the scan archive, lets the Windows Update Agent (package wua) search,
// decides about each update by policy, fetches the files it needs, installs
// what is allowed, searches again, and reports.
//
// # What is believed
//
// Rules count only when an administrator whose certificate lies in the
// certificates' folder has signed them, and never in a lower version than
// was seen before. A rule package that the server stops handing out loses
// what it allows and keeps what it forbids: the server may restrict, it may
// not permit. To withdraw a package, sign a new version without rules.
// Files come from the repository or, where allowed, from Microsoft; they
// are used when they fit the digests in a statement that the server's key
// has signed for the scan archive in use.
//
// # What a status means
//
// An update is OK when a search after its installation no longer offers it,
// whatever the installer said. REBOOT is installed but waiting for a
// restart. PENDING and MISSING are allowed and needed, with and without
// their files at hand; DISCARDED is needed but not allowed now; ERROR says
// that the last attempt failed, with what to do. An update that the
// installer called successful and that is offered all the same is ERROR.
//
// # The way of an update
//
// Beside the status, which says what is to be done, each update has its
// steps (waptwua.Step): needed, downloading, downloaded, installing,
// installed-waiting-for-reboot, verified, failed, rolled-back, each with its
// time. Where a restart is needed, verified is reached only by a search after
// it: Options.Booted must have changed, and Windows must not ask for one any
// more. An update that is offered again then was rolled back. Which installer
// an update is given to, and why, is its waptwua.Way.
//
// Restarts that achieve nothing end: after Options.MaxRestarts that have not
// cleared Windows' wish for one, State.RestartLoop says so, no more are asked
// for, and installations go on without; an update that was rolled back as
// often is tried only by command (InstallOptions.Force).
//
// # What survives
//
// The agent may be killed at any moment. Everything it knows is in its
// folder, in files that are replaced whole (package agent/journal); the log
// says in which step an operation was. After a kill the next operation
// searches before anything else, so nothing is installed twice; the state
// that the server has not acknowledged is sent again.
//
//	journal.log        what was begun and finished
//	state.json         what the host knows; acked.json what the server knows
//	shutdown.json      whether people have decided about a shutdown
//	updates.json       descriptions of the updates of the last search
//	rules.json         the rule packages in force, as signed
//	private/           the host's key and certificate, the server's certificates
//	cache/             package agent/cache
//	packages/          packages of the update being installed, gone afterwards
//	agent.lock         held while an operation runs, also by another process
//
// # Limits
//
// One operation at a time per folder; a second one gets ErrBusy. The agent
// restarts the host only as restart_policy says, and never by a command. An
// Agent holds little memory between operations, so that a process can hold
// thousands.
package agent

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"waptwua/agent/settings"
	"waptwua/internal/diskfree"
	"waptwua/internal/hostzone"
	"waptwua/transport/client"
	"waptwua/wua"
)

// The errors of this package, beside those of package waptwua.
var (
	// ErrBusy says that another operation runs on this host.
	ErrBusy = errors.New("the agent is busy with another operation")
	// ErrNotRegistered says that the host has no certificate yet.
	ErrNotRegistered = errors.New("this host is not registered; run: wapt-get register --token TOKEN")
	// ErrNotEnabled says that the settings do not let the agent install.
	ErrNotEnabled = errors.New("[waptwua] enabled is not true in wapt-get.ini: updates are only looked for, not installed")
	// ErrRestartFirst says that nothing can be installed before a restart.
	ErrRestartFirst = errors.New("the host waits for a restart; restart it before the next installation")
	// ErrNoArchive says that there is no scan archive to search with.
	ErrNoArchive = errors.New("no scan archive could be had yet")
	// ErrNotReported says that the operation itself succeeded, but the server
	// does not know yet; the next report tells it.
	ErrNotReported = errors.New("the result is kept and will be reported later")
)

// Clock is the time as an agent sees it.
type Clock interface {
	Now() time.Time
	// Sleep returns after d, or with the context's error when that ends first.
	Sleep(ctx context.Context, d time.Duration) error
}

// Options say what an agent works with. Dir, Settings and WUA are needed.
type Options struct {
	Dir      string                             // the agent's own files; created when missing
	Settings func() (*settings.Settings, error) // asked at the start of each operation
	WUA      wua.Host
	Packages wua.Packager          // installs OSInstaller updates; nil: they fail
	Clock    Clock                 // nil: the machine's
	Log      *slog.Logger          // nil: nothing is logged
	HostName string                // FQDN; empty: the UUID
	Native   Native                // nil: Windows' own updating is left alone
	Version  string                // of the agent
	Zone     func() *time.Location // of the host's clocks, for windows, asked each time; nil: the machine's
	Booted   time.Time             // when the host was started, for postboot_delay; zero: long ago

	// Desktop and Restarter serve restart_policy. Without a Desktop nobody is
	// logged in; without a Restarter the agent never restarts the host.
	Desktop   Desktop
	Restarter Restarter

	// Conditions are asked before scheduled work. nil: they are always good.
	Conditions Conditions
	// CheckArchive checks Microsoft's signature of the archive at a path
	// before it is used. nil: only WUA checks it, and no archive is taken
	// from Microsoft directly.
	CheckArchive func(ctx context.Context, path string) error
	// Drained, when it is closed, makes Run finish what it is doing and return.
	Drained <-chan struct{}
	// Around runs a task of Run, so that it can be seen, put off or cancelled;
	// it must call run and return its error, or return without calling it.
	Around func(ctx context.Context, name string, run func(context.Context) error) error
	// Notices are sentences that the reports carry beside the problems of the
	// settings, for example why the agent could not replace itself. nil: none.
	Notices func() []string
	// Progress is told how far an operation has come, from several goroutines;
	// it must return soon.
	Progress func(Progress)
	// Reached is told each durable step that was reached. For tests that
	// kill the agent there.
	Reached func(step string)

	Free         func(dir string) (uint64, error) // room on a volume; nil: asks the system
	Reserve      int64                            // bytes that downloads leave free; 0: 1 GiB
	Parallel     int                              // files loaded at once; 0: 4
	Stall        time.Duration                    // longest silence on a connection; 0: one minute
	RetryInstall time.Duration                    // wait after the first failed installation, doubled each time; 0: 15 minutes
	SearchLimit  time.Duration                    // longest search; 0: six hours
	InstallLimit time.Duration                    // longest time in which an installation by WUA comes no further; 0: three hours
	MaxRestarts  int                              // restarts in vain after which no more are asked for; 0: 3
	RetryMissing time.Duration                    // wait until files are looked for again, doubled up to 30 minutes; 0: 1 minute
}

// Progress is how far an operation has come.
type Progress struct {
	Operation string // scan, download, install
	Name      string // of the update or file; empty: the operation as a whole
	Done      int64  // percent, or bytes of a file
	Total     int64  // 100, or bytes of a file
}

// Agent runs the operations of one host. It is safe for concurrent use: a
// second operation at the same time returns ErrBusy.
type Agent struct {
	opt   Options
	limit *throttle

	busy   sync.Mutex
	conn   *client.Client // made for the settings connOf; nil: to be made
	connOf *settings.Settings

	agenda agenda // has its own lock
	user   user   // has its own lock
}

// New makes an agent. It does not touch the disk.
func New(o Options) (*Agent, error) {
	if o.Dir == "" || o.Settings == nil || o.WUA == nil {
		return nil, errors.New("an agent needs a folder, settings and a Windows Update Agent")
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	setDefault(&o.SearchLimit, defaultSearchLimit)
	setDefault(&o.InstallLimit, defaultInstallLimit)
	o.WUA = patient{Host: bounded{Host: o.WUA, search: o.SearchLimit, install: o.InstallLimit}, clock: o.Clock}
	if o.Zone == nil {
		o.Zone = hostzone.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Free == nil {
		o.Free = diskfree.At
	}
	if o.Around == nil {
		o.Around = func(ctx context.Context, _ string, run func(context.Context) error) error { return run(ctx) }
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Reached == nil {
		o.Reached = func(string) {}
	}
	setDefault(&o.Parallel, 4)
	setDefault(&o.MaxRestarts, 3)
	setDefault(&o.RetryInstall, 15*time.Minute)
	setDefault(&o.RetryMissing, time.Minute)
	return &Agent{opt: o, user: user{questions: make(chan RestartQuestion, 1)}, limit: newThrottle(o.Clock, o.Zone)}, nil
}

// limiterBurst is the largest piece that a bandwidth limit lets through at
// once, in bytes.
const limiterBurst = 64 << 10

func setDefault[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// Close drops idle connections. The agent must not be in use.
func (a *Agent) Close() {
	if a.conn != nil {
		a.conn.Close()
	}
}

func (a *Agent) path(elem ...string) string {
	return filepath.Join(append([]string{a.opt.Dir}, elem...)...)
}

// systemClock is the machine's time.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
