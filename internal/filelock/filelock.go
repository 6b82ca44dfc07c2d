// Package filelock lets one process at a time work in a folder.
//
// The lock belongs to the open file: it ends with the process, however that
// ends, and never has to be cleaned up. Within one process two locks of the
// same file exclude each other as well.
package filelock

import (
	"errors"
	"fmt"
	"os"
)

// ErrLocked says that another holds the lock.
var ErrLocked = errors.New("in use by another process")

// Lock is a lock that is held. Unlock it.
type Lock struct{ f *os.File }

// Try takes the lock of the file at path, which is created when missing and
// never removed. It does not wait: the error wraps ErrLocked when another
// holds it.
func Try(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	if err := lock(f); err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, errors.Join(err, f.Close()))
	}
	return &Lock{f: f}, nil
}

// Unlock gives the lock up. Closing the file alone would not do: a process
// that is just being started holds a copy of it until its program is loaded.
func (l *Lock) Unlock() error { return errors.Join(unlock(l.f), l.f.Close()) }
