package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/windows"

	"waptwua/agent/settings"
	"waptwua/wua/com"
)

// openHost is the Windows that the program runs on.
func openHost(string, *settings.Settings) (*windowsHost, error) {
	host, err := com.New(com.Options{})
	if err != nil {
		return nil, fmt.Errorf("the Windows Update Agent: %w", err)
	}
	return &windowsHost{wua: host, booted: time.Now().Add(-windows.DurationSinceBoot())}, nil
}
