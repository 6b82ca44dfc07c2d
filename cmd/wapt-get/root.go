package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"waptwua/agent"
	"waptwua/agent/settings"
	"waptwua/internal/cmdline"
)

// app is what every command works with.
type app struct {
	stdout, stderr io.Writer
	stdin          io.Reader // what a user types in a dialog on the terminal
	now            func() time.Time

	config  string
	json    bool
	verbose bool
	wait    time.Duration

	byService bool // --service: the service does it

	updating *updating   // of the host that was opened
	opened   []io.Closer // closed when the command has ended
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, stderr: stderr, stdin: os.Stdin, now: time.Now}
	return a.execute(ctx, args)
}

func (a *app) execute(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	for _, c := range a.opened {
		err = errors.Join(err, c.Close())
	}
	var answer answerCode
	if err != nil && !errors.As(err, &answer) {
		fmt.Fprintln(a.stderr, "wapt-get:", err)
	}
	return exitCode(err)
}

func (a *app) root() *cobra.Command {
	c := &cobra.Command{
		Use:           "wapt-get",
		Short:         "Keeps this Windows host up to date as its administrators allow",
		Long:          "wapt-get keeps this Windows host up to date as its administrators allow.\n\n" + exitCodes,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
	}
	f := c.PersistentFlags()
	f.StringVarP(&a.config, "config", "c", defaultConfig(), "settings file")
	f.BoolVarP(&a.json, "json", "j", false, "print the result as JSON")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "log to the standard error what is being done")
	f.DurationVar(&a.wait, "wait", 10*time.Minute, "how long to wait for another operation on this host")
	c.AddCommand(
		a.registerCommand(), a.updateCommand(),
		a.scanCommand(), a.downloadCommand(), a.installCommand(), a.uninstallCommand(), a.statusCommand(), a.givebackCommand(), a.repairCommand(),
		a.showConfigCommand(), a.configureCommand(), a.inventoryCommand(), a.serviceCommand(),
		a.selfCheckCommand(), a.selfUpdateCommand(), a.upgradeGuardCommand(),
		a.createKeycertCommand(), a.signCommand(), a.uploadRulesCommand(),
		a.supportBundleCommand(), a.selfTestCommand(),
		a.explainCommand(), a.versionCommand(),
	)
	c.AddCommand(a.dialogCommands()...)
	cmdline.Strict(c)
	return c
}

// defaultConfig is the file beside the program, as WAPT has it; where there
// is none, the one in the working directory.
func defaultConfig() string {
	const name = "wapt-get.ini"
	exe, err := os.Executable()
	if err == nil {
		beside := filepath.Join(filepath.Dir(exe), name)
		if _, err := os.Stat(beside); err == nil {
			return beside
		}
	}
	return name
}

// settings reads the file of --config.
func (a *app) settings() (*settings.Settings, error) { return settings.Load(a.config) }

// print writes v as JSON, or calls text.
func (a *app) print(v any, text func(io.Writer) error) error {
	if !a.json {
		return text(a.stdout)
	}
	e := json.NewEncoder(a.stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// patiently runs f, again while another operation is busy on this host.
func (a *app) patiently(ctx context.Context, f func(context.Context) error) error {
	deadline := a.now().Add(a.wait)
	for told := false; ; told = true {
		err := f(ctx)
		if !errors.Is(err, agent.ErrBusy) || a.now().After(deadline) {
			return err
		}
		if !told {
			fmt.Fprintln(a.stderr, "wapt-get: waiting for another operation on this host")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(busyPoll):
		}
	}
}

// busyPoll is how often a waiting command looks whether it is its turn.
const busyPoll = 500 * time.Millisecond

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.print(map[string]string{"version": version}, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, version)
				return err
			})
		},
	}
}
