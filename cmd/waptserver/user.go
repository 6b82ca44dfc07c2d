package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"waptwua/server"
)

// newUserCommand is `waptserver user`.
func newUserCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Add and list users, and set passwords"}
	cmd.AddCommand(newUserAddCommand(), newUserPasswdCommand(), newUserListCommand())
	return cmd
}

// stdinHelp is said by both commands that take a password.
const stdinHelp = `Without --stdin a password is made and printed once; the user must change it
at the first sign-in. With --stdin it is the first line of the standard input.

Exit status: 0 when it was done, 1 otherwise.`

func newUserAddCommand() *cobra.Command {
	var dir, role string
	var stdin bool
	cmd := &cobra.Command{
		Use: "add --data DIR NAME", Short: "Add a user", Args: cobra.ExactArgs(1),
		Long:    "Adds a user. " + stdinHelp,
		Example: `  waptserver user add --data DIR --role operator ada`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := server.ParseRole(role)
			if err != nil {
				return err
			}
			return withAccounts(cmd, dir, func(a *server.Accounts) error {
				password, made, err := choosePassword(cmd.InOrStdin(), a, stdin)
				if err != nil {
					return err
				}
				if err := a.AddUser(cmd.Context(), args[0], password, r, made); err != nil {
					return err
				}
				return tellPassword(cmd.OutOrStdout(), password, made)
			})
		},
	}
	addData(cmd, &dir)
	cmd.Flags().StringVar(&role, "role", string(server.Viewer), "viewer, operator or administrator")
	cmd.Flags().BoolVar(&stdin, "stdin", false, "read the password from the standard input")
	return cmd
}

func newUserPasswdCommand() *cobra.Command {
	var dir string
	var stdin bool
	cmd := &cobra.Command{
		Use: "passwd --data DIR NAME", Short: "Set a user's password; signed-in sessions end", Args: cobra.ExactArgs(1),
		Long:    "Sets a user's password, also when it was lost. " + stdinHelp,
		Example: `  waptserver user passwd --data DIR admin`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(cmd, dir, func(a *server.Accounts) error {
				password, made, err := choosePassword(cmd.InOrStdin(), a, stdin)
				if err != nil {
					return err
				}
				if err := a.SetPassword(cmd.Context(), args[0], password, made); err != nil {
					return err
				}
				return tellPassword(cmd.OutOrStdout(), password, made)
			})
		},
	}
	addData(cmd, &dir)
	cmd.Flags().BoolVar(&stdin, "stdin", false, "read the password from the standard input")
	return cmd
}

// choosePassword reads or makes a password; made ones must be changed.
func choosePassword(in io.Reader, a *server.Accounts, stdin bool) (password string, made bool, err error) {
	if !stdin {
		password, err = a.RandomPassword()
		return password, true, err
	}
	line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
	if err != nil && line == "" {
		return "", false, fmt.Errorf("reading the password from the standard input: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), false, nil
}

func tellPassword(w io.Writer, password string, made bool) error {
	if !made {
		return nil
	}
	_, err := fmt.Fprintln(w, password)
	return err
}

func newUserListCommand() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list --data DIR", Short: "List users", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccounts(cmd, dir, func(a *server.Accounts) error {
				us, err := a.Users(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(us)
				}
				t := newTable(cmd, "name", "role", "disabled", "last sign-in")
				for _, u := range us {
					t.AppendRow(table.Row{u.Name, u.Role, u.Disabled, shortTime(u.LastLogin)})
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
