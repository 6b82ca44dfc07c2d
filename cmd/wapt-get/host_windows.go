package main

import (
	"errors"

	"waptwua/agent/settings"
)

// openHost is where the COM driver of the Windows Update Agent goes.
func openHost(string, *settings.Settings) (*windowsHost, error) {
	return nil, errors.New("this build cannot talk to the Windows Update Agent: it has no COM driver yet; only show-config, create-keycert, sign, upload-rules and version work")
}
