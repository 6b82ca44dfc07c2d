package native

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"waptwua"
)

// absent are the errors that say that a key or value is not there.
const absent = windows.ERROR_FILE_NOT_FOUND

func openKey(key string, access uint32) (registry.Key, error) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, access|registry.WOW64_64KEY)
	return k, failure("registry key "+key, err, absent, windows.ERROR_PATH_NOT_FOUND)
}

// Value implements Values.
func (machine) Value(_ context.Context, key, name string) (Value, error) {
	op := "registry value " + key + `\` + name
	k, err := openKey(key, registry.QUERY_VALUE)
	if err != nil {
		return Value{}, err
	}
	defer k.Close()
	buf := make([]byte, MaxValue)
	n, kind, err := k.GetValue(name, buf)
	if errors.Is(err, registry.ErrShortBuffer) {
		return Value{}, fmt.Errorf("%s: %d bytes: %w of %d", op, n, waptwua.ErrLimit, MaxValue)
	}
	if err != nil {
		return Value{}, failure(op, err, absent)
	}
	return Value{Type: kind, Bytes: buf[:n:n]}, nil
}

// SetValue implements Values.
func (machine) SetValue(_ context.Context, key, name string, v Value) error {
	op := "registry value " + key + `\` + name
	k, _, err := registry.CreateKey(registry.LOCAL_MACHINE, key, registry.SET_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return failure(op, err)
	}
	defer k.Close()
	n, err := wide(name)
	if err != nil {
		return err
	}
	return failure(op, setValue(k, n, v))
}

// setValue writes a value of any type; the registry package writes only those
// that it knows.
func setValue(k registry.Key, name *uint16, v Value) error {
	var first *byte
	if len(v.Bytes) > 0 {
		first = &v.Bytes[0]
	}
	set := windows.NewLazySystemDLL("advapi32.dll").NewProc("RegSetValueExW")
	code, _, _ := set.Call(uintptr(k), uintptr(unsafe.Pointer(name)), 0, uintptr(v.Type), uintptr(unsafe.Pointer(first)), uintptr(len(v.Bytes)))
	if code != 0 {
		return windows.Errno(code)
	}
	return nil
}

// DeleteValue implements Values.
func (machine) DeleteValue(_ context.Context, key, name string) error {
	k, err := openKey(key, registry.SET_VALUE)
	if err == nil {
		defer k.Close()
		err = failure("registry value "+key+`\`+name, k.DeleteValue(name), absent)
	}
	if errors.Is(err, waptwua.ErrNotFound) {
		return nil
	}
	return err
}

// HasKey implements Keys.
func (machine) HasKey(_ context.Context, key string) (bool, error) {
	k, err := openKey(key, registry.QUERY_VALUE)
	if errors.Is(err, waptwua.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, k.Close()
}

// DeleteEmptyKey implements Keys.
func (machine) DeleteEmptyKey(_ context.Context, key string) error {
	k, err := openKey(key, registry.QUERY_VALUE)
	if errors.Is(err, waptwua.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := k.Stat()
	if err := errors.Join(err, k.Close()); err != nil {
		return failure("registry key "+key, err)
	}
	if info.SubKeyCount > 0 || info.ValueCount > 0 {
		return nil
	}
	return failure("registry key "+key, registry.DeleteKey(registry.LOCAL_MACHINE, key))
}
