package shutdownscript

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows/registry"
)

// LocalMachine is the registry of this Windows.
type LocalMachine struct{}

// Get implements Registry.
func (LocalMachine) Get(key, name string) (uint32, bool, error) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if errors.Is(err, registry.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf(`open HKLM\%s: %w`, key, err)
	}
	defer k.Close()
	v, _, err := k.GetIntegerValue(name)
	if errors.Is(err, registry.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf(`read HKLM\%s %s: %w`, key, name, err)
	}
	return uint32(v), true, nil
}

// Set implements Registry.
func (LocalMachine) Set(key, name string, value uint32) error {
	k, _, err := registry.CreateKey(registry.LOCAL_MACHINE, key, registry.SET_VALUE|registry.WOW64_64KEY)
	if err == nil {
		defer k.Close()
		err = k.SetDWordValue(name, value)
	}
	if err != nil {
		return fmt.Errorf(`write HKLM\%s %s: %w`, key, name, err)
	}
	return nil
}

// Delete implements Registry.
func (LocalMachine) Delete(key, name string) error {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, registry.SET_VALUE|registry.WOW64_64KEY)
	if err == nil {
		defer k.Close()
		err = k.DeleteValue(name)
	}
	if err != nil && !errors.Is(err, registry.ErrNotExist) {
		return fmt.Errorf(`remove HKLM\%s %s: %w`, key, name, err)
	}
	return nil
}
