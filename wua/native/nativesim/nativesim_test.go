package nativesim_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waptwua"
	"waptwua/wua/native"
	"waptwua/wua/native/nativesim"
	"waptwua/wua/native/nativetest"
)

func TestContract(t *testing.T) {
	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "host.json"), "memory": ""} {
		t.Run(name, func(t *testing.T) { nativetest.Contract(t, nativesim.Open(path), native.UpdateService) })
	}
}

// TestBadFile: a host that cannot be read is an error of every question, and
// no change makes a new one of it.
func TestBadFile(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want error
	}{
		"no JSON":   {"{", nil},
		"too large": {strings.Repeat(" ", 5<<20), waptwua.ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "host.json")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			h := nativesim.Open(path)
			_, service := h.Service(t.Context(), "bits")
			_, value := h.Value(t.Context(), "software", "n")
			_, key := h.HasKey(t.Context(), "software")
			for op, err := range map[string]error{
				"Service": service, "Value": value, "HasKey": key,
				"SetStart": h.SetStart(t.Context(), "bits", native.Manual), "SetValue": h.SetValue(t.Context(), "software", "n", native.Number(1)),
			} {
				if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
					t.Errorf("%s: %v", op, err)
				}
			}
			if now, err := os.ReadFile(path); err != nil || string(now) != tt.text {
				t.Errorf("the file was replaced: %v", err)
			}
		})
	}
}
