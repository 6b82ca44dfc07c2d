package main

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/windows"

	"waptwua/internal/shutdownscript"
)

// policyMachine is the local group policy of this Windows.
func policyMachine() (shutdownscript.Machine, error) {
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return shutdownscript.Machine{}, fmt.Errorf("the system's folder: %w", err)
	}
	return shutdownscript.Machine{Policy: filepath.Join(system, "GroupPolicy"), Registry: shutdownscript.LocalMachine{}}, nil
}
