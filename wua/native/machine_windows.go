package native

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/windows"

	"waptwua"
	"waptwua/wua"
)

// Machine is the Windows that the program runs on. Changing anything needs
// an administrator; reading does not.
func Machine() System { return machine{} }

type machine struct{}

// failure makes an *wua.Error of a refusal of Windows, and ErrNotFound of the
// errors that say so.
func failure(op string, err error, absent ...syscall.Errno) error {
	var e syscall.Errno
	if err == nil {
		return nil
	}
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", op, err)
	}
	for _, a := range absent {
		if e == a {
			return fmt.Errorf("%s: %w", op, waptwua.ErrNotFound)
		}
	}
	return &wua.Error{Op: op, Code: 0x80070000 | wua.Code(e&0xFFFF)}
}

func wide(s string) (*uint16, error) {
	p, err := windows.UTF16PtrFromString(s)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", s, err)
	}
	return p, nil
}
