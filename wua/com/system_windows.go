package com

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// thisEdition reads the version as the kernel gives it, whatever the
// program's manifest says, and the names from the registry.
func thisEdition() (edition, error) {
	v := windows.RtlGetVersion()
	e := edition{major: int(v.MajorVersion), minor: int(v.MinorVersion), build: int(v.BuildNumber)}
	k, err := openKey(`SOFTWARE\Microsoft\Windows NT\CurrentVersion`)
	if err != nil {
		return e, err
	}
	defer k.Close()
	e.product = text(k, "ProductName")
	if e.release = text(k, "DisplayVersion"); e.release == "" {
		e.release = text(k, "ReleaseId")
	}
	if ubr, _, err := k.GetIntegerValue("UBR"); err == nil { // none before Windows 10
		e.revision = int(ubr)
	}
	environment, err := openKey(`SYSTEM\CurrentControlSet\Control\Session Manager\Environment`)
	if err != nil {
		return e, err
	}
	defer environment.Close()
	e.architecture = strings.ToLower(text(environment, "PROCESSOR_ARCHITECTURE")) // of the machine, not of this program
	return e, nil
}

func openKey(path string) (registry.Key, error) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return 0, fmt.Errorf(`open HKLM\%s: %w`, path, err)
	}
	return k, nil
}

func text(k registry.Key, value string) string {
	s, _, err := k.GetStringValue(value)
	if err != nil {
		return ""
	}
	return s
}

// pendingRestarts looks where the servicing stack and old installers note
// that a restart is outstanding. Files to be renamed at the restart
// (PendingFileRenameOperations) do not count: many programs leave such notes
// and no update waits for them.
func pendingRestarts() ([]string, error) {
	var reasons []string
	cbs, err := exists(`SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending`)
	if err != nil {
		return nil, err
	}
	if cbs {
		reasons = append(reasons, "CBS")
	}
	k, err := openKey(`SOFTWARE\Microsoft\Updates`)
	if errors.Is(err, registry.ErrNotExist) {
		return reasons, nil
	}
	if err != nil {
		return nil, err
	}
	defer k.Close()
	if n, _, err := k.GetIntegerValue("UpdateExeVolatile"); err == nil && n != 0 {
		reasons = append(reasons, "UpdateExeVolatile")
	}
	return reasons, nil
}

func exists(path string) (bool, error) {
	k, err := openKey(path)
	if errors.Is(err, registry.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, k.Close()
}
