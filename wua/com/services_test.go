package com

import (
	"errors"
	"testing"

	"waptwua/wua"
	"waptwua/wua/com/comtest"
	"waptwua/wua/wuatest"
)

// TestScanServices counts and removes ours, and only ours.
func TestScanServices(t *testing.T) {
	w := wuatest.NewWorld(t)
	everyWay(t, func(t *testing.T, by enter) {
		h := open(t, by, w)
		manager := h.double.Create(progServiceManager)
		for _, name := range []string{serviceName, "somebody else's"} {
			if _, err := manager.Invoke(0, comtest.Method, "AddScanPackageService", []any{name, w.Archive, 1}); err != nil {
				t.Fatal(err)
			}
		}
		count := func(want int) {
			t.Helper()
			if n, err := h.ScanServices(t.Context()); err != nil || n != want {
				t.Errorf("ScanServices = %d, %v; want %d", n, err, want)
			}
		}
		count(1)
		search(t, h, wua.Query{Archive: w.Archive}) // removes the one that was left, and adds its own
		count(1)
		if err := h.RemoveScanServices(t.Context()); err != nil {
			t.Error(err)
		}
		count(0)
		if n := h.double.Services(); n != 1 {
			t.Errorf("%d services are left, want the other's", n)
		}
		h.double.Fail("ServiceManager", "Services", comtest.Exception{Code: uint32(wua.ServiceDisabled)}, 2)
		_, err := h.ScanServices(t.Context())
		for op, err := range map[string]error{"ScanServices": err, "RemoveScanServices": h.RemoveScanServices(t.Context())} {
			var e *wua.Error
			if !errors.As(err, &e) || e.Code != wua.ServiceDisabled {
				t.Errorf("%s: %v, want %v", op, err, wua.ServiceDisabled)
			}
		}
		_, _ = manager.Invoke(0, comtest.Method, "RemoveService", []any{"00000000-5ca0-4000-8000-000000000002"})
	})
}
