//go:build !windows

package winsvc

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var errOther = fmt.Errorf("there is no service control manager on this system: %w", errors.ErrUnsupported)

// Install installs the service, or brings it up to date.
func Install(Service) error { return errOther }

// SetPreShutdown changes how long a shutdown waits for the service.
func SetPreShutdown(string, time.Duration) error { return errOther }

// Uninstall stops the service and removes it.
func Uninstall(context.Context, string) error { return errOther }

// Start starts the service and waits until it runs.
func Start(context.Context, string) error { return errOther }

// Stop stops the service and waits until its process has ended.
func Stop(context.Context, string) error { return errOther }

// Query tells what the SCM knows of the service.
func Query(string) (Info, error) { return Info{}, errOther }

// Run is the service of that name until it is stopped.
func Run(string, Work) error { return fmt.Errorf("%w: %w", ErrNotBySCM, errOther) }
