package hostpower

import (
	"context"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/go-ole/go-ole"
	"golang.org/x/sys/windows"
)

// Host is this computer.
type Host struct{}

// systemPowerStatus is SYSTEM_POWER_STATUS.
type systemPowerStatus struct {
	ACLineStatus, BatteryFlag, BatteryLifePercent, SystemStatusFlag byte
	BatteryLifeTime, BatteryFullLifeTime                            uint32
}

// OnBattery tells whether the computer runs on its battery.
func (Host) OnBattery(context.Context) (bool, error) {
	var s systemPowerStatus
	proc := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemPowerStatus")
	if ok, _, err := proc.Call(uintptr(unsafe.Pointer(&s))); ok == 0 {
		return false, fmt.Errorf("asking for the power supply: %w: %w", ErrUnknown, err)
	}
	return onBattery(s.ACLineStatus)
}

var (
	clsidNetworkListManager = ole.NewGUID("{DCB00C01-570F-4A9B-8D69-199FDBA5723B}")
	iidNetworkCostManager   = ole.NewGUID("{DCB00008-570F-4A9B-8D69-199FDBA5723B}")
)

// Metered tells whether the way to the network is paid by volume.
func (Host) Metered(context.Context) (bool, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := ole.CoInitializeEx(0, ole.COINIT_MULTITHREADED); err != nil && uint32(err.(*ole.OleError).Code()) >= 0x80000000 {
		return false, fmt.Errorf("asking for the cost of the network: %w: %w", ErrUnknown, err)
	}
	defer ole.CoUninitialize()
	manager, err := ole.CreateInstance(clsidNetworkListManager, iidNetworkCostManager)
	if err != nil {
		return false, fmt.Errorf("asking for the cost of the network: %w: %w", ErrUnknown, err)
	}
	defer manager.Release()
	var cost uint32
	// INetworkCostManager has GetCost(cost, destination) behind the three
	// methods of IUnknown; no destination means the machine's.
	vtable := (*[4]uintptr)(unsafe.Pointer(manager.RawVTable))
	hr, _, _ := syscall.SyscallN(vtable[3], uintptr(unsafe.Pointer(manager)), uintptr(unsafe.Pointer(&cost)), 0)
	if int32(hr) < 0 {
		return false, fmt.Errorf("asking for the cost of the network: %#x: %w", uint32(hr), ErrUnknown)
	}
	return metered(cost)
}
