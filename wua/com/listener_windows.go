package com

import (
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/go-ole/go-ole"
)

// listeners keeps the listeners alive that COM holds.
type listeners struct{ held sync.Map }

// listener is an object of ours that WUA calls back. It has two faces, since
// WUA may ask for either: IDispatch, of which it would call the default
// member, and the callback interfaces, which are all of one shape: IUnknown
// and Invoke(job, arguments). Whatever is called, notify runs.
type listener struct {
	asDispatch *[7]uintptr // the table of each face; a pointer to this field is the face
	asCallback *[4]uintptr
	refs       atomic.Int32
	notify     func()
	home       *listeners
}

func (a multithreaded) listener(notify func()) (object, error) {
	t := tables()
	l := &listener{asDispatch: &t.dispatch, asCallback: &t.callback, notify: notify, home: a.listeners}
	l.refs.Store(1)
	l.home.held.Store(l, nil)
	return dispatch{(*ole.IDispatch)(unsafe.Pointer(l))}, nil
}

// faces are the tables of functions of both faces.
type faces struct {
	dispatch [7]uintptr
	callback [4]uintptr
}

// tables makes the functions once: Windows gives a process a limited number.
//
//nolint:gochecknoglobals // made once, never changed
var tables = sync.OnceValue(func() *faces {
	first := func(p unsafe.Pointer) *listener { return (*listener)(p) }
	second := func(p unsafe.Pointer) *listener {
		return (*listener)(unsafe.Add(p, -int(unsafe.Offsetof(listener{}.asCallback))))
	}
	unknown := func(self func(unsafe.Pointer) *listener) [3]uintptr {
		return [3]uintptr{
			syscall.NewCallback(func(p unsafe.Pointer, iid *ole.GUID, out *unsafe.Pointer) uintptr { return self(p).query(iid, out) }),
			syscall.NewCallback(func(p unsafe.Pointer) uintptr { return self(p).count(1) }),
			syscall.NewCallback(func(p unsafe.Pointer) uintptr { return self(p).count(-1) }),
		}
	}
	t := new(faces)
	one, two := unknown(first), unknown(second)
	copy(t.dispatch[:], one[:])
	copy(t.callback[:], two[:])
	none := func() uintptr { return ole.E_NOTIMPL }
	t.dispatch[3] = syscall.NewCallback(func(unsafe.Pointer, *uint32) uintptr { return none() })
	t.dispatch[4] = syscall.NewCallback(func(_ unsafe.Pointer, _, _ uintptr, _ unsafe.Pointer) uintptr { return none() })
	t.dispatch[5] = syscall.NewCallback(func(_, _, _ unsafe.Pointer, _, _ uintptr, _ unsafe.Pointer) uintptr { return none() })
	t.dispatch[6] = syscall.NewCallback(func(p unsafe.Pointer, _, _, _, _, _, _, _, _ uintptr) uintptr { return first(p).called() })
	t.callback[3] = syscall.NewCallback(func(p unsafe.Pointer, _, _ uintptr) uintptr { return second(p).called() })
	return t
})

func (l *listener) called() uintptr {
	l.notify()
	return ole.S_OK
}

func (l *listener) count(by int32) uintptr {
	n := l.refs.Add(by)
	if n == 0 {
		l.home.held.Delete(l)
	}
	return uintptr(n)
}

func (l *listener) query(iid *ole.GUID, out *unsafe.Pointer) uintptr {
	switch {
	case ole.IsEqualGUID(iid, ole.IID_IUnknown), ole.IsEqualGUID(iid, ole.IID_IDispatch):
		*out = unsafe.Pointer(&l.asDispatch)
	case isCallback(iid):
		*out = unsafe.Pointer(&l.asCallback)
	default:
		*out = nil
		return ole.E_NOINTERFACE
	}
	l.count(1)
	return ole.S_OK
}

// isCallback knows the callback interfaces for searches and installations.
func isCallback(iid *ole.GUID) bool {
	for _, s := range []string{
		"{88AEE058-D4B0-4725-A2F1-814A67AE964C}", // ISearchCompletedCallback
		"{45F4F6F3-D602-4F98-9A8A-3EFA152AD2D3}", // IInstallationCompletedCallback
		"{E01402D5-F8DA-43BA-A012-38894BD048F1}", // IInstallationProgressChangedCallback
	} {
		if ole.IsEqualGUID(iid, ole.NewGUID(s)) {
			return true
		}
	}
	return false
}
