package native

import "context"

// Start is the start mode of a service.
type Start string

// The start modes. A delayed or triggered start is a remark that Windows
// keeps beside the mode; changing the mode leaves it as it is.
const (
	Automatic Start = "automatic"
	Manual    Start = "manual"
	Disabled  Start = "disabled"
)

// Service is the state of a service. One that is just starting or stopping
// counts as what it was before.
type Service struct {
	Start   Start `json:"start"`
	Running bool  `json:"running"`
}

// The services that have to do with updates.
const (
	UpdateService       = "wuauserv"     // Windows Update
	TransferService     = "bits"         // Background Intelligent Transfer Service
	OrchestratorService = "UsoSvc"       // Update Orchestrator, Windows 10 and later
	MedicService        = "WaaSMedicSvc" // Windows Update Medic, Windows 10 and later
)

// Services are the services of a host. Names compare without case. An error
// for a service that does not exist wraps waptwua.ErrNotFound; other refusals
// of Windows are *wua.Error values.
type Services interface {
	Service(ctx context.Context, name string) (Service, error)
	// SetStart sets the start mode. It neither starts nor stops the service.
	SetStart(ctx context.Context, name string, s Start) error
	// SetRunning starts or stops the service and returns when it has, or with
	// an error when ctx ends before. A service that is there already is left
	// alone. Starting a disabled one fails with wua.ServiceDisabled.
	SetRunning(ctx context.Context, name string, running bool) error
}

// Values are the values of the registry's machine hive (HKEY_LOCAL_MACHINE),
// in the 64-bit view where there is one. A key is a path below it, such as
// SOFTWARE\Policies. Keys and names compare without case. Refusals of Windows
// are *wua.Error values.
type Values interface {
	// Value returns an error that wraps waptwua.ErrNotFound when the value
	// or the key is not there, and waptwua.ErrLimit when it is larger than
	// MaxValue.
	Value(ctx context.Context, key, name string) (Value, error)
	// SetValue also makes the key and those above it.
	SetValue(ctx context.Context, key, name string, v Value) error
	// DeleteValue does nothing when the value is not there.
	DeleteValue(ctx context.Context, key, name string) error
}

// Keys are the keys of the same hive.
type Keys interface {
	HasKey(ctx context.Context, key string) (bool, error)
	// DeleteEmptyKey removes a key that holds neither values nor keys. One
	// that holds something, or is not there, stays as it is without an error.
	DeleteEmptyKey(ctx context.Context, key string) error
}

// System is what this package needs of a host.
type System interface {
	Services
	Values
	Keys
}
