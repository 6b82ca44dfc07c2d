package native_test

import (
	"os"
	"testing"

	"waptwua/wua/native"
	"waptwua/wua/native/nativetest"
)

// TestMachine changes the Windows that it runs on: only in a Wine prefix.
func TestMachine(t *testing.T) {
	if os.Getenv("WINEPREFIX") == "" {
		t.Skip("this test starts, stops and disables wuauserv; it runs in a Wine prefix only")
	}
	nativetest.Contract(t, native.Machine(), native.UpdateService)
}

// TestCycle takes the Windows over, holds the service and gives it back.
func TestCycle(t *testing.T) {
	if os.Getenv("WINEPREFIX") == "" {
		t.Skip("this test changes the policies of Windows Update; it runs in a Wine prefix only")
	}
	sys := native.Machine()
	had, err := sys.HasKey(t.Context(), `SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate`)
	if err != nil || had {
		t.Fatalf("the prefix has policies already: %v, %v", had, err)
	}
	c := native.New(native.Options{System: sys, Records: &records{}})
	settle := func(w native.Want) {
		if says, err := c.Settle(t.Context(), native.Plan{Want: w}); err != nil || len(says) > 0 {
			t.Errorf("Settle(%v): %q, %v", w, says, err)
		}
	}
	settle(native.TakeOver)
	release, err := c.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s, err := sys.Service(t.Context(), native.UpdateService); err != nil || !s.Running || s.Start != native.Manual {
		t.Errorf("while held: %+v, %v", s, err)
	}
	if err := release(t.Context()); err != nil {
		t.Error(err)
	}
	if p, err := c.Prove(t.Context()); err != nil || !p.Control {
		t.Errorf("Prove = %+v, %v", p, err)
	}
	settle(native.GiveBack)
	if has, err := sys.HasKey(t.Context(), `SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate`); err != nil || has {
		t.Errorf("the key of the policies is still there: %v", err)
	}
	if s, err := sys.Service(t.Context(), native.UpdateService); err != nil || s.Start != native.Manual {
		t.Errorf("afterwards: %+v, %v", s, err)
	}
}
