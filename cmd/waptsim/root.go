package main

import "github.com/spf13/cobra"

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "waptsim",
		Short:         "Make the world around a waptserver: archives, an origin, a simulated fleet",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRunCommand(), newFleetCommand(), newArchiveCommand())
	return root
}
