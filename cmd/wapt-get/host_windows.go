package main

import (
	"errors"
	"os"

	"waptwua/agent/settings"
	"waptwua/inventory"
	"waptwua/inventory/winhost"
)

// openHost is where the COM driver of the Windows Update Agent goes.
func openHost(string, *settings.Settings) (*windowsHost, error) {
	return nil, errors.New("this build cannot talk to the Windows Update Agent: it has no COM driver yet; only inventory, show-config, create-keycert, sign, upload-rules and version work")
}

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
