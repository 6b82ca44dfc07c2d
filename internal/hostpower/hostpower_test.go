package hostpower

import (
	"errors"
	"testing"
)

func TestMetered(t *testing.T) {
	for cost, want := range map[uint32]string{
		0: "unknown", 1: "free", 2: "metered", 4: "metered", 0x10001: "metered", 0x40001: "metered", 0x80001: "metered",
		0x20001: "free", 0x20000: "unknown",
	} {
		if got := word("metered", "free")(metered(cost)); got != want {
			t.Errorf("cost %#x: %s, want %s", cost, got, want)
		}
	}
}

func TestOnBattery(t *testing.T) {
	for line, want := range map[byte]string{0: "battery", 1: "mains", 255: "unknown", 2: "unknown"} {
		if got := word("battery", "mains")(onBattery(line)); got != want {
			t.Errorf("ACLineStatus %d: %s, want %s", line, got, want)
		}
	}
}

func word(yes, no string) func(bool, error) string {
	return func(b bool, err error) string {
		switch {
		case errors.Is(err, ErrUnknown):
			return "unknown"
		case b:
			return yes
		}
		return no
	}
}

// What this computer says is not known; it must be an answer or an error.
func TestThisComputer(t *testing.T) {
	if _, err := (Host{}).OnBattery(t.Context()); err != nil && !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if _, err := (Host{}).Metered(t.Context()); err != nil && !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}
