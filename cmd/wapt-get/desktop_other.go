//go:build !windows

package main

import (
	"context"

	"waptwua/agent"
	"waptwua/wua/sim"
)

// desktop is nobody: a simulated host has no users.
func (h *windowsHost) desktop(string) agent.Desktop { return nil }

// restarter restarts the simulated host.
func (h *windowsHost) restarter() agent.Restarter {
	if host, ok := h.wua.(*sim.Host); ok {
		return simulatedRestart{host}
	}
	return nil
}

type simulatedRestart struct{ host *sim.Host }

func (s simulatedRestart) Restart(ctx context.Context, _ string) error { return s.host.Restart(ctx) }
