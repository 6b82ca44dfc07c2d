package winhost

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"waptwua"
	"waptwua/applicability"
	"waptwua/inventory"
)

var (
	msi                    = windows.NewLazySystemDLL("msi.dll")
	msiGetProductInfo      = msi.NewProc("MsiGetProductInfoExW")
	msiQueryFeatureState   = msi.NewProc("MsiQueryFeatureStateExW")
	msiQueryComponentState = msi.NewProc("MsiQueryComponentStateW")
	msiEnumProducts        = msi.NewProc("MsiEnumProductsExW")
	msiEnumPatches         = msi.NewProc("MsiEnumPatchesExW")
)

const (
	machineContext = 4 // MSIINSTALLCONTEXT_MACHINE
	maxProducts    = 10_000
	maxPatches     = 10_000 // of one product
	codeLen        = 39     // a GUID in braces and the final zero

	// INSTALLSTATE
	installedLocal   = 3
	installedSource  = 4
	installedDefault = "5"
)

// installer is the Windows Installer. It lists the patches once.
type installer struct {
	listed  bool
	patches map[string]map[string]int // product → state, by patch in lower case
	err     error
}

// Product implements inventory.Products. A product whose patches cannot be
// listed is unknown: without them it would look as if it had none.
func (i *installer) Product(_ context.Context, code string, p inventory.Parts) (*applicability.Product, error) {
	state, err := productInfo(code, "State")
	switch {
	case err != nil:
		return nil, absent(err, windows.ERROR_UNKNOWN_PRODUCT)
	case state != installedDefault:
		return nil, fmt.Errorf("its install state is %s", state)
	}
	if err := i.list(); err != nil {
		return nil, err
	}
	product := new(applicability.Product)
	if product.Version, err = productInfo(code, "VersionString"); err != nil {
		return nil, fmt.Errorf("version: %w", err)
	}
	if _, err := applicability.ParseVersion(product.Version); err != nil {
		return nil, err
	}
	if product.Language, err = productLanguage(code); err != nil {
		return nil, err
	}
	if product.Features, err = has(msiQueryFeatureState, windows.ERROR_UNKNOWN_FEATURE, code, p.Features); err != nil {
		return nil, err
	}
	product.Components, err = has(msiQueryComponentState, windows.ERROR_UNKNOWN_COMPONENT, code, p.Components)
	return product, err
}

func productLanguage(code string) (int, error) {
	text, err := productInfo(code, "Language")
	if err != nil {
		return 0, fmt.Errorf("language: %w", err)
	}
	return strconv.Atoi(text)
}

// productInfo reads a property of a product.
func productInfo(code, property string) (string, error) {
	c, err := windows.UTF16PtrFromString(code)
	if err != nil {
		return "", err
	}
	p, err := windows.UTF16PtrFromString(property)
	if err != nil {
		return "", err
	}
	var buf [256]uint16
	n := uint32(len(buf))
	r, err := call(msiGetProductInfo, uintptr(unsafe.Pointer(c)), 0, machineContext, uintptr(unsafe.Pointer(p)),
		uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&n)))
	if err != nil {
		return "", err
	}
	return windows.UTF16ToString(buf[:]), failed(r)
}

// failed is the error that a function returned as its result; nil for 0.
func failed(r uintptr) error {
	if r == 0 {
		return nil
	}
	return syscall.Errno(r)
}

// has lists those parts of a product that are installed.
func has(query *windows.LazyProc, none syscall.Errno, code string, parts []string) ([]string, error) {
	c, err := windows.UTF16PtrFromString(code)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, part := range parts {
		p, err := windows.UTF16PtrFromString(part)
		if err != nil {
			return nil, err
		}
		var state int32
		r, err := call(query, uintptr(unsafe.Pointer(c)), 0, machineContext, uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(&state)))
		switch {
		case err != nil:
			return nil, err
		case syscall.Errno(r) == none:
		case r != 0:
			return nil, fmt.Errorf("%s of %s: %w", part, code, failed(r))
		case state == installedLocal || state == installedSource:
			found = append(found, part)
		}
	}
	return found, nil
}

// Patch implements inventory.Products.
func (i *installer) Patch(_ context.Context, code string) (map[string]int, error) {
	if err := i.list(); err != nil {
		return nil, err
	}
	return i.patches[strings.ToLower(code)], nil
}

// list lists the patches of every product, by their state.
func (i *installer) list() error {
	if i.listed {
		return i.err
	}
	i.listed, i.patches = true, map[string]map[string]int{}
	i.err = enumerate(maxProducts, func(index uintptr) (uintptr, error) {
		var product [codeLen]uint16
		r, err := call(msiEnumProducts, 0, 0, machineContext, index, uintptr(unsafe.Pointer(&product[0])), 0, 0, 0)
		if err != nil || r != 0 {
			return r, err
		}
		return 0, i.listProduct(&product)
	})
	if i.err != nil {
		i.err = fmt.Errorf("list of patches: %w", i.err)
	}
	return i.err
}

func (i *installer) listProduct(product *[codeLen]uint16) error {
	for _, state := range []int{applicability.PatchApplied, applicability.PatchSuperseded, applicability.PatchObsoleted} {
		err := enumerate(maxPatches, func(index uintptr) (uintptr, error) {
			var patch [codeLen]uint16
			r, err := call(msiEnumPatches, uintptr(unsafe.Pointer(&product[0])), 0, machineContext, uintptr(state), index,
				uintptr(unsafe.Pointer(&patch[0])), 0, 0, 0, 0)
			if err == nil && r == 0 {
				i.add(windows.UTF16ToString(patch[:]), windows.UTF16ToString(product[:]), state)
			}
			return r, err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", windows.UTF16ToString(product[:]), err)
		}
	}
	return nil
}

func (i *installer) add(patch, product string, state int) {
	patch = strings.ToLower(patch)
	if i.patches[patch] == nil {
		i.patches[patch] = map[string]int{}
	}
	i.patches[patch][product] = state
}

// enumerate calls next with 0, 1, 2 … until it says that there are no more
// items.
func enumerate(limit int, next func(index uintptr) (result uintptr, err error)) error {
	for index := range limit {
		r, err := next(uintptr(index))
		switch {
		case err != nil:
			return err
		case syscall.Errno(r) == windows.ERROR_NO_MORE_ITEMS:
			return nil
		case r != 0:
			return failed(r)
		}
	}
	return fmt.Errorf("%w of %d", waptwua.ErrLimit, limit)
}
