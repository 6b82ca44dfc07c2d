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
	msiEnumPatches         = msi.NewProc("MsiEnumPatchesExW")
)

const (
	machineContext = 4 // MSIINSTALLCONTEXT_MACHINE
	maxPatches     = 100_000
	codeLen        = 39 // a GUID in braces and the final zero

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
	for _, state := range []int{applicability.PatchApplied, applicability.PatchSuperseded, applicability.PatchObsoleted} {
		if i.err = i.listState(state); i.err != nil {
			i.err = fmt.Errorf("list of patches: %w", i.err)
			return i.err
		}
	}
	return nil
}

func (i *installer) listState(state int) error {
	for index := range maxPatches {
		var patch, product [codeLen]uint16
		r, err := call(msiEnumPatches, 0, 0, machineContext, uintptr(state), uintptr(index),
			uintptr(unsafe.Pointer(&patch[0])), uintptr(unsafe.Pointer(&product[0])), 0, 0, 0)
		switch {
		case err != nil:
			return err
		case syscall.Errno(r) == windows.ERROR_NO_MORE_ITEMS:
			return nil
		case r != 0:
			return failed(r)
		}
		code := strings.ToLower(windows.UTF16ToString(patch[:]))
		if i.patches[code] == nil {
			i.patches[code] = map[string]int{}
		}
		i.patches[code][windows.UTF16ToString(product[:])] = state
	}
	return fmt.Errorf("%w of %d", waptwua.ErrLimit, maxPatches)
}
