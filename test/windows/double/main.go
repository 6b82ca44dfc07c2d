//go:build windows && cgo

// Command double is a DLL in place of the Windows Update Agent's, for a Wine
// prefix: an in-process COM server whose classes (comtest.Classes) answer from
// the simulated host that C:\waptwua-double.json describes (package machine).
// So the shipped wapt-get.exe, unchanged, searches, stages, installs and
// removes updates of a scan archive, and finds them in the state in which the
// process before it has left them.
//
//	CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc GOOS=windows go build -buildmode=c-shared -o double.dll ./test/windows/double
//
// comtest.Registration is the registry file that puts it in place. The DLL
// stays in a process that has loaded it: a Go runtime cannot be unloaded. It
// refuses to work on a real Windows, or without its file; the reason then
// stands in C:\waptwua-double.log, or, when there is a machine, in its log.
package main

import "C"

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"sync"
	"unsafe"

	"github.com/go-ole/go-ole"
	"golang.org/x/sys/windows"

	"waptwua/test/windows/machine"
	"waptwua/wua/com/comtest"
)

func main() {} // never called in a DLL

// library is this process' double, made when the first class is asked for.
var library = sync.OnceValues(func() (*comtest.Library, error) {
	l, err := open()
	if err != nil {
		_ = os.WriteFile(`C:\waptwua-double.log`, []byte(err.Error()+"\n"), 0o600) // nobody else can be told
	}
	return l, err
})

func open() (*comtest.Library, error) {
	c, err := machine.Read(machine.ConfigPath)
	if err != nil {
		return nil, err
	}
	host, err := c.Open()
	if err != nil {
		return nil, err
	}
	if err := stay(); err != nil {
		return nil, err
	}
	d := comtest.New(host)
	if err := d.Keep(filepath.Join(c.Dir, machine.ServicesFile)); err != nil {
		return nil, err
	}
	d.Watch(func(held bool) {
		if err := mark(c, held); err != nil {
			_ = c.Log(machine.LogFile, fmt.Sprintf("process %d, held %v: %v", os.Getpid(), held, err))
		}
	})
	return comtest.NewLibrary(d)
}

// stay keeps the DLL in the process: COM frees libraries when its last user
// leaves, without asking whether they can go.
func stay() error {
	const pin, fromAddress = 1, 4 // GET_MODULE_HANDLE_EX_FLAG_…
	var module windows.Handle
	inside := (*uint16)(reflect.ValueOf(stay).UnsafePointer())
	return windows.GetModuleHandleEx(pin|fromAddress, inside, &module)
}

// mark keeps a file as long as this process holds references.
func mark(c *machine.Config, held bool) error {
	dir := filepath.Join(c.Dir, machine.HeldDir)
	path := filepath.Join(dir, strconv.Itoa(os.Getpid()))
	if !held {
		return os.Remove(path)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, nil, 0o600)
}

// DllGetClassObject hands out a class object.
//
//export DllGetClassObject
func DllGetClassObject(clsid, iid, out unsafe.Pointer) int32 {
	if out == nil || clsid == nil || iid == nil {
		return hresult(ole.E_POINTER)
	}
	l, err := library()
	if err != nil {
		*(*unsafe.Pointer)(out) = nil
		return hresult(ole.E_FAIL)
	}
	return hresult(l.ClassObject((*ole.GUID)(clsid), (*ole.GUID)(iid), (*unsafe.Pointer)(out)))
}

// DllCanUnloadNow says no.
//
//export DllCanUnloadNow
func DllCanUnloadNow() int32 { return 1 } // S_FALSE

func hresult(code uint32) int32 { return int32(code) }
