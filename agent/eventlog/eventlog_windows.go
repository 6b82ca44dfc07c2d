package eventlog

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc/eventlog"
)

// maxText is what Windows takes for one string of an event, in characters.
const maxText = 31000

// Install registers the source; a registered one is no error.
func Install(source string) error {
	err := eventlog.InstallAsEventCreate(source, eventlog.Info|eventlog.Warning|eventlog.Error)
	if err != nil && !strings.Contains(err.Error(), "registry key already exists") {
		return fmt.Errorf("registering the event source %s: %w", source, err)
	}
	return nil
}

// Remove takes the registration of the source away; none is no error.
func Remove(source string) error {
	err := eventlog.Remove(source)
	if err != nil && !errors.Is(err, registry.ErrNotExist) && !errors.Is(err, windows.ERROR_PATH_NOT_FOUND) {
		return fmt.Errorf("removing the event source %s: %w", source, err)
	}
	return nil
}

// Open opens the log for the source.
func Open(source string) (Writer, error) {
	l, err := eventlog.Open(source)
	if err != nil {
		return nil, fmt.Errorf("opening the event log: %w", err)
	}
	return &log{l}, nil
}

type log struct{ *eventlog.Log }

func (l *log) Write(e Event) error {
	text := strings.ReplaceAll(e.Text, "\x00", "")
	if r := []rune(text); len(r) > maxText {
		text = string(r[:maxText])
	}
	switch e.Level {
	case Error:
		return l.Error(uint32(e.ID), text)
	case Warning:
		return l.Warning(uint32(e.ID), text)
	}
	return l.Info(uint32(e.ID), text)
}
