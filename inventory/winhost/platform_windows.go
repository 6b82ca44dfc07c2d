package winhost

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"waptwua/applicability"
	"waptwua/inventory"
)

var (
	kernel32            = windows.NewLazySystemDLL("kernel32.dll")
	getProductInfo      = kernel32.NewProc("GetProductInfo")
	getNativeSystemInfo = kernel32.NewProc("GetNativeSystemInfo")
	getSystemUILanguage = kernel32.NewProc("GetSystemDefaultUILanguage")
	lcidToLocaleName    = kernel32.NewProc("LCIDToLocaleName")
)

const (
	currentVersion = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`
	uiLanguages    = `HKLM\SYSTEM\CurrentControlSet\Control\MUI\UILanguages`
)

type platform struct{}

// Identity implements inventory.Platform.
func (platform) Identity(ctx context.Context) (inventory.Identity, error) {
	os, osErr := system(ctx)
	processor, processorErr := processor()
	language, languageErr := language(ctx)
	return inventory.Identity{OS: os, Processor: processor, Language: language}, errors.Join(osErr, processorErr, languageErr)
}

// system reads the version. A revision or edition that the registry does not
// tell is left out: versions before Windows 10 have no revision.
func system(ctx context.Context) (*applicability.OS, error) {
	v := windows.RtlGetVersion()
	os := &applicability.OS{
		Major: int(v.MajorVersion), Minor: int(v.MinorVersion), Build: int(v.BuildNumber),
		ServicePackMajor: int(v.ServicePackMajor), ServicePackMinor: int(v.ServicePackMinor),
		ProductType: int(v.ProductType), Suites: int(v.SuiteMask),
	}
	var sku uint32
	ok, err := call(getProductInfo, uintptr(v.MajorVersion), uintptr(v.MinorVersion),
		uintptr(v.ServicePackMajor), uintptr(v.ServicePackMinor), uintptr(unsafe.Pointer(&sku)))
	if err == nil && ok != 0 {
		os.SKU = int(sku)
	}
	if v, err := (hives{}).Value(ctx, currentVersion, "UBR"); err == nil {
		os.Revision = int(v.Number)
	}
	if v, err := (hives{}).Value(ctx, currentVersion, "EditionID"); err == nil {
		os.Edition = v.Text
	}
	return os, err
}

// systemInfo is SYSTEM_INFO.
type systemInfo struct {
	architecture, _                   uint16
	pageSize                          uint32
	minAddress, maxAddress            uintptr
	activeProcessors                  uintptr
	processors, processorType         uint32
	allocationGranularity             uint32
	processorLevel, processorRevision uint16
}

func processor() (*applicability.Processor, error) {
	var info systemInfo
	if _, err := call(getNativeSystemInfo, uintptr(unsafe.Pointer(&info))); err != nil {
		return nil, err
	}
	return &applicability.Processor{
		Architecture: int(info.architecture), Level: int(info.processorLevel), Revision: int(info.processorRevision),
		Count: int(windows.GetActiveProcessorCount(windows.ALL_PROCESSOR_GROUPS)),
	}, nil
}

// language needs both the system's language and the language packs: one
// without the other would answer questions that it cannot.
func language(ctx context.Context) (*applicability.Language, error) {
	id, err := call(getSystemUILanguage)
	if err != nil {
		return nil, err
	}
	var name [85]uint16 // LOCALE_NAME_MAX_LENGTH
	n, err := call(lcidToLocaleName, id&0xffff, uintptr(unsafe.Pointer(&name[0])), uintptr(len(name)), 0)
	if err != nil || n == 0 {
		return nil, fmt.Errorf("name of the language %#x: %w", id, errors.Join(err, errForm))
	}
	l := &applicability.Language{UI: windows.UTF16ToString(name[:])}
	installed, err := (hives{}).Subkeys(ctx, uiLanguages)
	if err != nil {
		return nil, fmt.Errorf("installed languages: %w", err)
	}
	for _, path := range installed {
		if tag := path[len(uiLanguages)+1:]; !strings.EqualFold(tag, l.UI) {
			l.MUI = append(l.MUI, tag)
		}
	}
	return l, nil
}
