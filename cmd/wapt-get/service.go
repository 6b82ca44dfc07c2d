package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"waptwua/agent/eventlog"
	"waptwua/internal/winsvc"
)

// The service as Windows knows it.
const (
	serviceName        = "waptwua"
	serviceDisplay     = "waptwua agent"
	serviceDescription = "Keeps this computer up to date as its administrators allow."
)

// preShutdown is how long a shutdown waits for a service that has not read its
// settings: what pre_shutdown_timeout is by default.
const preShutdown = time.Hour

// serviceWait bounds how long a command waits for the service to start or stop.
const serviceWait = time.Minute

func (a *app) serviceCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "service",
		Short: "Install, control and run the Windows service",
		Long: `Installs, controls and runs the Windows service waptwua, which does what the
settings schedule. There is no service control manager on other systems: let
the init system start "wapt-get service run" there.`,
	}
	c.AddCommand(a.serviceInstallCommand(), a.serviceUninstallCommand(), a.serviceStatusCommand(), a.serviceRunCommand(),
		a.serviceTasksCommand(), a.serviceCancelCommand(),
		a.serviceControl("start", "Start the installed service, and wait until it runs", "started", winsvc.Start),
		a.serviceControl("stop", "Stop the service, and wait until it has stopped", "stopped", winsvc.Stop))
	return c
}

func (a *app) serviceInstallCommand() *cobra.Command {
	var start bool
	c := &cobra.Command{
		Use:   "install",
		Short: "Install the service, or bring an installed one up to date",
		Long: `Installs this program as the service waptwua: started with Windows, running as
LocalSystem, started again when it dies, with the settings file of --config.
An installed service is brought up to date. Needs an administrator.`,
		Example: "  wapt-get service install --start",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.describeService()
			if err != nil {
				return err
			}
			if err := winsvc.Install(s); err != nil {
				return err
			}
			if err := eventlog.Install(serviceName); err != nil {
				return err
			}
			if start {
				if err := a.control(c.Context(), winsvc.Start); err != nil {
					return err
				}
			}
			return a.printService("installed")
		},
	}
	c.Flags().BoolVar(&start, "start", false, "start it as well")
	return c
}

// describeService is this program as a service. The paths are absolute: a
// service starts in the system's folder.
func (a *app) describeService() (winsvc.Service, error) {
	program, err := os.Executable()
	if err != nil {
		return winsvc.Service{}, fmt.Errorf("path of this program: %w", err)
	}
	config, err := filepath.Abs(a.config)
	if err != nil {
		return winsvc.Service{}, fmt.Errorf("path of the settings file: %w", err)
	}
	wait := preShutdown
	if s, err := a.settings(); err == nil {
		wait = s.Exit.Limit
	}
	return winsvc.Service{
		Name: serviceName, Display: serviceDisplay, Description: serviceDescription,
		Program: program, Args: []string{"service", "run", "--scm", "--config", config}, PreShutdown: wait + winsvc.Parting,
	}, nil
}

func (a *app) serviceUninstallCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "uninstall",
		Short:   "Stop the service and remove it",
		Long:    "Stops the service and removes it. Settings, identity and files stay. A service\nthat is not installed is no error. Needs an administrator.",
		Example: "  wapt-get service uninstall",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			err := a.control(c.Context(), winsvc.Uninstall)
			if err != nil && !errors.Is(err, winsvc.ErrNotInstalled) {
				return err
			}
			if err := eventlog.Remove(serviceName); err != nil {
				return err
			}
			return a.printService("removed")
		},
	}
}

func (a *app) serviceControl(use, short, done string, f func(context.Context, string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Example: "  wapt-get service " + use, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := a.control(c.Context(), f); err != nil {
				return err
			}
			return a.printService(done)
		},
	}
}

func (a *app) control(ctx context.Context, f func(context.Context, string) error) error {
	ctx, cancel := context.WithTimeout(ctx, serviceWait)
	defer cancel()
	return f(ctx, serviceName)
}

func (a *app) serviceStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Print whether the service is installed and runs",
		Long:    "Prints whether the service is installed and runs. Exit code 0 when it runs,\n10 when it does not.",
		Example: "  wapt-get service status --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			i, err := winsvc.Query(serviceName)
			if err != nil {
				return err
			}
			if err := a.print(i, func(w io.Writer) error { return printServiceInfo(w, i) }); err != nil {
				return err
			}
			if i.State != winsvc.Running {
				return errNotRunning
			}
			return nil
		},
	}
}

// printService prints what was done and what the SCM says now.
func (a *app) printService(done string) error {
	i, err := winsvc.Query(serviceName)
	if err != nil {
		return err
	}
	return a.print(i, func(w io.Writer) error {
		fmt.Fprintf(w, "the service is %s\n", done)
		return printServiceInfo(w, i)
	})
}

func printServiceInfo(w io.Writer, i winsvc.Info) error {
	_, err := fmt.Fprintf(w, "state    %s\n", i.State)
	if err != nil || i.State == winsvc.NotInstalled {
		return err
	}
	_, err = fmt.Fprintf(w, "start    %s\naccount  %s\ncommand  %s\n", i.Start, i.Account, i.Command)
	return err
}

func (a *app) serviceRunCommand() *cobra.Command {
	var scm bool
	c := &cobra.Command{
		Use:   "run",
		Short: "Do what the settings schedule, until stopped",
		Long: `Does what the settings schedule, one thing at a time, until it is stopped: by
SIGINT or SIGTERM, or, with --scm, by the service control manager of Windows.
wapt-get.ini is read again when it changes. What a killed service left
unfinished is finished first.

With --scm, a shutdown of Windows lets a running operation finish, and then
installs when install_at_shutdown is set and the user has not refused it in
waptexit; the shutdown waits for that as long as pre_shutdown_timeout says.`,
		Example: "  wapt-get service run --config wapt-get.ini",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d := newDaemon(a, scm)
			if scm {
				return d.runBySCM()
			}
			defer d.close()
			return d.run(c.Context())
		},
	}
	c.Flags().BoolVar(&scm, "scm", false, "this is the Windows service: set by service install")
	return c
}
