package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"

	"waptwua/agent/settings"
	"waptwua/internal/hostpower"
	"waptwua/inventory"
	"waptwua/inventory/winhost"
	"waptwua/wua/calm"
	"waptwua/wua/com"
	"waptwua/wua/dism"
	"waptwua/wua/native"
)

// openHost is the Windows that the program runs on.
func openHost(string, *settings.Settings) (*windowsHost, error) {
	host, err := com.New(com.Options{})
	if err != nil {
		return nil, fmt.Errorf("the Windows Update Agent: %w", err)
	}
	folder, err := windows.GetSystemWindowsDirectory()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the Windows folder: %w", err), host.Close())
	}
	packages, err := dism.New(dism.Options{})
	if err != nil {
		return nil, errors.Join(err, host.Close())
	}
	booted, err := bootTime()
	if err != nil {
		return nil, errors.Join(err, host.Close())
	}
	return &windowsHost{
		wua: host, packages: packages, native: native.Machine(), folder: folder, power: hostpower.Host{},
		searches: calm.Service(native.UpdateService), booted: booted,
	}, nil
}

// openNative is the services and the registry of this Windows.
func openNative(string) (native.System, error) { return native.Machine(), nil }

// openInventory is this computer, or the recorded machine given.
func openInventory(_, machine string) (h inventory.Host, name string, closeHost func(), err error) {
	if machine != "" {
		return recordedMachine(machine)
	}
	if name, err = os.Hostname(); err != nil {
		return h, "", nil, err
	}
	h, closeHost = winhost.Open()
	return h, name, closeHost, nil
}
