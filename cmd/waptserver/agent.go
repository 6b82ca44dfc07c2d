package main

import "github.com/spf13/cobra"

// newAgentCommand is `waptserver agent`.
func newAgentCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "agent", Short: "Build the agent's installer, publish its releases"}
	cmd.AddCommand(newAgentBuildCommand(), newAgentReleaseCommand())
	return cmd
}
