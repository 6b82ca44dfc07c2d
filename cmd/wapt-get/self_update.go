package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/settings"
	"waptwua/agent/upgrade"
	"waptwua/internal/winsvc"
	"waptwua/signing"
)

// The times of an exchange of the program.
const (
	confirmWithin = 10 * time.Minute // the new service reaches its server
	guardPoll     = 2 * time.Second
	guardLimit    = time.Hour // of the guard as a whole
)

func (a *app) selfUpdateCommand() *cobra.Command {
	var check bool
	c := &cobra.Command{
		Use:   "self-update",
		Short: "Replace this program by the newest release that the server offers",
		Long: `Asks the server for the newest release of the agent. When a key for releases has
signed it and it is newer, its program is fetched, checked, and exchanged with
this one while the service is stopped. When the new service does not reach its
server within ten minutes, the old program comes back. The service does the same
by itself, unless self_update is false.

Exit code 0 when the newest version is in use, 1 when it could not be taken, 8
when it is not trusted.`,
		Example: "  wapt-get self-update --check",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.selfUpdate(c.Context(), check) },
	}
	c.Flags().BoolVar(&check, "check", false, "only tell what the server offers")
	return c
}

// offered is what `self-update --json` prints.
type offered struct {
	Version string            `json:"version"`           // that runs
	Offer   string            `json:"offer,omitempty"`   // a newer one
	Updated bool              `json:"updated,omitempty"` // it is in use now
	Failed  []upgrade.Failure `json:"failed,omitempty"`
}

func (a *app) selfUpdate(ctx context.Context, check bool) error {
	ag, s, err := a.open()
	if err != nil {
		return err
	}
	defer ag.Close()
	up, err := a.upgrader(ag, s)
	if err != nil {
		return err
	}
	out := offered{Version: version}
	o, err := up.Look(ctx)
	if err != nil && !errors.Is(err, waptwua.ErrUnchanged) {
		return err
	}
	if o != nil {
		out.Offer = o.Version
	}
	if o != nil && !check {
		if err := a.takeAndWait(ctx, s, up, o); err != nil {
			return err
		}
		out.Updated = true
	}
	if out.Failed, err = upgrade.Failures(s.Dir); err != nil {
		return err
	}
	return a.print(out, func(w io.Writer) error { return printOffered(w, out) })
}

func printOffered(w io.Writer, o offered) error {
	for _, f := range o.Failed {
		fmt.Fprintf(w, "version %s failed here on %s: %s\n", f.Version, f.At.Local().Format("2006-01-02 15:04"), f.Reason)
	}
	var err error
	switch {
	case o.Updated:
		_, err = fmt.Fprintf(w, "version %s replaced %s\n", o.Offer, o.Version)
	case o.Offer != "":
		_, err = fmt.Fprintf(w, "version %s is offered, %s runs\n", o.Offer, o.Version)
	default:
		_, err = fmt.Fprintf(w, "version %s runs, nothing newer is offered\n", o.Version)
	}
	return err
}

// takeAndWait takes an offer while nothing else runs on the host, and waits
// until the guard has ended.
func (a *app) takeAndWait(ctx context.Context, s *settings.Settings, up *upgrade.Upgrader, o *upgrade.Offer) error {
	if _, err := winsvc.Query(serviceName); err != nil {
		return fmt.Errorf("a new version is taken by way of the service: %w", err)
	}
	return a.patiently(ctx, func(ctx context.Context) error {
		return agent.Alone(s.Dir, func() error {
			guard, err := a.startGuard(ctx, up, o)
			if err != nil {
				return err
			}
			if err := guard.Wait(); err != nil {
				return fmt.Errorf("version %s was not kept; see: wapt-get self-update --check: %w", o.Version, err)
			}
			return nil
		})
	})
}

// startGuard prepares the exchange and starts the process that makes it.
func (a *app) startGuard(ctx context.Context, up *upgrade.Upgrader, o *upgrade.Offer) (*exec.Cmd, error) {
	guard, err := up.Prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	program, config, err := a.paths()
	if err != nil {
		return nil, err
	}
	c := exec.Command(guard, "upgrade-guard", "--program", program, "--config", config) //nolint:noctx // it outlives this process
	c.Dir = filepath.Dir(program)
	detach(c)
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("starting the guard of the exchange: %w", err)
	}
	return c, nil
}

// paths are this program and its settings file, absolute.
func (a *app) paths() (program, config string, err error) {
	if program, err = os.Executable(); err != nil {
		return "", "", fmt.Errorf("path of this program: %w", err)
	}
	if config, err = filepath.Abs(a.config); err != nil {
		return "", "", fmt.Errorf("path of the settings file: %w", err)
	}
	return program, config, nil
}

// upgrader is what replaces this program.
func (a *app) upgrader(ag *agent.Agent, s *settings.Settings) (*upgrade.Upgrader, error) {
	program, _, err := a.paths()
	if err != nil {
		return nil, err
	}
	limit, err := ag.Bandwidth()
	if err != nil {
		return nil, err
	}
	return upgrade.New(upgrade.Options{
		Dir: s.Dir, Program: program, Version: version, Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Trust:  func() (*signing.Trust, error) { return agent.LoadTrust(s.SelfUpdate.Certificates) },
		Source: released{ag}, Check: a.checkProgram, Now: a.now, Limit: limit,
	})
}

func (a *app) upgradeGuardCommand() *cobra.Command {
	var program string
	c := &cobra.Command{
		Use:    "upgrade-guard --program FILE",
		Short:  "Exchange the program and watch over the new one",
		Long:   "Started by the agent itself when it replaces its program.",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.settings()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context(), guardLimit)
			defer cancel()
			g := upgrade.Guard{
				Dir: s.Dir, Program: program, Service: windowsService{}, Limit: confirmWithin, Poll: guardPoll, Now: a.now, Sleep: sleep,
			}
			return g.Run(ctx)
		},
	}
	c.Flags().StringVar(&program, "program", "", "the program to exchange")
	return c
}

// windowsService is the agent's service as the guard handles it.
type windowsService struct{}

func (windowsService) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, serviceWait)
	defer cancel()
	err := winsvc.Stop(ctx, serviceName)
	if errors.Is(err, winsvc.ErrNotInstalled) {
		return fmt.Errorf("%w; install it first: wapt-get service install", err)
	}
	return err
}

func (windowsService) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, serviceWait)
	defer cancel()
	return winsvc.Start(ctx, serviceName)
}

func (windowsService) Running() (bool, error) {
	i, err := winsvc.Query(serviceName)
	return i.State == winsvc.Running || i.State == winsvc.Starting, err
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
