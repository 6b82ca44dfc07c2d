// Command waptsim makes the world around a waptserver: generated scan
// archives, a stand-in for Microsoft's download servers, and fleets of
// simulated Windows hosts, each the real agent. It serves demonstration,
// tests and load; nothing of it is installed on a Windows host.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"waptwua/internal/cmdline"
)

// version is set when the program is linked.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program; a test can start it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(stderr, "waptsim:", err)
		if cmdline.IsUsage(err) {
			return cmdline.ExitUsage
		}
		return 1
	}
	return 0
}
