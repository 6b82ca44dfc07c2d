package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Move gives the complete file from the name to, on the same file system,
// durably: the content is flushed before the rename and the folder after it.
// After an error from is still there.
func Move(from, to string) error {
	f, err := os.OpenFile(from, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("moving %s: %w", from, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("moving %s: %w", from, err)
	}
	if err := replace(from, to); err != nil {
		return fmt.Errorf("moving %s to %s: %w", from, to, err)
	}
	return syncDir(filepath.Dir(to))
}

// Remove removes path durably. A path that is not there is no error.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing: %w", err)
	}
	return syncDir(filepath.Dir(path))
}
