package winhost

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/go-ole/go-ole"
	"github.com/go-ole/go-ole/oleutil"

	"waptwua"
)

// What WMI answers where there is no such namespace or class.
const (
	wbemInvalidNamespace = 0x8004100E
	wbemInvalidClass     = 0x80041010
)

// The results of calls that are none of a method.
const (
	sFalse         = 1
	dispException  = 0x80020009
	coMultithread  = ole.COINIT_MULTITHREADED
	wbemDefaultSet = 16 // wbemFlagReturnImmediately; Count waits for the end
)

// wmi asks on one thread that it keeps for COM. A query that hangs holds that
// thread; inventory.Patient then asks no more.
type wmi struct {
	start sync.Once
	stop  sync.Once
	jobs  chan func()
	err   error
}

func newWMI() *wmi { return &wmi{jobs: make(chan func())} }

// close ends the thread, once the query under way has ended.
func (w *wmi) close() { w.stop.Do(func() { close(w.jobs) }) }

func (w *wmi) thread(ready chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	err := ole.CoInitializeEx(0, coMultithread)
	var oleErr *ole.OleError
	if errors.As(err, &oleErr) && oleErr.Code() == sFalse {
		err = nil
	}
	ready <- err
	if err != nil {
		return
	}
	defer ole.CoUninitialize()
	for job := range w.jobs {
		job()
	}
}

// Count implements inventory.WMI.
func (w *wmi) Count(ctx context.Context, namespace, wql string) (n int, err error) {
	if err := errors.Join(checkNamespace(namespace), checkQuery(wql)); err != nil {
		return 0, err
	}
	w.start.Do(func() {
		ready := make(chan error)
		go w.thread(ready)
		w.err = <-ready
	})
	if w.err != nil {
		return 0, fmt.Errorf("COM: %w", w.err)
	}
	done := make(chan struct{})
	job := func() { defer close(done); n, err = count(namespace, wql) }
	select {
	case w.jobs <- job:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	<-done
	return n, err
}

func count(namespace, wql string) (int, error) {
	unknown, err := oleutil.CreateObject("WbemScripting.SWbemLocator")
	if err != nil {
		return 0, result("SWbemLocator", err)
	}
	defer unknown.Release()
	locator, err := unknown.QueryInterface(ole.IID_IDispatch)
	if err != nil {
		return 0, result("SWbemLocator", err)
	}
	defer locator.Release()
	services, err := method(locator, "ConnectServer", ".", namespace)
	if err != nil {
		return 0, err
	}
	defer services.Clear()
	set, err := method(services.ToIDispatch(), "ExecQuery", wql, "WQL", wbemDefaultSet)
	if err != nil {
		return 0, err
	}
	defer set.Clear()
	n, err := oleutil.GetProperty(set.ToIDispatch(), "Count")
	if err != nil {
		return 0, result("Count", err)
	}
	defer n.Clear()
	return int(int32(n.Val)), nil
}

// method calls a method that returns an object.
func method(d *ole.IDispatch, name string, args ...any) (*ole.VARIANT, error) {
	v, err := oleutil.CallMethod(d, name, args...)
	if err != nil {
		return nil, result(name, err)
	}
	if v.VT != ole.VT_DISPATCH || v.Val == 0 {
		_ = v.Clear()
		return nil, fmt.Errorf("%s returned no object but a VARIANT of type %d", name, v.VT)
	}
	return v, nil
}

// result is the error of a call: its HRESULT, or the one that an exception
// carries, and waptwua.ErrNotFound where that says so.
func result(what string, err error) error {
	var e *ole.OleError
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", what, err)
	}
	code := uint32(e.Code())
	var exception ole.EXCEPINFO
	if errors.As(e.SubError(), &exception) && code == dispException && exception.SCODE() != 0 {
		code = exception.SCODE()
	}
	if code == wbemInvalidNamespace || code == wbemInvalidClass {
		return fmt.Errorf("%s: %#08x: %w", what, code, waptwua.ErrNotFound)
	}
	return fmt.Errorf("%s: %#08x", what, code)
}
