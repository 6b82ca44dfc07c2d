//go:build !windows

package main

import (
	"cmp"
	"context"
	"os"
	"time"

	"waptwua/agent"
	"waptwua/dialog"
	"waptwua/wua/sim"
)

// desktop is nobody: a simulated host has no users.
func (h *windowsHost) desktop() agent.Desktop { return nil }

// restarter restarts the simulated host.
func (h *windowsHost) restarter() agent.Restarter {
	if host, ok := h.wua.(*sim.Host); ok {
		return simulatedRestart{host}
	}
	return nil
}

type simulatedRestart struct{ host *sim.Host }

func (s simulatedRestart) Restart(ctx context.Context, _ string) error { return s.host.Restart(ctx) }

// windowFront is the terminal: there are no windows.
func (a *app) windowFront(ctx context.Context, ticker *time.Ticker) dialog.Front {
	return &dialog.Text{Out: a.stderr, Lines: typed(ctx, a.stdin), Ticks: ticker.C}
}

// language is that of the environment.
func language() dialog.Language {
	return dialog.LanguageOf(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")))
}
