package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"waptwua/internal/cmdline"
)

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "waptserver",
		Short: "Windows updates for a fleet: server, scan archives, catalogue",
		Long: `waptserver keeps Microsoft's offline scan archive (wsusscn2.cab) and the update
files that some host needs, takes the hosts' reports, and shows the fleet in a
console. "archive" and "catalog" work on files, without a server.

Exit status of every command: 0 when it is done, 2 when the command line is
wrong; others as its help says.`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		newInitCommand(), newServeCommand(), newUserCommand(), newTokenCommand(), newRulesCommand(), newAgentCommand(),
		newArchiveCommand(), newCatalogCommand(),
	)
	cmdline.Strict(root)
	return root
}

// statusError is an error with an exit status of its own.
type statusError struct {
	error
	status int
}

func (e *statusError) Unwrap() error { return e.error }

// exitStatus prints err and returns the exit status that stands for it: 0
// without one, that of a statusError, 2 for a wrong command line, or 1.
func exitStatus(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "waptserver:", err)
	var s *statusError
	if errors.As(err, &s) {
		return s.status
	}
	if cmdline.IsUsage(err) {
		return cmdline.ExitUsage
	}
	return 1
}
