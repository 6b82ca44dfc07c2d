package comtest

import (
	"os"
	"path/filepath"
	"testing"

	"waptwua/wua"
)

// TestKeep looks for a service that an earlier process has left behind.
func TestKeep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "services.json")
	first := keeping(t, path)
	add(t, first, "left behind")
	add(t, first, "taken back")
	remove(t, first, "00000000-5ca0-4000-8000-000000000002")

	second := keeping(t, path)
	if n := second.Services(); n != 1 {
		t.Fatalf("%d services after another start, want 1", n)
	}
	add(t, second, "new")
	remove(t, second, "00000000-5ca0-4000-8000-000000000001")
	remove(t, second, "00000000-5ca0-4000-8000-000000000003")
	if n := keeping(t, path).Services(); n != 0 {
		t.Errorf("%d services are left, want none", n)
	}
}

func TestKeepRefusesWhatItCannotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "services.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := New(struct{ wua.Host }{}).Keep(path); err == nil {
		t.Error("a torn file was taken for no services")
	}
}

func keeping(t *testing.T, path string) *Double {
	t.Helper()
	d := New(struct{ wua.Host }{})
	if err := d.Keep(path); err != nil {
		t.Fatal(err)
	}
	return d
}

func add(t *testing.T, d *Double, name string) {
	ask(t, d, "AddScanPackageService", name, "C:\\a.cab", 1)
}

func remove(t *testing.T, d *Double, id string) { ask(t, d, "RemoveService", id) }

func ask(t *testing.T, d *Double, method string, args ...any) {
	t.Helper()
	if _, err := d.serviceManager().Invoke(0, Method, method, args); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}
