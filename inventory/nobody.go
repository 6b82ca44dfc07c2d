package inventory

import (
	"context"

	"waptwua/applicability"
)

// complete gives every role to somebody.
func (h Host) complete() Host {
	if h.Platform == nil {
		h.Platform = nobody{}
	}
	if h.Registry == nil {
		h.Registry = nobody{}
	}
	if h.Files == nil {
		h.Files = nobody{}
	}
	if h.WMI == nil {
		h.WMI = nobody{}
	}
	if h.Figures == nil {
		h.Figures = nobody{}
	}
	if h.Products == nil {
		h.Products = nobody{}
	}
	if h.Servicing == nil {
		h.Servicing = nobody{}
	}
	return h
}

// nobody plays the roles that a host lacks.
type nobody struct{}

func (nobody) Identity(context.Context) (Identity, error)            { return Identity{}, errNoRole }
func (nobody) Key(context.Context, string) error                     { return errNoRole }
func (nobody) Subkeys(context.Context, string) ([]string, error)     { return nil, errNoRole }
func (nobody) Folder(context.Context, int) (string, error)           { return "", errNoRole }
func (nobody) Count(context.Context, string, string) (int, error)    { return 0, errNoRole }
func (nobody) Metric(context.Context, int) (int, error)              { return 0, errNoRole }
func (nobody) License(context.Context, string) (uint32, error)       { return 0, errNoRole }
func (nobody) Patch(context.Context, string) (map[string]int, error) { return nil, errNoRole }
func (nobody) Release(context.Context, string) (string, error)       { return "", errNoRole }
func (nobody) Attribute(context.Context, string) (string, error)     { return "", errNoRole }

func (nobody) Value(context.Context, string, string) (*applicability.Value, error) {
	return nil, errNoRole
}

func (nobody) File(context.Context, string) (*applicability.FileInfo, error) {
	return nil, errNoRole
}

func (nobody) Product(context.Context, string, Parts) (*applicability.Product, error) {
	return nil, errNoRole
}

func (nobody) Package(context.Context, string) (*applicability.Package, error) {
	return nil, errNoRole
}
