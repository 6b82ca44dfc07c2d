package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/settings"
	"waptwua/internal/diskfree"
	"waptwua/wua"
	"waptwua/wua/native"
	"waptwua/wua/repair"
)

// errRepair says that a repair failed; its line says which and what to do.
var errRepair = errors.New("not everything could be repaired")

// serviceLimit is how long a repair waits for a service to start or stop.
const serviceLimit = time.Minute

// repairOptions are the flags of waptwua-repair.
type repairOptions struct {
	dryRun bool
	force  bool
	only   []string
	room   uint // GiB
}

func (a *app) repairCommand() *cobra.Command {
	var o repairOptions
	c := &cobra.Command{
		Use:   "waptwua-repair",
		Short: "Mend what commonly keeps Windows Update from working, with before and after",
		Long: `Mends what commonly keeps Windows Update from working, and prints what was
before and after. Every step stands alone; one that fails does not keep the
others from running.

  native    ends what a killed operation left; policies and start mode as
            enabled wants them
  wuauserv  not disabled, and able to start
  bits      not disabled, and able to start
  services  scan archives that killed searches left registered are removed
  store     SoftwareDistribution\Download and \DataStore are renamed, and
            Windows makes new ones; one backup of each is kept. The host's
            update history in Windows starts anew. Only when a failure that
            the agent noted blames the database of Windows Update, or when
            --only names this step.
  space     room on the system drive; files that no needed update uses are
            removed from the agent's cache

Nothing else is touched, and nothing is asked.`,
		Example: "  wapt-get waptwua-repair --dry-run\n  wapt-get waptwua-repair --only store,space",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.repair(c.Context(), o) },
	}
	f := c.Flags()
	f.BoolVarP(&o.dryRun, "dry-run", "n", false, "show what would be done, and change nothing")
	f.BoolVarP(&o.force, "force", "f", false, "rename the store also while a restart is due")
	f.StringSliceVar(&o.only, "only", nil, "do only these steps")
	f.UintVar(&o.room, "room", 10, "GiB that should be free on the system drive")
	return c
}

func (a *app) repair(ctx context.Context, o repairOptions) error {
	ag, s, err := a.open()
	if err != nil {
		return err
	}
	defer ag.Close()
	var report *repair.Report
	err = a.patiently(ctx, func(ctx context.Context) error {
		return agent.Alone(s.Dir, func() error {
			steps, err := a.repairSteps(ctx, o, ag, s)
			if err != nil {
				return err
			}
			report = repair.Run(ctx, a.now(), o.dryRun, steps)
			return a.updating.Rest(context.WithoutCancel(ctx))
		})
	})
	if report == nil {
		return noOperationYet(err)
	}
	if report.Failed() {
		err = errors.Join(err, errRepair)
	}
	return errors.Join(err, a.print(report, func(w io.Writer) error { return printRepair(w, report) }))
}

// repairSteps are the steps that were asked for, in their order.
func (a *app) repairSteps(ctx context.Context, o repairOptions, ag *agent.Agent, s *settings.Settings) ([]repair.Step, error) {
	u, plan := a.updating, planOf(s)
	wanted, use := native.Start(""), repair.Use(u.system, native.UpdateService, serviceLimit)
	if u.owned(ctx, plan) {
		wanted, use = native.Disabled, u.control.Hold
	}
	steps := []repair.Step{
		repair.Native(u.control, plan),
		repair.Service(u.system, native.UpdateService, wanted, use),
		repair.Service(u.system, native.TransferService, "", repair.Use(u.system, native.TransferService, serviceLimit)),
	}
	if inner, ok := u.inner.(repair.Scanner); ok {
		steps = append(steps, scanStep(heldScanner{inner, u.control}, o.dryRun))
	}
	why, err := storeReason(ag, o.only)
	if err != nil {
		return nil, err
	}
	steps = append(steps, repair.Store(repair.StoreOptions{
		Why: why, Windows: u.windows, Services: u.system, Now: a.now, Limit: serviceLimit, RestartDue: u.restartDue(o),
	}), repair.Space(repair.SpaceOptions{
		Name: "space", Dir: filepath.Dir(u.windows), Want: uint64(o.room) << 30, Free: diskfree.At,
		Clean: func(context.Context) (int64, error) { return ag.Tidy() },
	}))
	return choose(steps, o.only)
}

// storeReason is why the store of Windows Update is to be set aside; empty:
// nothing speaks for it.
func storeReason(ag *agent.Agent, only []string) (string, error) {
	if slices.Contains(only, "store") {
		return "renamed because --only names it", nil
	}
	s, err := ag.Status()
	if err != nil {
		return "", err
	}
	failures := []*waptwua.Failure{s.State.Scan.Error}
	for _, u := range s.State.Updates {
		failures = append(failures, u.Failure)
	}
	for _, f := range failures {
		if f != nil && wua.Code(f.HResult).BlamesStore() {
			return fmt.Sprintf("damaged, says 0x%08X %s", f.HResult, f.Name), nil
		}
	}
	return "", nil
}

// owned tells whether the host is taken over when the first step has run.
func (u *updating) owned(ctx context.Context, p native.Plan) bool {
	proof, err := u.control.Prove(ctx)
	return p.Want == native.TakeOver || p.Want == native.Leave && err == nil && proof.Owner == native.OwnerAgent
}

// restartDue asks whether updates wait for a restart. A dry run does not
// start the service for it.
func (u *updating) restartDue(o repairOptions) func(context.Context) (bool, error) {
	if o.force {
		return nil
	}
	return func(ctx context.Context) (bool, error) {
		host := wua.System(u.host)
		if o.dryRun {
			host = u.inner
		}
		due, err := host.RebootPending(ctx)
		return due.Required, errors.Join(err, u.Rest(ctx))
	}
}

// heldScanner asks a scanner while the service can be used.
type heldScanner struct {
	of      repair.Scanner
	control *native.Control
}

func (h heldScanner) ScanServices(ctx context.Context) (n int, err error) {
	release, err := h.control.Hold(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, release(context.WithoutCancel(ctx))) }()
	return h.of.ScanServices(ctx)
}

func (h heldScanner) RemoveScanServices(ctx context.Context) (err error) {
	release, err := h.control.Hold(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release(context.WithoutCancel(ctx))) }()
	return h.of.RemoveScanServices(ctx)
}

func scanStep(h heldScanner, dryRun bool) repair.Step {
	s := repair.ScanServices(h)
	if dryRun {
		s.Look = func(context.Context) (repair.Finding, error) {
			return repair.Finding{Skip: "looking needs the Windows Update service, and a dry run does not start it"}, nil
		}
	}
	return s
}

// choose keeps the steps named; none named: all.
func choose(steps []repair.Step, only []string) ([]repair.Step, error) {
	var names []string
	var kept []repair.Step
	for _, s := range steps {
		names = append(names, s.Name)
		if len(only) == 0 || slices.Contains(only, s.Name) {
			kept = append(kept, s)
		}
	}
	for _, name := range only {
		if !slices.Contains(names, name) {
			return nil, usageError(fmt.Errorf("there is no repair %q; there are: %s", name, strings.Join(names, ", ")))
		}
	}
	return kept, nil
}

func printRepair(w io.Writer, report *repair.Report) error {
	for _, r := range report.Results {
		fmt.Fprintf(w, "%-10s  %-8s  %s", r.Outcome, r.Step, r.Before)
		if r.After != "" {
			fmt.Fprintf(w, " -> %s", r.After)
		}
		if r.Freed > 0 {
			fmt.Fprintf(w, " (%d MiB freed)", r.Freed>>20)
		}
		fmt.Fprintln(w)
		for _, text := range []string{r.Error, r.Remedy} {
			if text != "" {
				fmt.Fprintf(w, "%-10s  %-8s  %s\n", "", "", text)
			}
		}
	}
	return nil
}
