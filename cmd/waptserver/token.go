package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"waptwua/internal/cmdline"
	"waptwua/schedule"
	"waptwua/server"
)

// newTokenCommand is `waptserver token`.
func newTokenCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Make, list and revoke tokens"}
	cmd.AddCommand(newTokenCreateCommand(), newTokenListCommand(), newTokenRevokeCommand())
	return cmd
}

// madeToken is what `token create --json` prints.
type madeToken struct {
	server.TokenView
	Secret string `json:"secret"`
}

// withAccounts runs fn with the accounts of a data directory, as the command line.
func withAccounts(cmd *cobra.Command, dir string, fn func(*server.Accounts) error) (err error) {
	s, err := openSite(dir)
	if err != nil {
		return err
	}
	accounts, _, closeAll, err := s.offline(cmd.Context())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	cmd.SetContext(server.WithActor(cmd.Context(), server.CommandLine()))
	return fn(accounts)
}

func newTokenCreateCommand() *cobra.Command {
	var dir, kind, role, note, expires string
	var uses int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "create --data DIR",
		Short: "Make a token with which hosts enrol, or a program uses the API",
		Long: `Makes a token and prints its secret, which is shown only now. An enrolment
token (the default) lets a number of hosts in until it expires; an API token
gives a program a role. Works beside a running server.

Exit status: 0 when the token was made, 1 otherwise.`,
		Example: `  waptserver token create --data DIR --uses 25 --expires 8h
  waptserver token create --data DIR --kind api --role viewer --note monitoring --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			want := server.NewToken{Kind: kind, Note: note, Uses: uses}
			var err error
			if want.Valid, err = optionalDuration(expires); err != nil {
				return cmdline.Usagef("--expires %q: %w", expires, err)
			}
			if role != "" {
				if want.Role, err = server.ParseRole(role); err != nil {
					return err
				}
			}
			return withAccounts(cmd, dir, func(a *server.Accounts) error {
				view, secret, err := a.CreateToken(cmd.Context(), want)
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(madeToken{view, secret}) //nolint:gosec // shown once: that is what the command is for
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), secret)
				return err
			})
		},
	}
	addData(cmd, &dir)
	f := cmd.Flags()
	f.StringVar(&kind, "kind", server.KindEnrol, "enrol or api")
	f.IntVar(&uses, "uses", 1, "how many hosts may enrol with it")
	f.StringVar(&expires, "expires", "", "how long it is valid, e.g. 24h or 7d (default: 24h, of an API token 365d)")
	f.StringVar(&role, "role", "", "of an API token: viewer, operator or administrator")
	f.StringVar(&note, "note", "", "what it is for")
	f.BoolVar(&asJSON, "json", false, "print token and secret as JSON")
	return cmd
}

func optionalDuration(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	return schedule.ParseDuration(s, time.Hour)
}

func newTokenListCommand() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list --data DIR", Short: "List tokens, without their secrets", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccounts(cmd, dir, func(a *server.Accounts) error {
				ts, err := a.Tokens(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(ts)
				}
				t := newTable(cmd, "ID", "kind", "role", "usable", "uses left", "expires", "by", "note")
				for _, x := range ts {
					t.AppendRow(table.Row{x.ID, x.Kind, x.Role, x.Usable, x.UsesLeft, shortTime(x.Expires), x.By, x.Note})
				}
				t.Render()
				return nil
			})
		},
	}
	addData(cmd, &dir)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

func newTokenRevokeCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "revoke --data DIR ID", Short: "End a token; hosts that enrolled with it stay", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(cmd, dir, func(a *server.Accounts) error { return a.RevokeToken(cmd.Context(), args[0]) })
		},
	}
	addData(cmd, &dir)
	return cmd
}

// newTable is a table for people on the command's output.
func newTable(cmd *cobra.Command, head ...string) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(cmd.OutOrStdout())
	t.SetStyle(table.StyleLight)
	row := make(table.Row, len(head))
	for i, h := range head {
		row[i] = strings.ToUpper(h)
	}
	t.AppendHeader(row)
	return t
}

func shortTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}
