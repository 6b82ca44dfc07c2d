// Package diskfree asks how much room is left on a volume.
package diskfree

import "fmt"

// At returns the bytes that this process may still write on the volume that
// holds the existing folder dir.
func At(dir string) (uint64, error) {
	n, err := at(dir)
	if err != nil {
		return 0, fmt.Errorf("free space of the volume of %s: %w", dir, err)
	}
	return n, nil
}
