package comtest

import (
	"unsafe"

	"github.com/go-ole/go-ole"
)

// Library gives the classes of WUA to the process that has loaded a DLL,
// answered by one double.
type Library struct {
	server  *Server
	classes map[string]unsafe.Pointer // class objects by CLSID
}

// NewLibrary makes the class objects that the DLL of d hands out.
func NewLibrary(d *Double) (*Library, error) {
	s, err := newServer()
	if err != nil {
		return nil, err
	}
	s.only = d
	l := &Library{server: s, classes: map[string]unsafe.Pointer{}}
	for _, c := range Classes() {
		l.classes[c.CLSID] = s.factory(c)
	}
	return l, nil
}

// ClassObject is DllGetClassObject: it puts the interface iid of a class's
// object into out and returns an HRESULT. The pointers are COM's, valid during
// the call.
func (l *Library) ClassObject(clsid, iid *ole.GUID, out *unsafe.Pointer) uint32 {
	*out = nil
	p := l.classes[clsid.String()]
	if p == nil {
		return 0x80040111 // CLASS_E_CLASSNOTAVAILABLE
	}
	if !ole.IsEqualGUID(iid, ole.IID_IUnknown) && !ole.IsEqualGUID(iid, iidClassFactory) {
		return ole.E_NOINTERFACE
	}
	*out = p
	return ole.S_OK
}

var iidClassFactory = ole.NewGUID("{00000001-0000-0000-C000-000000000046}")
