package machines_test

import (
	"errors"
	"testing"

	"waptwua"
	"waptwua/applicability"
	"waptwua/internal/machines"
)

// TestEveryMachineIsReadable also holds each file's name to the name inside.
func TestEveryMachineIsReadable(t *testing.T) {
	names := machines.Names()
	if len(names) < 3 {
		t.Fatalf("machines %v, want at least three", names)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			f, err := machines.Facts(name)
			if err != nil {
				t.Fatal(err)
			}
			if f.Name != name || f.Comment == "" {
				t.Errorf("name %q, comment %q", f.Name, f.Comment)
			}
			if _, err := applicability.NewMachine(f); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUnknownMachine(t *testing.T) {
	if _, err := machines.Facts("win3.11"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}

// TestCopiesAreIndependent changes one copy and looks at another.
func TestCopiesAreIndependent(t *testing.T) {
	a, err := machines.Facts("win7-sp1-x64")
	if err != nil {
		t.Fatal(err)
	}
	clear(a.Registry)
	b, err := machines.Facts("win7-sp1-x64")
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Registry) == 0 {
		t.Error("changing one copy changed the other")
	}
}
