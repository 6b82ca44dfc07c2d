package winhost

import (
	"context"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"

	"waptwua"
)

var (
	getSystemMetrics = windows.NewLazySystemDLL("user32.dll").NewProc("GetSystemMetrics")
	slGetDWORD       = windows.NewLazySystemDLL("slc.dll").NewProc("SLGetWindowsInformationDWORD")
)

// slValueNotFound is SL_E_VALUE_NOT_FOUND.
const slValueNotFound = 0xC004F012

type figures struct{}

// Metric implements inventory.Figures. An index that Windows does not know is
// 0, as its callers see it.
func (figures) Metric(_ context.Context, index int) (int, error) {
	n, err := call(getSystemMetrics, uintptr(index))
	return int(int32(n)), err
}

// License implements inventory.Figures.
func (figures) License(_ context.Context, name string) (uint32, error) {
	p, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	var n uint32
	hr, err := call(slGetDWORD, uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(&n)))
	switch {
	case err != nil:
		return 0, err
	case uint32(hr) == slValueNotFound:
		return 0, fmt.Errorf("licence value: %w", waptwua.ErrNotFound)
	case uint32(hr) != 0:
		return 0, fmt.Errorf("SLGetWindowsInformationDWORD: %#08x", uint32(hr))
	}
	return n, nil
}
