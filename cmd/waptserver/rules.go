package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"waptwua/server"
	"waptwua/signing"
)

// newRulesCommand is `waptserver rules`.
func newRulesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "rules", Short: "Add, list and remove signed rule packages"}
	cmd.AddCommand(newRulesAddCommand(), newRulesListCommand(), newRulesRemoveCommand())
	return cmd
}

// withRules runs fn with the rules of a data directory, as the command line.
func withRules(cmd *cobra.Command, dir string, fn func(*server.Rules) error) (err error) {
	s, err := openSite(dir)
	if err != nil {
		return err
	}
	_, rules, closeAll, err := s.offline(cmd.Context())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	cmd.SetContext(server.WithActor(cmd.Context(), server.CommandLine()))
	return fn(rules)
}

func newRulesAddCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "add --data DIR FILE", Short: "Add a signed rule package", Args: cobra.ExactArgs(1),
		Long: `Adds a rule package, signed by an administrator with: wapt-get sign. The server
keeps it as it is; hosts check the signature, and so does this command when the
server was given administrators' certificates. Works beside a running server.

Exit status: 0 when it was taken, 1 otherwise.`,
		Example: `  waptserver rules add --data DIR rules.envelope.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readBounded(args[0], signing.MaxEnvelope)
			if err != nil {
				return fmt.Errorf("reading the rule package: %w", err)
			}
			return withRules(cmd, dir, func(r *server.Rules) error {
				v, err := r.Upload(cmd.Context(), text)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s version %d, signed by %s\n", v.Name, v.Version, v.Signer)
				return err
			})
		},
	}
	addData(cmd, &dir)
	return cmd
}

func newRulesListCommand() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list --data DIR", Short: "List the rule packages in force", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRules(cmd, dir, func(r *server.Rules) error {
				vs, err := r.List(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(vs)
				}
				t := newTable(cmd, "name", "version", "signer", "checked here", "uploaded", "by")
				for _, v := range vs {
					t.AppendRow(table.Row{v.Name, v.Version, v.Signer, v.Verified, shortTime(v.Uploaded), v.By})
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

func newRulesRemoveCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "remove --data DIR NAME", Short: "Take a rule package out of force", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withRules(cmd, dir, func(r *server.Rules) error { return r.Remove(cmd.Context(), args[0]) })
		},
	}
	addData(cmd, &dir)
	return cmd
}
