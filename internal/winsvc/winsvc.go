// Package winsvc installs, controls and is one Windows service.
//
// # What is installed
//
// A service of its own process, started with Windows, as LocalSystem. When
// its process dies, or ends with an error, the service control manager (SCM)
// starts it again after one, five and thirty minutes; after a day without an
// end the count begins anew. It is told of a shutdown before everything else
// (SERVICE_CONTROL_PRESHUTDOWN) and may take [Service.PreShutdown] then.
// Installing a service that exists brings its settings up to date.
//
// # What a running service does
//
//	start         Work.Run is begun; the service counts as running at once
//	stop          Run's context ends; [StopLimit] later the service ends in any case
//	pre-shutdown  Work.Drain, and when Run has returned Work.AtShutdown, all
//	              within Work.Limit. Run's context ends when the limit is over;
//	              the service takes up to [Parting] more to end
//
// A service that is told to stop during a pre-shutdown stops. The SCM is
// told every few seconds that the work goes on; otherwise it would take a
// slow service for one that hangs.
//
// # Limits
//
// Pausing is not supported. Whether a process was started by the SCM cannot
// be found out everywhere (Wine says no to a service), so it is told by an
// argument of the installed command line. The state machine is portable; on
// other systems than Windows the rest returns errors.ErrUnsupported.
package winsvc

import (
	"errors"
	"time"
)

// Service is how a service is installed.
type Service struct {
	Name        string // in the registry and for `net start`
	Display     string // in the list of services
	Description string
	Program     string        // absolute path
	Args        []string      // of the program; quoted as they need be
	PreShutdown time.Duration // how long Windows waits for it before it shuts down; SetPreShutdown changes it
}

// State is what the SCM says of a service.
type State string

// The states. A service that does not exist is NotInstalled.
const (
	NotInstalled State = "not installed"
	Stopped      State = "stopped"
	Starting     State = "starting"
	Stopping     State = "stopping"
	Running      State = "running"
	Other        State = "other" // paused, or on the way there: not by this package
)

// Info is a service as the SCM knows it.
type Info struct {
	State   State  `json:"state"`
	Start   string `json:"start,omitempty"`   // automatic, manual, disabled, …
	Account string `json:"account,omitempty"` // LocalSystem
	Command string `json:"command,omitempty"` // with which it is started
	PID     uint32 `json:"pid,omitempty"`     // of the running process
}

// The errors of this package.
var (
	// ErrNotInstalled says that there is no such service.
	ErrNotInstalled = errors.New("the service is not installed")
	// ErrNotBySCM says that the process was not started by the SCM.
	ErrNotBySCM = errors.New("not started by the service control manager")
	// ErrDenied says that only administrators may do this.
	ErrDenied = errors.New("access denied: run this as administrator")
)
