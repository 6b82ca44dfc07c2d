package usersession

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// noSession is what WTSGetActiveConsoleSessionId gives while nobody's
// session is at the screen.
const noSession = 0xFFFFFFFF

// stopped is the exit code of a program that was ended from here.
const stopped = 1

// List returns the sessions with a user, the active ones first.
func List() ([]Session, error) {
	all, err := enumerate()
	if err != nil {
		return nil, err
	}
	if console := windows.WTSGetActiveConsoleSessionId(); console != noSession && !slices.ContainsFunc(all, func(s Session) bool { return s.ID == console }) {
		all = append(all, Session{ID: console, Active: true})
	}
	var users []Session
	for _, s := range all {
		token, err := userToken(s.ID)
		if errors.Is(err, windows.ERROR_NO_TOKEN) || errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
			continue // nobody is logged in there
		}
		if err != nil {
			return nil, err
		}
		_ = token.Close()
		users = append(users, s)
	}
	slices.SortStableFunc(users, func(a, b Session) int {
		switch {
		case a.Active == b.Active:
			return 0
		case a.Active:
			return -1
		}
		return 1
	})
	return users, nil
}

func enumerate() ([]Session, error) {
	var first *windows.WTS_SESSION_INFO
	var count uint32
	if err := windows.WTSEnumerateSessions(0, 0, 1, &first, &count); err != nil {
		return nil, fmt.Errorf("listing the sessions: %w", err)
	}
	if first == nil {
		return nil, nil
	}
	defer windows.WTSFreeMemory(uintptr(unsafe.Pointer(first)))
	var all []Session
	for _, s := range unsafe.Slice(first, count) {
		if s.State == windows.WTSActive || s.State == windows.WTSDisconnected || s.State == windows.WTSConnected {
			all = append(all, Session{ID: s.SessionID, Active: s.State == windows.WTSActive})
		}
	}
	return all, nil
}

func userToken(session uint32) (windows.Token, error) {
	var t windows.Token
	if err := windows.WTSQueryUserToken(session, &t); err != nil {
		return 0, fmt.Errorf("the user of session %d: %w", session, err)
	}
	return t, nil
}

// Run runs the program at an absolute path in the session, and returns its
// exit code. When ctx ends before it, the program is ended.
func Run(ctx context.Context, s Session, program string, args []string) (uint32, error) {
	token, err := userToken(s.ID)
	if err != nil {
		return 0, err
	}
	defer token.Close()
	var environment *uint16
	if err := windows.CreateEnvironmentBlock(&environment, token, false); err != nil {
		return 0, fmt.Errorf("the environment of the user of session %d: %w", s.ID, err)
	}
	defer func() { _ = windows.DestroyEnvironmentBlock(environment) }()
	p, err := start(token, environment, program, args)
	if err != nil {
		return 0, fmt.Errorf("starting %s in session %d: %w", program, s.ID, err)
	}
	defer func() { _ = windows.CloseHandle(p) }()
	return await(ctx, p)
}

func start(token windows.Token, environment *uint16, program string, args []string) (windows.Handle, error) {
	path, err := windows.UTF16PtrFromString(program)
	if err != nil {
		return 0, err
	}
	line, err := windows.UTF16PtrFromString(windows.ComposeCommandLine(append([]string{program}, args...)))
	if err != nil {
		return 0, err
	}
	desktop, err := windows.UTF16PtrFromString(`winsta0\default`)
	if err != nil {
		return 0, err
	}
	si := windows.StartupInfo{Desktop: desktop}
	si.Cb = uint32(unsafe.Sizeof(si))
	var pi windows.ProcessInformation
	const flags = windows.CREATE_UNICODE_ENVIRONMENT | windows.CREATE_NO_WINDOW
	if err := windows.CreateProcessAsUser(token, path, line, nil, nil, false, flags, environment, nil, &si, &pi); err != nil {
		return 0, err
	}
	_ = windows.CloseHandle(pi.Thread)
	return pi.Process, nil
}

// look is how often a program is looked after while it is waited for.
const look = 250 * time.Millisecond

// await waits for the program's end.
func await(ctx context.Context, p windows.Handle) (uint32, error) {
	for {
		event, err := windows.WaitForSingleObject(p, uint32(look/time.Millisecond))
		switch {
		case err != nil:
			return 0, err
		case event == windows.WAIT_OBJECT_0:
			var code uint32
			err := windows.GetExitCodeProcess(p, &code)
			return code, err
		case ctx.Err() != nil:
			if err := windows.TerminateProcess(p, stopped); err != nil && !errors.Is(err, syscall.ERROR_ACCESS_DENIED) { // it has ended by itself
				return 0, errors.Join(ctx.Err(), err)
			}
			return 0, ctx.Err()
		}
	}
}
