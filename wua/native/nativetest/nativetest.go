// Package nativetest is the contract of native.System, run by its tests on
// the simulated host and, under Wine or on Windows, on the real one.
package nativetest

import (
	"context"
	"errors"
	"testing"

	"waptwua"
	"waptwua/wua"
	"waptwua/wua/native"
)

// Key is the key below which the contract writes; it must not exist before.
const Key = `SOFTWARE\waptwua-contract`

// Contract checks sys. service is one that may be started, stopped and
// disabled; it is left stopped and manual.
func Contract(t *testing.T, sys native.System, service string) {
	t.Run("start mode", func(t *testing.T) { startModes(t, sys, service) })
	t.Run("running", func(t *testing.T) { running(t, sys, service) })
	t.Run("no such service", func(t *testing.T) { noService(t, sys) })
	t.Run("values", func(t *testing.T) { values(t, sys) })
	t.Run("large value", func(t *testing.T) { largeValue(t, sys) })
	t.Run("keys", func(t *testing.T) { keys(t, sys) })
}

func startModes(t *testing.T, sys native.System, service string) {
	must(t, sys.SetRunning(t.Context(), service, false))
	for _, mode := range []native.Start{native.Automatic, native.Disabled, native.Disabled, native.Manual} {
		must(t, sys.SetStart(t.Context(), service, mode))
		s, err := sys.Service(t.Context(), service)
		if err != nil || s.Start != mode || s.Running {
			t.Errorf("after SetStart(%s): %+v, %v", mode, s, err)
		}
	}
	if err := sys.SetStart(t.Context(), service, "sometimes"); err == nil {
		t.Error("a start mode that does not exist was taken")
	}
}

func running(t *testing.T, sys native.System, service string) {
	must(t, sys.SetStart(t.Context(), service, native.Manual))
	for _, want := range []bool{true, true, false, false} {
		must(t, sys.SetRunning(t.Context(), service, want))
		s, err := sys.Service(t.Context(), service)
		if err != nil || s.Running != want {
			t.Errorf("after SetRunning(%v): %+v, %v", want, s, err)
		}
	}
	must(t, sys.SetStart(t.Context(), service, native.Disabled))
	if err := sys.SetRunning(t.Context(), service, true); !errors.Is(err, &wua.Error{Code: wua.ServiceDisabled}) {
		t.Errorf("starting a disabled service: %v, want %v", err, wua.ServiceDisabled)
	}
	must(t, sys.SetStart(t.Context(), service, native.Manual))
}

func noService(t *testing.T, sys native.System) {
	const name = "waptwua-no-such-service"
	_, err := sys.Service(t.Context(), name)
	for op, err := range map[string]error{
		"Service": err, "SetStart": sys.SetStart(t.Context(), name, native.Manual), "SetRunning": sys.SetRunning(t.Context(), name, true),
	} {
		if !errors.Is(err, waptwua.ErrNotFound) {
			t.Errorf("%s of a service that does not exist: %v", op, err)
		}
	}
}

func values(t *testing.T, sys native.System) {
	ctx := t.Context()
	clean(t, sys)
	const key = Key + `\a\b`
	if _, err := sys.Value(ctx, key, "n"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("a value of a key that does not exist: %v", err)
	}
	for name, v := range map[string]native.Value{
		"number": native.Number(7), "empty": {Type: 3}, "binary": {Type: 3, Bytes: []byte{1, 0, 2}},
		"text": {Type: 1, Bytes: []byte("h\x00\xe9\x00\x00\x00")}, "expand": {Type: 2, Bytes: []byte("%\x00\x00\x00")},
	} {
		must(t, sys.SetValue(ctx, key, name, native.Number(1)))
		must(t, sys.SetValue(ctx, key, name, v))
		got, err := sys.Value(ctx, key, name)
		if err != nil || !got.Equal(v) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, v)
		}
	}
	if v, err := sys.Value(ctx, `software\WAPTWUA-contract\A\b`, "NUMBER"); err != nil || !v.Equal(native.Number(7)) {
		t.Errorf("names that differ in case: %v, %v", v, err)
	}
	for _, name := range []string{"number", "empty", "binary", "text", "expand", "number"} {
		must(t, sys.DeleteValue(ctx, key, name))
	}
	if _, err := sys.Value(ctx, key, "number"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("a deleted value: %v", err)
	}
	must(t, sys.DeleteValue(ctx, Key+`\none`, "n"))
	clean(t, sys)
}

func largeValue(t *testing.T, sys native.System) {
	defer clean(t, sys)
	must(t, sys.SetValue(t.Context(), Key+`\a\b`, "large", native.Value{Type: 3, Bytes: make([]byte, native.MaxValue+1)}))
	if _, err := sys.Value(t.Context(), Key+`\a\b`, "large"); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("a value that is too large: %v", err)
	}
	must(t, sys.DeleteValue(t.Context(), Key+`\a\b`, "large"))
}

func keys(t *testing.T, sys native.System) {
	ctx := t.Context()
	const key = Key + `\a\b`
	has := func(key string, want bool) {
		t.Helper()
		if got, err := sys.HasKey(ctx, key); err != nil || got != want {
			t.Errorf("HasKey(%s) = %v, %v", key, got, err)
		}
	}
	has(key, false)
	must(t, sys.SetValue(ctx, key, "n", native.Number(1)))
	has(key, true)
	has(Key, true)
	must(t, sys.DeleteEmptyKey(ctx, key)) // it has a value
	must(t, sys.DeleteEmptyKey(ctx, Key)) // it has a key
	has(key, true)
	must(t, sys.DeleteValue(ctx, key, "n"))
	clean(t, sys)
	has(Key, false)
	must(t, sys.DeleteEmptyKey(ctx, key)) // it is gone
}

// clean removes the contract's keys, which must be empty.
func clean(t *testing.T, sys native.System) {
	for _, key := range []string{Key + `\a\b`, Key + `\a`, Key} {
		must(t, sys.DeleteEmptyKey(context.WithoutCancel(t.Context()), key))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
