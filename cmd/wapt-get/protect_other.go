//go:build !windows

package main

import "os"

// protect lets nobody else read the agent's folder.
func protect(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}
