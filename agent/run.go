package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"waptwua"
	"waptwua/agent/journal"
	"waptwua/agent/settings"
	"waptwua/schedule"
)

// The times between which Run sleeps: never longer than maxNap, so that a
// changed wapt-get.ini is noticed, never shorter than minNap.
const (
	maxNap = time.Minute
	minNap = 100 * time.Millisecond
)

// firstSpread bounds the time over which a fleet's hosts spread their first
// run of a periodic task after they were started.
const firstSpread = 10 * time.Minute

// agenda is what Run needs to know between operations.
type agenda struct {
	mu       sync.Mutex
	host     string
	update   time.Time // end of the last attempt
	download time.Time
	install  time.Time
	missing  time.Time // when missing files are looked for again; zero: none is
	pending  bool      // something is waiting to be installed
	windows  windows
	// restartDue tells that the host waits for a restart; restart is when
	// that is looked at next, see restartTask.
	restartDue bool
	restart    time.Time
	notYet     time.Time // the server wants to be left alone until then

	failures int               // of tasks in a row; used by Run only
	waiting  map[string]string // why a task that is due waits; used by Run only
}

// remember notes what the agenda needs of a state that was saved.
func (op *operation) remember() {
	op.agenda.mu.Lock()
	defer op.agenda.mu.Unlock()
	op.agenda.note(op.Agent, &op.mem)
}

func (g *agenda) note(a *Agent, m *memory) {
	g.host = m.State.Host.UUID
	g.update, g.download, g.install = m.LastUpdate, m.LastDownload, m.LastInstall
	g.missing, g.windows = a.retryMissing(m), m.Windows
	g.restartDue = len(m.State.Reboot) > 0 || !m.Restart.Due.IsZero()
	g.pending = false
	for _, u := range m.State.Updates {
		g.pending = g.pending || isNeeded(u)
	}
}

// later obeys a server that asks to be left alone for d; hosts come back at
// different times.
func (a *Agent) later(d time.Duration) {
	a.agenda.mu.Lock()
	defer a.agenda.mu.Unlock()
	if d > 0 {
		a.agenda.notYet = a.opt.Clock.Now().Add(d + schedule.Jitter(a.agenda.host, d/2))
	}
}

// Run is the service: it finishes what a killed agent left, and then does
// what is due until ctx ends. One thing at a time; failures are logged and
// tried again when they are next due. It returns nil when ctx ended, or when
// Options.Drained was closed and nothing runs any more.
func (a *Agent) Run(ctx context.Context) error {
	idle, done := a.untilDrained(ctx)
	defer done()
	defer a.serveUser(idle)()
	start := a.opt.Clock.Now()
	if err := a.opt.Around(ctx, "resume", a.resume); err != nil {
		a.logEnd("resume", err)
	}
	for idle.Err() == nil {
		next, err := a.turn(ctx, start)
		if err != nil {
			a.opt.Log.Error("settings cannot be read", "error", err)
			next = a.opt.Clock.Now().Add(maxNap)
		}
		nap := max(min(next.Sub(a.opt.Clock.Now()), maxNap), minNap)
		if a.nap(idle, nap) != nil {
			break
		}
	}
	return nil
}

// resume reads the agenda. After a kill in the middle of an operation it
// searches and reports; what the server has not acknowledged is sent again.
func (a *Agent) resume(ctx context.Context) error {
	var m memory
	if err := journal.Load(a.path("state.json"), &m); err != nil {
		if absent(err) {
			return nil // nothing was done yet
		}
		return err
	}
	a.agenda.mu.Lock()
	a.agenda.note(a, &m)
	a.agenda.mu.Unlock()
	s, err := a.Status()
	switch {
	case err != nil:
		return err
	case s.Unfinished != nil:
		return a.Scan(ctx, ScanOptions{})
	case !s.Reported:
		return a.Report(ctx)
	}
	return nil
}

// The names of tasks.
const (
	taskInstall  = "install"
	taskDownload = "download"
	taskUpdate   = "update"
	taskRegister = "register"
)

// task is something that comes round.
type task struct {
	name string
	due  time.Time // zero: never
	run  func(context.Context) error
}

// turn does the first thing that is due, and returns when to look again.
func (a *Agent) turn(ctx context.Context, start time.Time) (next time.Time, err error) {
	s, err := a.opt.Settings()
	if err != nil {
		return next, err
	}
	now := a.opt.Clock.Now()
	next = now.Add(maxNap)
	for _, t := range a.tasks(s, start) {
		switch {
		case t.due.IsZero():
		case t.due.After(now):
			next = earlier(next, t.due)
		case !a.suits(ctx, s, t.name): // looked at again after maxNap
		default:
			err := a.opt.Around(ctx, t.name, t.run)
			a.logEnd(t.name, err)
			return a.opt.Clock.Now().Add(a.pause(err)), nil
		}
	}
	return next, nil
}

// pause is how long to do nothing after a task: longer with each failure in
// a row, so that a host that cannot do its work does not keep trying.
func (a *Agent) pause(err error) time.Duration {
	if err == nil || errors.Is(err, waptwua.ErrUnchanged) && !errors.Is(err, ErrNotReported) {
		a.agenda.failures = 0
		return 0
	}
	a.agenda.failures++
	return doubled(time.Second, a.agenda.failures, maxNap)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// tasks lists what comes round, the most urgent first.
func (a *Agent) tasks(s *settings.Settings, start time.Time) []task {
	a.agenda.mu.Lock()
	defer a.agenda.mu.Unlock()
	g := &a.agenda
	work := notBefore(start, a.opt.Booted.Add(s.PostbootDelay)) // download and install wait until the host has started up
	var attend task
	install := task{taskInstall, a.unfrozen(s, notBefore(g.due(taskInstall, g.install, s.InstallEvery, work), g.notYet)), func(ctx context.Context) error { return a.Install(ctx, InstallOptions{}) }}
	if s.InstallWindows != nil {
		install, attend = a.inWindows(s, start, work)
	}
	if s.Enabled != settings.True || !g.pending {
		install.due = time.Time{}
	}
	download := g.due(taskDownload, g.download, s.DownloadEvery, work)
	if !download.IsZero() && !g.missing.IsZero() {
		download = earlier(download, g.apart(taskDownload, g.missing, s.DownloadEvery, work))
	}
	return []task{
		a.restartTask(s),
		{taskRegister, notBefore(a.registration(start), g.notYet), a.registerLeft},
		install, attend,
		{taskDownload, notBefore(download, g.notYet), func(ctx context.Context) error { return a.Download(ctx, ScanOptions{}) }},
		{taskUpdate, notBefore(g.due(taskUpdate, g.update, s.UpdatePeriod, start), g.notYet), a.UpdateRules},
	}
}

// due is when a task comes round next, of a host that may do it from ready on.
func (g *agenda) due(name string, last time.Time, p schedule.Period, ready time.Time) time.Time {
	switch {
	case p.Never():
		return time.Time{}
	case last.IsZero(), last.After(ready.Add(schedule.MaxDuration)): // never done, or the clock was set back by years
		return g.apart(name, ready, p, ready)
	}
	return g.apart(name, last.Add(p.Duration()), p, ready)
}

// apart moves what has waited for the host's start to the host's own place in
// a span of time after it, so that hosts that are installed or started together,
// in the morning or after a power cut, do not come together.
func (g *agenda) apart(name string, due time.Time, p schedule.Period, ready time.Time) time.Time {
	if due.After(ready) {
		return due
	}
	return ready.Add(schedule.Jitter(g.host+name, min(p.Duration()/4, firstSpread)))
}

// notBefore moves t behind each of the moments; never stays never.
func notBefore(t time.Time, moments ...time.Time) time.Time {
	for _, m := range moments {
		if !t.IsZero() && t.Before(m) {
			t = m
		}
	}
	return t
}

// logEnd logs how a task ended: this is where its error ends up.
func (a *Agent) logEnd(name string, err error) {
	switch {
	case err == nil:
		a.opt.Log.Info("task is done", "task", name)
	case errors.Is(err, waptwua.ErrUnchanged) && !errors.Is(err, ErrNotReported):
		a.opt.Log.Debug("task found nothing new", "task", name)
	case errors.Is(err, context.Canceled):
		a.opt.Log.Info("task was stopped", "task", name)
	default:
		a.opt.Log.Warn("task failed", "task", name, "error", fmt.Sprint(err))
	}
}
