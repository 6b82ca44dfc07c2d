package native

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"waptwua/wua"
)

// look is how often a service that is starting or stopping is looked at.
const look = 100 * time.Millisecond

// withService opens a service with no more rights than are needed.
func withService(name string, access uint32, f func(windows.Handle) error) error {
	op := "service " + name
	n, err := wide(name)
	if err != nil {
		return err
	}
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return failure(op, err)
	}
	defer func() { _ = windows.CloseServiceHandle(manager) }() // only fails for what is no handle
	s, err := windows.OpenService(manager, n, access)
	if err != nil {
		return failure(op, err, windows.ERROR_SERVICE_DOES_NOT_EXIST)
	}
	defer func() { _ = windows.CloseServiceHandle(s) }()
	return f(s)
}

// Service implements Services.
func (machine) Service(_ context.Context, name string) (s Service, err error) {
	err = withService(name, windows.SERVICE_QUERY_CONFIG|windows.SERVICE_QUERY_STATUS, func(h windows.Handle) error {
		mode, err := startMode(h)
		if err != nil {
			return failure("start mode of "+name, err)
		}
		state, err := stateOf(h)
		s = Service{Start: mode, Running: state == windows.SERVICE_RUNNING || state == windows.SERVICE_STOP_PENDING}
		return failure("state of "+name, err)
	})
	return s, err
}

// maxConfig is the largest answer of QueryServiceConfig, in bytes.
const maxConfig = 8 << 10

func startMode(h windows.Handle) (Start, error) {
	buf := make([]uint64, maxConfig/8) // aligned for the structure
	c := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&buf[0]))
	var need uint32
	if err := windows.QueryServiceConfig(h, c, maxConfig, &need); err != nil {
		return "", err
	}
	switch c.StartType {
	case windows.SERVICE_DEMAND_START:
		return Manual, nil
	case windows.SERVICE_DISABLED:
		return Disabled, nil
	}
	return Automatic, nil
}

func stateOf(h windows.Handle) (uint32, error) {
	var s windows.SERVICE_STATUS
	err := windows.QueryServiceStatus(h, &s)
	return s.CurrentState, err
}

// SetStart implements Services.
func (machine) SetStart(_ context.Context, name string, mode Start) error {
	kind, ok := map[Start]uint32{
		Automatic: windows.SERVICE_AUTO_START, Manual: windows.SERVICE_DEMAND_START, Disabled: windows.SERVICE_DISABLED,
	}[mode]
	if !ok {
		return fmt.Errorf("service %s: there is no start mode %q", name, mode)
	}
	return withService(name, windows.SERVICE_CHANGE_CONFIG, func(h windows.Handle) error {
		err := windows.ChangeServiceConfig(h, windows.SERVICE_NO_CHANGE, kind, windows.SERVICE_NO_CHANGE, nil, nil, nil, nil, nil, nil, nil)
		return failure("start mode of "+name, err)
	})
}

// SetRunning implements Services.
func (machine) SetRunning(ctx context.Context, name string, running bool) error {
	access, op, want := uint32(windows.SERVICE_STOP), "stopping "+name, uint32(windows.SERVICE_STOPPED)
	if running {
		access, op, want = windows.SERVICE_START, "starting "+name, windows.SERVICE_RUNNING
	}
	return withService(name, access|windows.SERVICE_QUERY_STATUS, func(h windows.Handle) error {
		state, err := stateOf(h)
		if err != nil || state == want {
			return failure(op, err)
		}
		if err := begin(h, running); err != nil {
			return failure(op, err)
		}
		return await(ctx, h, op, want)
	})
}

// begin asks for the change. One that is on its way already is awaited.
func begin(h windows.Handle, running bool) error {
	var err error
	if running {
		err = windows.StartService(h, 0, nil)
	} else {
		var s windows.SERVICE_STATUS
		err = windows.ControlService(h, windows.SERVICE_CONTROL_STOP, &s)
	}
	for _, fine := range []error{windows.ERROR_SERVICE_ALREADY_RUNNING, windows.ERROR_SERVICE_NOT_ACTIVE, windows.ERROR_SERVICE_CANNOT_ACCEPT_CTRL} {
		if errors.Is(err, fine) {
			return nil
		}
	}
	return err
}

// await returns when the service is in the state. A service that ends
// instead of starting is an error.
func await(ctx context.Context, h windows.Handle, op string, want uint32) error {
	for n := 0; ; n++ {
		state, err := stateOf(h)
		switch {
		case err != nil || state == want:
			return failure(op, err)
		case want == windows.SERVICE_RUNNING && state == windows.SERVICE_STOPPED && n > 0:
			return &wua.Error{Op: op, Code: notActive, Text: "the service ended at once"}
		}
		select {
		case <-ctx.Done():
			return &wua.Error{Op: op, Code: timedOut, Text: "the service did not answer in time: " + ctx.Err().Error()}
		case <-time.After(look):
		}
	}
}

// What a service that does not do as it is told gives.
const (
	notActive wua.Code = 0x80070426 // ERROR_SERVICE_NOT_ACTIVE
	timedOut  wua.Code = 0x8007041D // ERROR_SERVICE_REQUEST_TIMEOUT
)
