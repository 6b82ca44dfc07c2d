package winsvc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
)

// Run is the service of that name until it is stopped. The error wraps
// ErrNotBySCM when the process was not started by the SCM, and is what the
// work returned otherwise.
func Run(name string, w Work) error {
	h := &handler{work: w}
	err := svc.Run(name, h)
	if errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
		return fmt.Errorf("service %s: %w", name, ErrNotBySCM)
	}
	return errors.Join(err, h.err)
}

// handler connects serve with the SCM.
type handler struct {
	work Work
	err  error // what the work returned
}

// Execute implements svc.Handler.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (specific bool, code uint32) {
	status <- svc.Status{State: svc.StartPending, WaitHint: milliseconds(patience)}
	ctx, cancel := context.WithCancel(context.Background())
	controls := make(chan control)
	done := make(chan struct{})
	go func() {
		defer close(done)
		translate(ctx, requests, controls, status)
	}()
	asked, err := serve(ctx, h.work, systemClock{}, controls, func(r report) { status <- statusOf(r) })
	cancel()
	<-done
	h.err = err
	if err != nil && !asked {
		return true, 1 // not zero: the SCM starts it again
	}
	return false, 0
}

// translate hands on what concerns serve, and answers the rest.
func translate(ctx context.Context, requests <-chan svc.ChangeRequest, controls chan<- control, status chan<- svc.Status) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-requests:
			c := stop
			switch r.Cmd {
			case svc.Interrogate:
				status <- r.CurrentStatus
				continue
			case svc.Stop:
			case svc.PreShutdown:
				c = preShutdown
			default:
				continue
			}
			select {
			case <-ctx.Done():
				return
			case controls <- c:
			}
		}
	}
}

func statusOf(r report) svc.Status {
	if r.state == Running {
		return svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptPreShutdown}
	}
	return svc.Status{State: svc.StopPending, Accepts: svc.AcceptStop, CheckPoint: r.beat, WaitHint: milliseconds(r.hint)}
}

type systemClock struct{}

func (systemClock) Every(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTicker(d)
	return t.C, t.Stop
}

func (systemClock) After(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}

func milliseconds(d time.Duration) uint32 { return uint32(d / time.Millisecond) }
