package winhost

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sys/windows/registry"

	"waptwua"
	"waptwua/applicability"
)

// Limits of what is read before anybody looks at it.
const (
	maxValue   = 1 << 20 // bytes
	maxSubkeys = 100_000
)

// hives is the registry.
type hives struct{}

func open(path string) (registry.Key, error) {
	hive, rest, narrow := splitKey(path)
	access := uint32(registry.QUERY_VALUE | registry.ENUMERATE_SUB_KEYS)
	if narrow {
		access |= registry.WOW64_32KEY
	} else {
		access |= registry.WOW64_64KEY
	}
	var root registry.Key
	switch hive {
	case "HKLM":
		root = registry.LOCAL_MACHINE
	case "HKCR":
		root = registry.CLASSES_ROOT
	case "HKU":
		root = registry.USERS
	case "HKCU": // of the system account
		root, rest = registry.USERS, strings.TrimSuffix(`.DEFAULT\`+rest, `\`)
	default:
		return 0, fmt.Errorf("hive %s %w", hive, errForm)
	}
	k, err := registry.OpenKey(root, rest, access)
	return k, absent(err, registry.ErrNotExist)
}

// Key implements inventory.Registry.
func (hives) Key(_ context.Context, path string) error {
	k, err := open(path)
	if err != nil {
		return err
	}
	return k.Close()
}

// Subkeys implements inventory.Registry.
func (hives) Subkeys(_ context.Context, path string) ([]string, error) {
	k, err := open(path)
	if err != nil {
		return nil, err
	}
	defer k.Close()
	names, err := k.ReadSubKeyNames(maxSubkeys)
	for i, name := range names {
		names[i] = path + `\` + name
	}
	switch {
	case len(names) == maxSubkeys:
		return names, fmt.Errorf("sub-keys: %w of %d", waptwua.ErrLimit, maxSubkeys)
	case errors.Is(err, io.EOF):
		return names, nil
	}
	return names, err
}

// Value implements inventory.Registry.
func (hives) Value(_ context.Context, path, name string) (*applicability.Value, error) {
	k, err := open(path)
	if err != nil {
		return nil, err
	}
	defer k.Close()
	size, kind, err := k.GetValue(name, nil)
	switch {
	case err != nil:
		return nil, absent(err, registry.ErrNotExist)
	case size > maxValue:
		return nil, fmt.Errorf("%d bytes: %w of %d", size, waptwua.ErrLimit, maxValue)
	}
	return read(k, name, kind)
}

// read reads a value of a type that recordings know.
func read(k registry.Key, name string, kind uint32) (v *applicability.Value, err error) {
	v = new(applicability.Value)
	switch kind {
	case registry.SZ, registry.EXPAND_SZ:
		v.Type = applicability.RegSZ
		if kind == registry.EXPAND_SZ {
			v.Type = applicability.RegExpandSZ
		}
		v.Text, _, err = k.GetStringValue(name)
	case registry.MULTI_SZ:
		var lines []string
		lines, _, err = k.GetStringsValue(name)
		v.Type, v.Text = applicability.RegMultiSZ, strings.Join(lines, "\n")
	case registry.DWORD, registry.QWORD:
		v.Type = applicability.RegDWORD
		if kind == registry.QWORD {
			v.Type = applicability.RegQWORD
		}
		v.Number, _, err = k.GetIntegerValue(name)
	case registry.BINARY:
		var b []byte
		b, _, err = k.GetBinaryValue(name)
		v.Type, v.Text = applicability.RegBinary, hex.EncodeToString(b)
	default:
		return nil, fmt.Errorf("a value of type %d %w", kind, errForm)
	}
	return v, err
}
