package main

import (
	"path/filepath"

	"golang.org/x/sys/windows"

	"waptwua/agent"
	"waptwua/internal/winrestart"
)

// desktop is the users of this Windows.
func (h *windowsHost) desktop(string) agent.Desktop { return nil }

// restarter restarts this Windows.
func (h *windowsHost) restarter() agent.Restarter {
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return nil // cannot fail; without it the host is not restarted
	}
	return winrestart.Shutdown(filepath.Join(system, "shutdown.exe"))
}
