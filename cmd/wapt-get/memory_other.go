//go:build !windows

package main

import (
	"fmt"

	"waptwua/agent/selftest"
)

// memoryOf is the working set of a process and what it has committed.
func memoryOf(uint32) (workingSet, committed uint64, err error) {
	return 0, 0, fmt.Errorf("there is no Windows service here: %w", selftest.ErrLeftOut)
}
