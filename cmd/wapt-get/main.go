// Command wapt-get is the agent: it keeps one Windows host up to date, on
// command or as a service. docs/agent.md describes its settings, commands,
// files and exit codes.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set when the program is linked.
var version = "dev"

func main() {
	cobra.MousetrapHelpText = "" // a shortcut on the desktop may start waptexit
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
