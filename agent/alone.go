package agent

import (
	"errors"
	"fmt"
	"path/filepath"

	"waptwua/internal/filelock"
)

// Alone runs f while no operation, of whatever process, runs in the existing
// agent's folder dir. It does not wait: when one runs, the error wraps ErrBusy.
func Alone(dir string, f func() error) (err error) {
	path := filepath.Join(dir, "agent.lock")
	lock, err := filelock.Try(path)
	if errors.Is(err, filelock.ErrLocked) {
		return fmt.Errorf("%w: another process holds %s", ErrBusy, path)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	return f()
}
