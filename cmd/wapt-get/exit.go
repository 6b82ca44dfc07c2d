package main

import (
	"context"
	"errors"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/local"
	"waptwua/internal/cmdline"
)

// The exit codes.
const (
	exitOK            = 0
	exitFailed        = 1
	exitUsage         = cmdline.ExitUsage
	exitNotRegistered = 3
	exitBusy          = 4
	exitRestart       = 5
	exitNotReported   = 6
	exitUpdateFailed  = 7
	exitNotTrusted    = 8
	exitWindowClosed  = 9
	exitNotRunning    = 10
	exitStopped       = 130
)

const exitCodes = `Exit codes:
  0    done, or nothing to do
  1    failed; the message says why
  2    wrong command line
  3    the host is not registered
  4    another operation is running on this host
  5    a restart is needed first
  6    done, but the server does not know yet
  7    done, but an update failed; see waptwua-status
  8    a signature or certificate is not trusted
  9    outside of the installation windows; the message says when one opens
  10   the service does not run
  130  stopped by a signal`

// usageError makes err a mistake on the command line.
func usageError(err error) error { return cmdline.Usage(err) }

// errNotRunning is the answer of `service status` for a service that does not
// run.
var errNotRunning = errors.New("the service does not run; start it with: wapt-get service start")

// exitCode is the one table from errors to exit codes. The first that fits
// counts.
func exitCode(err error) int {
	var answer answerCode
	if errors.As(err, &answer) {
		return int(answer)
	}
	if cmdline.IsUsage(err) {
		return exitUsage
	}
	for _, e := range []struct {
		err  error
		code int
	}{
		{context.Canceled, exitStopped},
		{agent.ErrNotRegistered, exitNotRegistered},
		{agent.ErrBusy, exitBusy},
		{agent.ErrRestartFirst, exitRestart},
		{agent.ErrWindowClosed, exitWindowClosed},
		{agent.ErrNotReported, exitNotReported},
		{local.ErrUpdateFailed, exitUpdateFailed},
		{errNotRunning, exitNotRunning},
		{local.ErrUnreachable, exitNotRunning},
		{waptwua.ErrNotTrusted, exitNotTrusted},
	} {
		if errors.Is(err, e.err) {
			return e.code
		}
	}
	if err != nil {
		return exitFailed
	}
	return exitOK
}
