package main

import (
	"github.com/spf13/cobra"

	"waptwua/internal/cmdline"
)

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "waptsim",
		Short: "Make the world around a waptserver: archives, an origin, a simulated fleet",
		Long: `waptsim makes the world around a waptserver: generated scan archives, a
stand-in for Microsoft's download servers, and simulated Windows hosts.

Exit status of every command: 0 when it is done, 2 when the command line is
wrong, 1 when it failed; others as its help says.`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRunCommand(), newFleetCommand(), newArchiveCommand())
	cmdline.Strict(root)
	return root
}
