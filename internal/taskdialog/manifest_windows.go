package taskdialog

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// manifest asks for version 6 of the common controls.
const manifest = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">
  <assemblyIdentity version="1.0.0.0" processorArchitecture="*" name="waptwua.dialog" type="win32"/>
  <dependency>
    <dependentAssembly>
      <assemblyIdentity type="win32" name="Microsoft.Windows.Common-Controls" version="6.0.0.0" processorArchitecture="*" publicKeyToken="6595b64144ccf1df" language="*"/>
    </dependentAssembly>
  </dependency>
</assembly>
`

// activationContext is an ACTCTXW.
type activationContext struct {
	size, flags        uint32
	source             *uint16
	architecture, lang uint16
	directory          *uint16
	resource           uintptr
	application        *uint16
	module             windows.Handle
}

var (
	kernel32      = windows.NewLazySystemDLL("kernel32.dll")
	createActCtx  = kernel32.NewProc("CreateActCtxW")
	enterActCtx   = kernel32.NewProc("ActivateActCtx")
	leaveActCtx   = kernel32.NewProc("DeactivateActCtx")
	releaseActCtx = kernel32.NewProc("ReleaseActCtx")
)

// activate puts the manifest in force on this thread.
func activate() (deactivate func(), err error) {
	h, err := readManifest()
	if err != nil {
		return nil, fmt.Errorf("the manifest for dialogs: %w", err)
	}
	var cookie uintptr
	if ok, _, err := enterActCtx.Call(uintptr(h), uintptr(unsafe.Pointer(&cookie))); ok == 0 {
		_, _, _ = releaseActCtx.Call(uintptr(h))
		return nil, fmt.Errorf("the manifest for dialogs: %w", err)
	}
	return func() {
		_, _, _ = leaveActCtx.Call(0, cookie)
		_, _, _ = releaseActCtx.Call(uintptr(h))
	}, nil
}

// readManifest has Windows read the manifest from a file of its own, which
// is gone afterwards.
func readManifest() (windows.Handle, error) {
	f, err := os.CreateTemp("", "waptwua-*.manifest")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(manifest)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return 0, err
	}
	c := activationContext{}
	c.size = uint32(unsafe.Sizeof(c))
	if c.source, err = windows.UTF16PtrFromString(f.Name()); err != nil {
		return 0, err
	}
	h, _, err := createActCtx.Call(uintptr(unsafe.Pointer(&c)))
	if h == ^uintptr(0) {
		return 0, err
	}
	return windows.Handle(h), nil
}
