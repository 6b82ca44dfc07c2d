package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// ownersOnly lets the system and administrators in, nobody else, and takes
// over nothing from the folder above: users may read below ProgramFiles.
const ownersOnly = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

// protect lets nobody but the system and administrators into the agent's
// folder, where its key is.
func protect(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	sd, err := windows.SecurityDescriptorFromString(ownersOnly)
	if err != nil {
		return fmt.Errorf("protecting %s: %w", dir, err)
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("protecting %s: %w", dir, err)
	}
	info := windows.SECURITY_INFORMATION(windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION)
	if err := windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, info, nil, nil, dacl, nil); err != nil {
		return fmt.Errorf("protecting %s: %w", dir, err)
	}
	return nil
}
