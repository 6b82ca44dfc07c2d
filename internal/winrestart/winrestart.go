// Package winrestart restarts Windows with its own program shutdown.exe,
// which asks for the privilege it needs, tells every session, and writes the
// reason to the event log. It is called by its absolute path with fixed
// arguments:
//
//	shutdown.exe /r /t 60 /c REASON /d p:2:17
//
// p:2:17 is "operating system: hot fix (planned)". A delay above zero makes
// programs that do not answer end, so that none of them can keep the host
// from restarting. Whoever is logged in can call it off with shutdown /a.
package winrestart

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Delay is the time between the order and the restart.
const Delay = time.Minute

// limit is how long the program may take.
const limit = 30 * time.Second

// The limits of what is given and taken, in bytes.
const (
	maxReason = 512 // of shutdown.exe
	maxOutput = 4 << 10
)

// Exit codes that say that a restart or shutdown is on its way already.
const (
	inProgress = 1115 // ERROR_SHUTDOWN_IN_PROGRESS
	scheduled  = 1190 // ERROR_SHUTDOWN_IS_SCHEDULED
)

// Shutdown is the absolute path of shutdown.exe.
type Shutdown string

// Restart orders the restart and returns at once. A restart or shutdown that
// is on its way already is no error. reason is cut to what Windows takes.
func (s Shutdown) Restart(ctx context.Context, reason string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if r := []rune(reason); len(r) > maxReason {
		reason = string(r[:maxReason])
	}
	cmd := exec.CommandContext(ctx, string(s), "/r", "/t", strconv.Itoa(int(Delay/time.Second)), "/c", reason, "/d", "p:2:17")
	hide(cmd)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if code := uint32(exit.ExitCode()); code == inProgress || code == scheduled {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", string(s), err, strings.TrimSpace(string(out[:min(len(out), maxOutput)])))
	}
	return nil
}
