package agent

import (
	"context"
	"time"

	"waptwua"
	"waptwua/agent/journal"
	"waptwua/agent/settings"
)

// Waits is why an installation at shutdown is not begun, in words that follow
// a colon. It wraps waptwua.ErrUnchanged.
type Waits struct{ Reason string }

func (w Waits) Error() string { return "nothing is installed now: " + w.Reason }

// Unwrap makes it a kind of waptwua.ErrUnchanged.
func (w Waits) Unwrap() error { return waptwua.ErrUnchanged }

// Shutdown installs when the settings ask for it at shutdown
// (install_at_shutdown), nothing speaks against it, and nobody has decided
// about this shutdown before; otherwise it returns Waits. It does not need a
// window, but frozen days hold it: ErrWindowClosed. ctx carries the time that
// the shutdown allows.
func (a *Agent) Shutdown(ctx context.Context) error {
	s, err := a.opt.Settings()
	if err != nil {
		return err
	}
	if why := a.shutdownSettled(s); why != "" {
		return Waits{why}
	}
	o, err := a.atShutdown(ctx, s)
	if err != nil {
		return err
	}
	return a.Install(ctx, o)
}

// ShutdownAgreed is Shutdown for a dialog in which the user, or a countdown,
// has decided to install. A Shutdown after it in the same shutdown does not
// install once more.
func (a *Agent) ShutdownAgreed(ctx context.Context) error {
	s, err := a.opt.Settings()
	if err != nil {
		return err
	}
	o, err := a.atShutdown(ctx, s)
	if err != nil {
		return err
	}
	o.agreed = true
	return a.Install(ctx, o)
}

// RefuseShutdown keeps Shutdown from installing at this shutdown: the user
// was asked. It does not wait for an operation under way.
func (a *Agent) RefuseShutdown() error {
	return a.noteShutdown("the user was asked at this shutdown and has not agreed")
}

// BeforeShutdown tells, before anybody is asked, why ShutdownAgreed would not
// begin: with the error that it would return.
func (a *Agent) BeforeShutdown(ctx context.Context) error {
	s, err := a.opt.Settings()
	if err == nil {
		_, err = a.atShutdown(ctx, s)
	}
	return err
}

// atShutdown tells how to install at a shutdown, or why not.
func (a *Agent) atShutdown(ctx context.Context, s *settings.Settings) (InstallOptions, error) {
	if !s.InstallAtShutdown {
		return InstallOptions{}, Waits{"[waptwua] install_at_shutdown is not true"}
	}
	if why := a.waits(ctx, s, taskInstall); why != "" {
		return InstallOptions{}, Waits{why}
	}
	return a.thawed(s)
}

// shutdownFile holds a shutdownDecision. It is not a part of the state, which
// belongs to the operation under way: a user does not wait for that to refuse.
const shutdownFile = "shutdown.json"

// shutdownDecision is what was decided about a shutdown.
type shutdownDecision struct {
	At   time.Time `json:"at"`
	Boot time.Time `json:"boot,omitzero"` // start of the host that is shut down; zero: not known
	Why  string    `json:"why"`           // nothing more is to be installed
}

func (a *Agent) noteShutdown(why string) error {
	return journal.Save(a.path(shutdownFile), shutdownDecision{At: a.opt.Clock.Now().UTC(), Boot: a.opt.Booted, Why: why})
}

// settleShutdown notes it during an operation, which goes on without.
func (op *operation) settleShutdown(why string) {
	if err := op.noteShutdown(why); err != nil {
		op.log.Warn("decision about the shutdown cannot be kept", "error", err)
	}
}

// shutdownSettled is why nothing more is to be installed at this shutdown; "":
// nobody has decided. With fast startup, or when a dialog was opened by a
// shortcut, the host goes on running as it was: so a decision ends also when
// Windows would no longer wait for the script that has asked.
func (a *Agent) shutdownSettled(s *settings.Settings) string {
	var d shutdownDecision
	if journal.Load(a.path(shutdownFile), &d) != nil {
		return "" // none, or it cannot be read
	}
	restarted := !d.Boot.IsZero() && !a.opt.Booted.IsZero() && !a.sameBoot(d.Boot, a.opt.Booted)
	if past := a.opt.Clock.Now().Sub(d.At); restarted || past < 0 || past > s.Exit.ScriptWait {
		return ""
	}
	return d.Why
}
