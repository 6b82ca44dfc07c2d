package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/local"
)

func (a *app) registerCommand() *cobra.Command {
	var o agent.RegisterOptions
	var caFile, tokenFile string
	c := &cobra.Command{
		Use:   "register",
		Short: "Get a certificate for this host from the server",
		Long: `Makes the host's key and gets a certificate for it from the server.

The server is believed only when its CA is given: as a PEM file (--ca, or
verify_cert in wapt-get.ini) or as a SHA-256 fingerprint (--fingerprint, or
server_fingerprint) that you have compared with what the server printed at
its initialisation. A host that is registered stays as it is.`,
		Example: "  wapt-get register --token-file token.txt --ca server-ca.pem",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if caFile != "" {
				if o.CA, err = os.ReadFile(caFile); err != nil {
					return err
				}
			}
			if tokenFile != "" {
				if o.Token, err = readSecret(tokenFile); err != nil {
					return err
				}
			}
			return a.operate(c.Context(), always("registered"), local.Order{}, func(ctx context.Context, ag *agent.Agent) error { return ag.Register(ctx, o) })
		},
	}
	f := c.Flags()
	f.StringVar(&o.Token, "token", "", "enrolment token (others on this machine can see it; prefer --token-file)")
	f.StringVar(&tokenFile, "token-file", "", "file with the enrolment token")
	f.StringVar(&caFile, "ca", "", "PEM file with the server's CA")
	f.StringVar(&o.Fingerprint, "fingerprint", "", "SHA-256 fingerprint of the server's CA")
	f.BoolVarP(&o.Force, "force", "f", false, "get a new certificate although there is a good one")
	return c
}

func (a *app) updateCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "update", Short: "Fetch the rules and report to the server", Example: "  wapt-get update --service", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.operate(c.Context(), always("rules updated"), local.Order{Kind: local.Update}, func(ctx context.Context, ag *agent.Agent) error { return ag.UpdateRules(ctx) })
		},
	}
	a.serviceFlag(c)
	return c
}

func (a *app) scanCommand() *cobra.Command {
	var o agent.ScanOptions
	c := &cobra.Command{
		Use:   "waptwua-scan",
		Short: "Search for the updates that this host needs, and report them",
		Long:  "Searches for the updates that this host needs, and reports them. Nothing is done\nwhen neither rules nor archive nor history have changed, unless --force is given.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.operate(c.Context(), always("scanned"), local.Order{Kind: local.Scan, Force: o.Force}, func(ctx context.Context, ag *agent.Agent) error { return ag.Scan(ctx, o) })
		},
	}
	c.Flags().BoolVarP(&o.Force, "force", "f", false, "search although nothing has changed")
	a.serviceFlag(c)
	return c
}

func (a *app) downloadCommand() *cobra.Command {
	var o agent.ScanOptions
	c := &cobra.Command{
		Use:   "waptwua-download",
		Short: "Scan, and fetch the files of allowed updates",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.operate(c.Context(), toldDownload, local.Order{Kind: local.Download, Force: o.Force}, func(ctx context.Context, ag *agent.Agent) error { return ag.Download(ctx, o) })
		},
	}
	c.Flags().BoolVarP(&o.Force, "force", "f", false, "search although nothing has changed")
	a.serviceFlag(c)
	return c
}

func (a *app) installCommand() *cobra.Command {
	var o agent.InstallOptions
	var atShutdown bool
	var limit time.Duration
	c := &cobra.Command{
		Use:   "waptwua-install [KB | UPDATEID_REVISION]…",
		Short: "Install the allowed updates that this host needs",
		Long: `Searches, fetches what is missing, installs what is allowed and needed, and
searches again: only then an update counts as installed. With arguments, only
these updates are installed, if they are allowed. The host is not restarted.

Where [waptwua] install_windows or freeze_dates are set, nothing is installed
outside of a window (exit code 9), unless --now or --force is given.`,
		Example: `  wapt-get waptwua-install
  wapt-get waptwua-install KB5040442 --now`,
		RunE: func(c *cobra.Command, args []string) error {
			if a.byService && (atShutdown || c.Flags().Changed("limit")) {
				return usageError(errors.New("--at-shutdown and --limit do not go with --service"))
			}
			limit, err := a.installLimit(c.Flags().Changed("limit"), limit, atShutdown)
			if err != nil {
				return err
			}
			order := local.Order{Kind: local.Install, Force: o.Force, Now: o.Now, Only: args}
			return a.operate(c.Context(), toldInstall, order, func(ctx context.Context, ag *agent.Agent) error {
				ctx, cancel := context.WithTimeout(ctx, limit)
				defer cancel()
				if atShutdown {
					return ag.Shutdown(ctx)
				}
				return a.installOnly(ctx, ag, o, args)
			})
		},
	}
	f := c.Flags()
	f.BoolVarP(&o.Force, "force", "f", false, "also updates that have failed before, although a restart is due or no window is open")
	f.BoolVar(&o.Now, "now", false, "although no installation window is open")
	f.BoolVar(&atShutdown, "at-shutdown", false, "install only if install_at_shutdown is set")
	f.DurationVar(&limit, "limit", 4*time.Hour, "stop after this time; with --at-shutdown by default after pre_shutdown_timeout")
	a.serviceFlag(c)
	return c
}

// installLimit is the time for an installation: the one given, or that of a
// shutdown.
func (a *app) installLimit(given bool, limit time.Duration, atShutdown bool) (time.Duration, error) {
	if limit <= 0 {
		return 0, usageError(fmt.Errorf("--limit %v: want a time above zero, such as 4h", limit))
	}
	if given || !atShutdown {
		return limit, nil
	}
	s, err := a.settings()
	if err != nil {
		return 0, err
	}
	return s.Exit.Limit, nil
}

// installOnly turns the arguments into identities and installs.
func (a *app) installOnly(ctx context.Context, ag *agent.Agent, o agent.InstallOptions, args []string) error {
	if len(args) > 0 {
		known, err := ag.Status()
		if err != nil {
			return err
		}
		for _, arg := range args {
			ids := match(known, arg)
			if len(ids) == 0 {
				return fmt.Errorf("update %s: no scan of this host has found it: %w", arg, waptwua.ErrNotFound)
			}
			o.Only = append(o.Only, ids...)
		}
	}
	if err := ag.Install(ctx, o); err != nil {
		return err
	}
	return failed(ag, o.Only)
}

// failed is local.ErrUpdateFailed when one of these updates is in status
// ERROR; of none given, any.
func failed(ag *agent.Agent, ids []waptwua.UpdateID) error {
	s, err := ag.Status()
	if err != nil {
		return err
	}
	for id, u := range s.State.Updates {
		if u.Status == waptwua.StatusError && (len(ids) == 0 || slices.Contains(ids, id)) {
			return local.ErrUpdateFailed
		}
	}
	return nil
}

// match finds the updates that a KB or an identity names.
func match(s *agent.Status, arg string) []waptwua.UpdateID {
	var ids []waptwua.UpdateID
	kb, kbErr := waptwua.ParseKB(arg)
	id, idErr := waptwua.ParseUpdateID(arg)
	for _, u := range s.Updates {
		if kbErr == nil && slices.Contains(u.KBs, kb) || idErr == nil && u.ID == id {
			ids = append(ids, u.ID)
		}
	}
	return ids
}

// operate runs one operation, or orders it from the service, and prints what
// is known afterwards.
func (a *app) operate(ctx context.Context, say told, order local.Order, f func(context.Context, *agent.Agent) error) error {
	if a.byService {
		return a.order(ctx, say, order)
	}
	began := time.Now()
	ag, _, err := a.open()
	if err != nil {
		return err
	}
	defer ag.Close()
	err = a.patiently(ctx, func(ctx context.Context) error { return f(ctx, ag) })
	status, statusErr := ag.Status()
	if statusErr != nil {
		return errors.Join(err, statusErr)
	}
	return a.report(say(status, began), err, status)
}

// report prints what an operation did, and returns its error.
func (a *app) report(done string, err error, status *agent.Status) error {
	unchanged := errors.Is(err, waptwua.ErrUnchanged)
	var waits agent.Waits
	if errors.As(err, &waits) {
		done, err = waits.Error(), nil
	} else if unchanged && !errors.Is(err, agent.ErrNotReported) {
		done, err = "nothing has changed", nil
	}
	out := outcome{Done: err == nil || errors.Is(err, agent.ErrNotReported) || errors.Is(err, local.ErrUpdateFailed), Unchanged: unchanged, Reason: waits.Reason, Status: status}
	if err != nil {
		out.Error = err.Error()
	}
	return errors.Join(err, a.print(out, func(w io.Writer) error {
		if out.Done {
			fmt.Fprintln(w, done)
			return summary(w, status)
		}
		return nil
	}))
}

// outcome is the JSON form of what an operation did.
type outcome struct {
	Done      bool          `json:"done"`
	Unchanged bool          `json:"unchanged,omitempty"`
	Reason    string        `json:"reason,omitempty"` // why nothing is installed now
	Error     string        `json:"error,omitempty"`
	Status    *agent.Status `json:"status"`
}
