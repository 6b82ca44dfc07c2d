package comtest

import (
	"errors"
	"syscall"
	"time"
	"unsafe"

	"github.com/go-ole/go-ole"
	"golang.org/x/sys/windows"
)

// tables are the functions of a server's objects, in memory that is not Go's.
type tables struct {
	dispatch *[7]uintptr
	factory  *[5]uintptr
}

func newTables(s *Server) *tables {
	t := &tables{
		dispatch: (*[7]uintptr)(taskMemory(7 * unsafe.Sizeof(uintptr(0)))),
		factory:  (*[5]uintptr)(taskMemory(5 * unsafe.Sizeof(uintptr(0)))),
	}
	add := syscall.NewCallback(func(p unsafe.Pointer) uintptr { return s.count(p, 1) })
	release := syscall.NewCallback(func(p unsafe.Pointer) uintptr { return s.count(p, -1) })
	none := syscall.NewCallback(func(_, _, _, _ uintptr) uintptr { return ole.E_NOTIMPL })
	*t.dispatch = [7]uintptr{
		syscall.NewCallback(s.query(ole.IID_IDispatch)), add, release, none, none,
		syscall.NewCallback(s.idsOfNames), syscall.NewCallback(s.invoke),
	}
	*t.factory = [5]uintptr{
		syscall.NewCallback(s.query(iidClassFactory)), add, release,
		syscall.NewCallback(s.createInstance), syscall.NewCallback(func(_, _ uintptr) uintptr { return ole.S_OK }),
	}
	return t
}

// query is QueryInterface of an object that is IUnknown and one more.
func (s *Server) query(own *ole.GUID) func(p unsafe.Pointer, iid *ole.GUID, out *unsafe.Pointer) uintptr {
	return func(p unsafe.Pointer, iid *ole.GUID, out *unsafe.Pointer) uintptr {
		if !ole.IsEqualGUID(iid, ole.IID_IUnknown) && !ole.IsEqualGUID(iid, own) {
			*out = nil
			return ole.E_NOINTERFACE
		}
		s.count(p, 1)
		*out = p
		return ole.S_OK
	}
}

func (s *Server) createInstance(factory, _ unsafe.Pointer, _ *ole.GUID, out *unsafe.Pointer) uintptr {
	*out = s.give(s.create(factory))
	if *out == nil {
		return 0x80040111 // CLASS_E_CLASSNOTAVAILABLE
	}
	return ole.S_OK
}

func (s *Server) idsOfNames(p unsafe.Pointer, _ *ole.GUID, names **uint16, count, _ uintptr, ids *int32) uintptr {
	o := s.find(p)
	name := windows.UTF16PtrToString(*names)
	if o == nil || count != 1 || !o.Knows(name) {
		*ids = -1
		return uintptr(UnknownName)
	}
	*ids = s.id(name)
	return ole.S_OK
}

// parameters is DISPPARAMS.
type parameters struct {
	arguments *ole.VARIANT // in reverse order
	named     *int32
	count     uint32
	_         uint32
}

// thrown is EXCEPINFO.
type thrown struct {
	_           [2]uintptr
	description unsafe.Pointer // BSTR
	_           [4]uintptr
	scode       uint32
	_           uint32
}

func (s *Server) invoke(p unsafe.Pointer, id int32, _ *ole.GUID, _ uintptr, kind uintptr, params *parameters, result *ole.VARIANT, info *thrown, _ uintptr) uintptr {
	o := s.find(p)
	if o == nil {
		return ole.E_POINTER
	}
	args := make([]any, params.count)
	if params.count > 0 {
		for i, v := range unsafe.Slice(params.arguments, params.count) {
			args[len(args)-1-i] = s.argument(&v)
		}
	}
	v, err := o.Invoke(windows.GetCurrentThreadId(), Kind(kind&7), s.name(id), args)
	if err != nil {
		return raise(err, info)
	}
	if result != nil {
		s.put(result, v)
	}
	return ole.S_OK
}

func raise(err error, info *thrown) uintptr {
	var e *Exception
	switch {
	case !errors.As(err, &e):
		return ole.E_FAIL
	case e.Bare || info == nil:
		return uintptr(e.Code)
	}
	*info = thrown{scode: e.Code}
	if e.Text != "" {
		info.description = unsafe.Pointer(ole.SysAllocStringLen(e.Text))
	}
	return 0x80020009 // DISP_E_EXCEPTION
}

// argument reads a VARIANT; what it points to stays the caller's.
func (s *Server) argument(v *ole.VARIANT) any {
	switch v.VT {
	case ole.VT_I4:
		return int(int32(v.Val))
	case ole.VT_BOOL:
		return uint16(v.Val) != 0
	case ole.VT_BSTR:
		return v.ToString()
	case ole.VT_DISPATCH:
		p := *(*unsafe.Pointer)(unsafe.Pointer(&v.Val))
		if o := s.find(p); o != nil || p == nil {
			return o
		}
		return callback{(*ole.IDispatch)(p)}
	}
	return nil
}

// put writes a value into a VARIANT.
func (s *Server) put(to *ole.VARIANT, v any) {
	switch v := v.(type) {
	case bool:
		to.VT = ole.VT_BOOL
		if v {
			to.Val = 0xFFFF
		}
	case int:
		to.VT, to.Val = ole.VT_I4, int64(uint32(v))
	case Decimal:
		to.VT, to.Val = ole.VT_DECIMAL, int64(v)
	case string:
		to.VT = ole.VT_BSTR
		*(*unsafe.Pointer)(unsafe.Pointer(&to.Val)) = unsafe.Pointer(ole.SysAllocStringLen(v))
	case time.Time:
		to.VT = ole.VT_DATE
		*(*float64)(unsafe.Pointer(&to.Val)) = v.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)).Hours() / 24
	case *Object:
		to.VT = ole.VT_DISPATCH
		*(*unsafe.Pointer)(unsafe.Pointer(&to.Val)) = s.give(v)
	default:
		to.VT = ole.VT_EMPTY
	}
}

// callback is a listener of the client.
type callback struct{ of *ole.IDispatch }

func (c callback) Hold()    { c.of.AddRef() }
func (c callback) Release() { c.of.Release() }

// Call calls the listener by both of its faces, since nobody promises which
// one the real agent takes.
func (c callback) Call() {
	if v, err := c.of.Invoke(0, ole.DISPATCH_METHOD); err == nil {
		_ = v.Clear()
	}
	var face *struct{ table *[4]uintptr }
	if err := c.of.PutQueryInterface(ole.NewGUID("{88AEE058-D4B0-4725-A2F1-814A67AE964C}"), &face); err != nil {
		return // it has the one face only
	}
	_, _, _ = syscall.SyscallN(face.table[3], uintptr(unsafe.Pointer(face)), 0, 0)
	_, _, _ = syscall.SyscallN(face.table[2], uintptr(unsafe.Pointer(face)))
}
