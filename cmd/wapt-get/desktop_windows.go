package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"

	"waptwua/agent"
	"waptwua/dialog"
	"waptwua/internal/taskdialog"
	"waptwua/internal/usersession"
	"waptwua/internal/winrestart"
)

// desktop is the users of this Windows; nil when the path of this program
// is not known.
func (h *windowsHost) desktop() agent.Desktop {
	program, err := os.Executable()
	if err != nil {
		return nil
	}
	return userDesktop{sessions: windowsSessions{}, program: program}
}

type windowsSessions struct{}

func (windowsSessions) List() ([]usersession.Session, error) { return usersession.List() }

func (windowsSessions) Run(ctx context.Context, s usersession.Session, program string, args []string) (uint32, error) {
	return usersession.Run(ctx, s, program, args)
}

// restarter restarts this Windows.
func (h *windowsHost) restarter() agent.Restarter {
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return nil // cannot fail; without it the host is not restarted
	}
	return winrestart.Shutdown(filepath.Join(system, "shutdown.exe"))
}

// windowFront shows windows.
func (a *app) windowFront(context.Context, *time.Ticker) dialog.Front { return taskdialog.Front{} }

// language is that of the user.
func language() dialog.Language { return taskdialog.UserLanguage() }
