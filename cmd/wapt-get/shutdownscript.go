package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"waptwua/agent"
	"waptwua/agent/journal"
	"waptwua/agent/settings"
	"waptwua/internal/shutdownscript"
)

func (a *app) addShutdownCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "add-upgrade-shutdown",
		Short: "Have Windows run waptexit before it shuts down",
		Long: `Makes waptexit a shutdown script of the local group policy, after those that are
there, and lets Windows wait for it as long as max_gpo_script_wait says. What was
there before is kept for remove-upgrade-shutdown. May be repeated. Windows takes
the script over at the next refresh of its policies: gpupdate /target:computer.
Needs an administrator.`,
		Example: "  wapt-get add-upgrade-shutdown",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.changeShutdown(c.Context(), "waptexit runs before a shutdown, from the next refresh of the group policy: gpupdate /target:computer", a.addShutdown)
		},
	}
}

func (a *app) removeShutdownCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "remove-upgrade-shutdown",
		Short:   "Undo add-upgrade-shutdown",
		Long:    "Puts back what was there before add-upgrade-shutdown: the scripts of the local\ngroup policy and the values of the registry. Changes that others have made\nsince stay. May be repeated. Needs an administrator.",
		Example: "  wapt-get remove-upgrade-shutdown",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.changeShutdown(c.Context(), "waptexit does not run before a shutdown any more", removeShutdown)
		},
	}
}

// changeShutdown runs f alone in the agent's folder, and says what was done.
func (a *app) changeShutdown(ctx context.Context, done string, f func(shutdownscript.Machine, *settings.Settings) error) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return fmt.Errorf("preparing the agent's folder: %w", err)
	}
	if err := a.patiently(ctx, func(context.Context) error { return aloneWithPolicy(s, f) }); err != nil {
		return err
	}
	return a.print(map[string]string{"done": done}, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, done)
		return err
	})
}

// aloneWithPolicy runs f while nothing else changes the group policy or
// works in the agent's folder.
func aloneWithPolicy(s *settings.Settings, f func(shutdownscript.Machine, *settings.Settings) error) error {
	m, err := policyMachine()
	if err != nil {
		return err
	}
	m.Store = shutdownStore(shutdownDocument(s))
	return agent.Alone(s.Dir, func() error { return f(m, s) })
}

// shutdownDocument is where it is kept what was there before.
func shutdownDocument(s *settings.Settings) string {
	return filepath.Join(s.Dir, "shutdown-script.json")
}

func removeShutdown(m shutdownscript.Machine, _ *settings.Settings) error { return m.Remove() }

// undoShutdown removes the shutdown script if this agent has added one.
func (a *app) undoShutdown(ctx context.Context, s *settings.Settings) error {
	if _, err := os.Stat(shutdownDocument(s)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return a.patiently(ctx, func(context.Context) error { return aloneWithPolicy(s, removeShutdown) })
}

func (a *app) addShutdown(m shutdownscript.Machine, s *settings.Settings) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("path of this program: %w", err)
	}
	config, err := filepath.Abs(a.config)
	if err != nil {
		return fmt.Errorf("path of the settings file: %w", err)
	}
	script := shutdownscript.Script{Program: program, Parameters: `waptexit --config "` + config + `"`, Wait: s.Exit.ScriptWait}
	if s.Exit.Hiberboot != settings.Unset {
		on := s.Exit.Hiberboot == settings.True
		script.Hiberboot = &on
	}
	return m.Add(script)
}

// shutdownStore is a document of package journal.
type shutdownStore string

func (s shutdownStore) Load(b *shutdownscript.Before) error { return journal.Load(string(s), b) }
func (s shutdownStore) Save(b *shutdownscript.Before) error { return journal.Save(string(s), b) }
func (s shutdownStore) Remove() error                       { return os.Remove(string(s)) }
