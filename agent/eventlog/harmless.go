package eventlog

import (
	"context"
	"errors"

	"waptwua"
	"waptwua/agent"
)

// harmless reports whether an installation that ended with err needs nobody's
// attention: it was stopped, had nothing to do, or has to wait.
func harmless(err error) bool {
	for _, e := range []error{waptwua.ErrUnchanged, agent.ErrNotReported, agent.ErrBusy, agent.ErrRestartFirst, agent.ErrWindowClosed, agent.ErrNotEnabled, context.Canceled} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
