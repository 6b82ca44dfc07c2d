//go:build !windows

package hostpower

import "context"

// Host is this computer.
type Host struct{}

// OnBattery tells whether the computer runs on its battery.
func (Host) OnBattery(context.Context) (bool, error) { return false, ErrUnknown }

// Metered tells whether the way to the network is paid by volume.
func (Host) Metered(context.Context) (bool, error) { return false, ErrUnknown }
