package winhost

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"

	"waptwua"
	"waptwua/inventory"
)

// Open returns this computer, and what to call when no more is asked of it.
func Open() (h inventory.Host, closed func()) {
	w := newWMI()
	return inventory.Host{
		Platform: platform{}, Registry: hives{}, Files: files{}, Figures: figures{},
		Products: new(installer), WMI: w, Servicing: inventory.ReadServicing(hives{}, platform{}),
	}, w.close
}

// call calls a function of a system library. ok is false when this Windows
// does not have it.
func call(p *windows.LazyProc, args ...uintptr) (result uintptr, err error) {
	if err := p.Find(); err != nil {
		return 0, fmt.Errorf("%s: %w", p.Name, err)
	}
	result, _, _ = p.Call(args...)
	return result, nil
}

// absent is err, as waptwua.ErrNotFound when it is one of those that say so.
func absent(err error, codes ...error) error {
	for _, c := range codes {
		if errors.Is(err, c) {
			return fmt.Errorf("%w: %w", waptwua.ErrNotFound, err)
		}
	}
	return err
}
