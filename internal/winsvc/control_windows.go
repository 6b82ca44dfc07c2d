package winsvc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// restarts are the waits before the SCM starts a dead service again: the
// first time, the second, and from then on.
var restarts = [...]time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute}

// forget is how long a service must live until its ends are forgotten.
const forget = 24 * time.Hour

// access is what the functions of this package need of a service.
const (
	accessAll   = windows.SERVICE_ALL_ACCESS
	accessQuery = windows.SERVICE_QUERY_STATUS | windows.SERVICE_QUERY_CONFIG
)

// Install installs the service, or brings its settings up to date: a running
// one uses them from its next start on.
func Install(s Service) error {
	err := install(s)
	if err != nil {
		return fmt.Errorf("installing the service %s: %w", s.Name, known(err))
	}
	return nil
}

func install(s Service) error {
	command := windows.ComposeCommandLine(append([]string{s.Program}, s.Args...))
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer m.Disconnect()
	h, err := m.OpenService(s.Name)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		h, err = m.CreateService(s.Name, s.Program, mgr.Config{StartType: mgr.StartAutomatic, DisplayName: s.Display}, s.Args...)
	}
	if err != nil {
		return err
	}
	defer h.Close()
	if err := change(h.Handle, command, s.Display); err != nil {
		return err
	}
	return details(h, s)
}

// change sets what ChangeServiceConfig can. mgr's UpdateConfig is not used:
// it always asks for delayed start and a SID type, which Wine refuses.
func change(h windows.Handle, command, display string) error {
	c, err := windows.UTF16PtrFromString(command)
	if err != nil {
		return err
	}
	d, err := windows.UTF16PtrFromString(display)
	if err != nil {
		return err
	}
	return windows.ChangeServiceConfig(h, windows.SERVICE_WIN32_OWN_PROCESS, windows.SERVICE_AUTO_START, windows.SERVICE_ERROR_NORMAL, c, nil, nil, nil, nil, nil, d)
}

// details sets the description, what happens when the process dies, and how
// long a shutdown waits. Windows has all of them since 2008; what is too old,
// or Wine, does without.
func details(h *mgr.Service, s Service) error {
	text, err := windows.UTF16PtrFromString(s.Description)
	if err != nil {
		return err
	}
	description := windows.SERVICE_DESCRIPTION{Description: text}
	var actions []mgr.RecoveryAction
	for _, d := range restarts {
		actions = append(actions, mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: d})
	}
	for _, err := range []error{
		windows.ChangeServiceConfig2(h.Handle, windows.SERVICE_CONFIG_DESCRIPTION, (*byte)(unsafe.Pointer(&description))),
		waitFor(h, s.PreShutdown),
		h.SetRecoveryActions(actions, uint32(forget/time.Second)),
		h.SetRecoveryActionsOnNonCrashFailures(true),
	} {
		if err != nil && !errors.Is(err, windows.ERROR_INVALID_LEVEL) {
			return err
		}
	}
	return nil
}

// waitFor sets how long a shutdown waits for the service.
func waitFor(h *mgr.Service, d time.Duration) error {
	info := struct{ Timeout uint32 }{milliseconds(d)} // SERVICE_PRESHUTDOWN_INFO
	return windows.ChangeServiceConfig2(h.Handle, windows.SERVICE_CONFIG_PRESHUTDOWN_INFO, (*byte)(unsafe.Pointer(&info)))
}

// SetPreShutdown changes how long a shutdown waits for the service.
func SetPreShutdown(name string, d time.Duration) error {
	return with(name, "changing", accessAll, func(h *mgr.Service) error { return waitFor(h, d) })
}

// Uninstall stops the service and removes it. The error wraps ErrNotInstalled
// when there is none.
func Uninstall(ctx context.Context, name string) error {
	return with(name, "removing", accessAll, func(h *mgr.Service) error {
		if err := stopIt(ctx, h); err != nil {
			return err
		}
		return h.Delete()
	})
}

// Start starts the service and waits until it runs. One that runs is left
// alone.
func Start(ctx context.Context, name string) error {
	return with(name, "starting", accessAll, func(h *mgr.Service) error {
		err := h.Start()
		if err != nil && !errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) {
			return err
		}
		return await(ctx, h, svc.Running)
	})
}

// Stop stops the service and waits until it has stopped. One that does not
// run is left alone.
func Stop(ctx context.Context, name string) error {
	return with(name, "stopping", accessAll, func(h *mgr.Service) error { return stopIt(ctx, h) })
}

func stopIt(ctx context.Context, h *mgr.Service) error {
	_, err := h.Control(svc.Stop)
	if errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
		return nil
	}
	if err != nil && !errors.Is(err, windows.ERROR_SERVICE_CANNOT_ACCEPT_CTRL) {
		return err
	}
	return await(ctx, h, svc.Stopped)
}

// look is how often await asks the SCM.
const look = 100 * time.Millisecond

// await waits until the service is in state want.
func await(ctx context.Context, h *mgr.Service, want svc.State) error {
	t := time.NewTicker(look)
	defer t.Stop()
	for {
		s, err := h.Query()
		switch {
		case err != nil:
			return err
		case s.State == want:
			return nil
		case s.State == svc.Stopped:
			return fmt.Errorf("it ended with code %d (%d)", s.Win32ExitCode, s.ServiceSpecificExitCode)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it is still %s: %w", stateOf(s.State), ctx.Err())
		case <-t.C:
		}
	}
}

// Query tells what the SCM knows of the service. A service that does not
// exist is no error: its state is NotInstalled. Every user may ask.
func Query(name string) (Info, error) {
	var i Info
	err := with(name, "asking about", accessQuery, func(h *mgr.Service) error {
		s, err := h.Query()
		if err != nil {
			return err
		}
		i.State, i.PID = stateOf(s.State), s.ProcessId
		return config(h.Handle, &i)
	})
	if errors.Is(err, ErrNotInstalled) {
		return Info{State: NotInstalled}, nil
	}
	return i, err
}

// maxConfig is the largest answer of QueryServiceConfig, by its documentation.
const maxConfig = 8 << 10

func config(h windows.Handle, i *Info) error {
	var needed uint32
	buf := make([]byte, maxConfig)
	c := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&buf[0]))
	if err := windows.QueryServiceConfig(h, c, maxConfig, &needed); err != nil {
		return err
	}
	i.Start = map[uint32]string{windows.SERVICE_AUTO_START: "automatic", windows.SERVICE_DEMAND_START: "manual", windows.SERVICE_DISABLED: "disabled"}[c.StartType]
	i.Account = windows.UTF16PtrToString(c.ServiceStartName)
	i.Command = windows.UTF16PtrToString(c.BinaryPathName)
	return nil
}

func stateOf(s svc.State) State {
	switch s {
	case svc.Stopped:
		return Stopped
	case svc.StartPending:
		return Starting
	case svc.StopPending:
		return Stopping
	case svc.Running:
		return Running
	}
	return Other
}

// with opens the service with no more access than is needed, and calls f.
func with(name, doing string, access uint32, f func(*mgr.Service) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s the service %s: %w", doing, name, known(err))
		}
	}()
	m, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseServiceHandle(m) }()
	n, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	h, err := windows.OpenService(m, n, access)
	if err != nil {
		return err
	}
	s := &mgr.Service{Name: name, Handle: h}
	defer s.Close()
	return f(s)
}

// known turns codes of the SCM into the errors of this package.
func known(err error) error {
	var code syscall.Errno
	if !errors.As(err, &code) {
		return err
	}
	switch code {
	case windows.ERROR_SERVICE_DOES_NOT_EXIST:
		return ErrNotInstalled
	case windows.ERROR_ACCESS_DENIED:
		return ErrDenied
	case windows.ERROR_SERVICE_MARKED_FOR_DELETE:
		return errors.New("the service is being removed; close services.msc and whatever else has it open, or restart Windows")
	case windows.ERROR_SERVICE_DISABLED:
		return errors.New("the service is disabled; set its start to automatic, for example with: wapt-get service install")
	}
	return fmt.Errorf("%s (%d)", strings.TrimSpace(code.Error()), uint32(code))
}
