package inventory

import (
	"context"
	"errors"

	"waptwua/applicability"
)

// Host is a computer that can be asked. A role that is nil cannot: what is
// asked of it is unknown.
//
// For every method: waptwua.ErrNotFound says that the thing is established
// to be absent, any other error that nobody knows; both may be wrapped. A
// cancelled context ends the inventory. Paths of registry keys have a short
// hive (HKLM) and show the 32-bit view under HKLM\SOFTWARE\Wow6432Node. The
// methods are called one after the other, in any order, and may be called
// again.
type Host struct {
	Platform  Platform
	Registry  Registry
	Files     Files
	WMI       WMI
	Figures   Figures
	Products  Products
	Servicing Servicing
}

// Identity says which Windows it is, on which processor. What could not be
// read is nil.
type Identity struct {
	OS        *applicability.OS
	Processor *applicability.Processor
	Language  *applicability.Language
}

// Platform knows the identity. With an error, what could be read is there.
type Platform interface {
	Identity(ctx context.Context) (Identity, error)
}

// Registry reads the registry.
type Registry interface {
	// Key returns nil when the key exists.
	Key(ctx context.Context, path string) error
	// Value reads one value; the name "" is the default value.
	Value(ctx context.Context, path, name string) (*applicability.Value, error)
	// Subkeys lists the full paths of a key's sub-keys. With an error the
	// list is what is known of them.
	Subkeys(ctx context.Context, path string) ([]string, error)
}

// Files looks at files.
type Files interface {
	// Folder is the folder of a CSIDL number.
	Folder(ctx context.Context, csidl int) (string, error)
	// File is what is known about a file; what could not be read of one
	// that exists is nil.
	File(ctx context.Context, path string) (*applicability.FileInfo, error)
}

// WMI answers queries.
type WMI interface {
	// Count is the number of rows that a WQL query returns in a namespace.
	Count(ctx context.Context, namespace, wql string) (int, error)
}

// Figures are those of GetSystemMetrics and of the licence
// (SLGetWindowsInformationDWORD).
type Figures interface {
	Metric(ctx context.Context, index int) (int, error)
	License(ctx context.Context, name string) (uint32, error)
}

// Products knows what the Windows Installer has installed for all users.
type Products interface {
	// Product describes an installed product, without its patches.
	Product(ctx context.Context, code string, p Parts) (*applicability.Product, error)
	// Patch is the state of a patch by the code of every product that has
	// it, none when no product does. With an error the list is what is
	// known of them.
	Patch(ctx context.Context, code string) (map[string]int, error)
}

// Parts are the features and components to look for in a product.
type Parts struct{ Features, Components []string }

// Servicing knows component packages, releases and attributes.
type Servicing interface {
	Package(ctx context.Context, identity string) (*applicability.Package, error)
	Release(ctx context.Context, name string) (version string, err error)
	Attribute(ctx context.Context, name string) (string, error)
}

// errNotRecorded is why a recorded machine does not know something.
var errNotRecorded = errors.New("the recording does not tell")

// errNoRole is why a host without a role does not.
var errNoRole = errors.New("this computer cannot be asked about it")
