// Package hostpower tells what a computer's work costs at the moment: whether
// it runs on its battery, and whether its way to the network is paid by
// volume. Only Windows is asked; elsewhere nothing is known.
//
// Sources: GetSystemPowerStatus and INetworkCostManager of the Windows SDK
// (netlistmgr.idl).
package hostpower

import "errors"

// ErrUnknown says that the system does not tell.
var ErrUnknown = errors.New("the system does not tell")

// The answers of NLM_CONNECTION_COST.
const (
	costUnrestricted = 0x1
	costFixed        = 0x2 // a volume that is paid for
	costVariable     = 0x4 // paid by volume
	costOver         = 0x10000
	costRoaming      = 0x40000
	costApproaching  = 0x80000
)

// metered reads NLM_CONNECTION_COST.
func metered(cost uint32) (bool, error) {
	switch {
	case cost&(costFixed|costVariable|costOver|costRoaming|costApproaching) != 0:
		return true, nil
	case cost&costUnrestricted != 0:
		return false, nil
	}
	return false, ErrUnknown
}

// onBattery reads ACLineStatus of SYSTEM_POWER_STATUS: 0 offline, 1 online,
// 255 unknown.
func onBattery(acLine byte) (bool, error) {
	switch acLine {
	case 0:
		return true, nil
	case 1:
		return false, nil
	}
	return false, ErrUnknown
}
