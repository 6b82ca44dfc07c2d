package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/settings"
	"waptwua/dialog"
)

// tick is how often a dialog looks at the time.
const tick = 200 * time.Millisecond

// maxTyped is how many answers typed on a terminal wait to be read.
const maxTyped = 16

// dialogCommands are those that ask people, and have them asked.
func (a *app) dialogCommands() []*cobra.Command {
	return []*cobra.Command{a.waptexitCommand(), a.restartDialogCommand(), a.addShutdownCommand(), a.removeShutdownCommand()}
}

func (a *app) waptexitCommand() *cobra.Command {
	var text, silent bool
	c := &cobra.Command{
		Use:   "waptexit",
		Short: "Offer the installation of pending updates before a shutdown",
		Long: `Shows which updates are pending, counts down, and installs them: for a shutdown
script (add-upgrade-shutdown), a shortcut or a scheduled task. Nothing is shown
when nothing is pending, when install_at_shutdown is not set, or while the host
runs on its battery, pays for its network by volume, or is in freeze_dates. How
long it counts, whether the user may refuse and how long all of it may take is
set in wapt-get.ini. It ends only when the installation has, and at the latest
two minutes after pre_shutdown_timeout.

What was decided holds for this shutdown: the service does not install after a
refusal, nor once more.`,
		Example: "  wapt-get waptexit --text",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			front, stop := a.front(c.Context(), text, silent)
			defer stop()
			out, err := a.waptexit(c.Context(), front)
			return errors.Join(err, a.print(out, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, out)
				return err
			}))
		},
	}
	c.Flags().BoolVar(&text, "text", false, "on the terminal, not in a window")
	c.Flags().BoolVar(&silent, "silent", false, "show nothing: count down, and install")
	return c
}

// exitOutcome is how waptexit ended.
type exitOutcome struct {
	Outcome string   `json:"outcome"`          // nothing, disabled, waits, or an outcome of the dialog
	Reason  string   `json:"reason,omitempty"` // of waits
	Updates []string `json:"updates,omitempty"`
}

func (o exitOutcome) String() string {
	text, ok := map[string]string{
		"nothing": "no update is waiting to be installed", "disabled": "the settings install nothing at shutdown", "waits": o.Reason,
		"installed": "the installation has ended", "declined": "not now: nothing was installed", "skipped": "skipped: nothing was installed",
		"timed-out": "nobody has decided in time: nothing was installed", "stopped": "the installation was stopped by pre_shutdown_timeout",
		"abandoned": "the installation did not stop in time and still runs",
	}[o.Outcome]
	if !ok {
		return o.Outcome
	}
	return text
}

var outcomes = [...]string{
	dialog.Undecided: "undecided", dialog.Installed: "installed", dialog.Declined: "declined", dialog.Skipped: "skipped",
	dialog.TimedOut: "timed-out", dialog.Stopped: "stopped", dialog.Abandoned: "abandoned",
}

// errAbandoned says that the dialog has ended before the installation.
var errAbandoned = errors.New("the installation still runs; do not switch the computer off")

// waptexit shows the dialog and installs.
func (a *app) waptexit(ctx context.Context, front dialog.Front) (exitOutcome, error) {
	s, err := a.settings()
	if err != nil {
		return exitOutcome{Outcome: "undecided"}, err
	}
	if s.Exit.Disabled || !s.InstallAtShutdown || s.Enabled != settings.True {
		return exitOutcome{Outcome: "disabled"}, nil
	}
	var e *dialog.Exit
	ag, _, err := a.openWith(slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelError})), func(o *agent.Options) {
		o.Progress = func(p agent.Progress) { e.Progress(p.Operation, percent(p)) }
	})
	if err != nil {
		return exitOutcome{Outcome: "undecided"}, err
	}
	defer ag.Close()
	status, err := ag.Status()
	if err != nil {
		return exitOutcome{Outcome: "undecided"}, err
	}
	ids := pending(status)
	if len(ids) == 0 {
		return exitOutcome{Outcome: "nothing"}, nil
	}
	if err := ag.BeforeShutdown(ctx); err != nil { // nobody is asked about what does not happen
		return waiting(err)
	}
	out := exitOutcome{Updates: titles(status, ids)}
	e = dialog.NewExit(dialog.ExitOptions{Language: language(), Updates: out.Updates, Countdown: s.Exit.Countdown, AllowCancel: s.Exit.AllowCancel, Limit: s.Exit.Limit})
	return a.exitDialog(ctx, front, e, ag, ids, out)
}

// waiting is the outcome where the installation is not begun.
func waiting(err error) (exitOutcome, error) {
	out := exitOutcome{Outcome: "waits", Reason: err.Error()}
	if errors.As(err, new(agent.Waits)) {
		return out, nil
	}
	return out, err
}

// exitDialog runs the dialog, and has the service know when the user has not
// agreed: Windows shuts it down next.
func (a *app) exitDialog(ctx context.Context, front dialog.Front, e *dialog.Exit, ag *agent.Agent, ids []waptwua.UpdateID, out exitOutcome) (exitOutcome, error) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	run := dialog.ExitRun{Front: front, Ticks: ticker.C, Warn: func(err error) { fmt.Fprintln(a.stderr, "wapt-get: nobody can see the dialog:", err) },
		Work: func(ctx context.Context, _ func(string, int)) error {
			if err := a.patiently(ctx, ag.ShutdownAgreed); err != nil {
				return err
			}
			return failed(ag, ids)
		}}
	outcome, err := run.Do(ctx, e)
	out.Outcome = outcomes[outcome]
	switch outcome {
	case dialog.Installed:
		if errors.As(err, new(agent.Waits)) { // since the dialog has opened
			return waiting(err)
		}
	case dialog.Declined, dialog.Skipped, dialog.TimedOut:
		err = errors.Join(err, ag.RefuseShutdown())
	case dialog.Abandoned:
		err = errAbandoned
	}
	return out, err
}

func percent(p agent.Progress) int {
	if p.Total <= 0 {
		return 0
	}
	return int(100 * min(p.Done, p.Total) / p.Total)
}

// pending are the updates that an installation would take.
func pending(s *agent.Status) []waptwua.UpdateID {
	var ids []waptwua.UpdateID
	for id, u := range s.State.Updates {
		if u.Status == waptwua.StatusPending {
			ids = append(ids, id)
		}
	}
	return ids
}

// titles names updates for people.
func titles(s *agent.Status, ids []waptwua.UpdateID) []string {
	var list []string
	for _, id := range ids {
		list = append(list, cmp.Or(s.Updates[id].Title, id.String()))
	}
	slices.Sort(list)
	return list
}

// front is what shows dialogs. stop ends what it has started; a read of the
// terminal under way ends with the program.
func (a *app) front(ctx context.Context, text, silent bool) (f dialog.Front, stop func()) {
	ticker := time.NewTicker(tick)
	switch {
	case silent:
		return dialog.Silent{Ticks: ticker.C}, ticker.Stop
	case text || a.json:
		return &dialog.Text{Out: a.stderr, Lines: typed(ctx, a.stdin), Ticks: ticker.C}, ticker.Stop
	}
	return a.windowFront(ctx, ticker), ticker.Stop
}

// typed are the lines that a user types.
func typed(ctx context.Context, r io.Reader) <-chan string {
	lines := make(chan string, maxTyped)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			select {
			case lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}
