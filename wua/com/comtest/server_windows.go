package comtest

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"github.com/go-ole/go-ole"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// ErrRealWindows says that this is no Wine: the double's registrations would
// stand in the way of the host's own update agent.
var ErrRealWindows = errors.New("this is a real Windows; the double runs under Wine only")

// Server gives the classes of WUA to this process.
type Server struct {
	mu        sync.Mutex
	only      *Double            // what answers in a DLL
	doubles   map[uint32]*Double // by the thread that uses it, in a test's own process
	objects   map[unsafe.Pointer]*served
	factories map[unsafe.Pointer]string // ProgID
	names     []string                  // of members; the DISPID is the index + 1
	ids       map[string]int32          // by name in lower case
	tables    *tables
	stop      chan struct{}
	stopped   chan struct{}
}

// served is an object that COM knows.
type served struct {
	object *Object
	refs   int
}

// Serve registers the classes, for the multithreaded apartment. Close it.
func Serve() (*Server, error) {
	s, err := newServer()
	if err != nil {
		return nil, err
	}
	registered := make(chan error)
	go s.stay(registered)
	if err := <-registered; err != nil {
		return nil, fmt.Errorf("register the double: %w", err)
	}
	return s, nil
}

func newServer() (*Server, error) {
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() != nil {
		return nil, ErrRealWindows
	}
	s := &Server{
		doubles: map[uint32]*Double{},
		objects: map[unsafe.Pointer]*served{}, factories: map[unsafe.Pointer]string{}, ids: map[string]int32{},
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	s.tables = newTables(s)
	return s, nil
}

// Use makes d what answers to the calling thread from now on. The thread must
// be the caller's for good.
func (s *Server) Use(d *Double) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doubles[windows.GetCurrentThreadId()] = d
}

// Close takes the classes back.
func (s *Server) Close() {
	close(s.stop)
	<-s.stopped
}

// stay keeps the apartment alive as long as the classes are registered.
func (s *Server) stay(registered chan<- error) {
	defer close(s.stopped)
	runtime.LockOSThread()
	if err := ole.CoInitializeEx(0, ole.COINIT_MULTITHREADED); err != nil {
		registered <- err
		return
	}
	defer ole.CoUninitialize()
	var cookies []uint32
	defer func() {
		for _, c := range cookies {
			_, _, _ = procRevoke.Call(uintptr(c))
		}
	}()
	for _, c := range Classes() {
		cookie, err := s.register(c)
		if err != nil {
			registered <- fmt.Errorf("%s: %w", c.ProgID, err)
			return
		}
		cookies = append(cookies, cookie)
	}
	registered <- nil
	<-s.stop
}

var (
	ole32        = windows.NewLazySystemDLL("ole32.dll")
	procRegister = ole32.NewProc("CoRegisterClassObject")
	procRevoke   = ole32.NewProc("CoRevokeClassObject")
	procAlloc    = ole32.NewProc("CoTaskMemAlloc")
	procFree     = ole32.NewProc("CoTaskMemFree")
)

// register makes a class object of a class, which it gives the double's CLSID
// where the prefix knows none.
func (s *Server) register(c Class) (cookie uint32, err error) {
	clsid, err := ole.CLSIDFromProgID(c.ProgID)
	if err != nil {
		if err := writeProgID(c.ProgID, c.CLSID); err != nil {
			return 0, err
		}
		clsid = ole.NewGUID(c.CLSID)
	}
	const inProcess, multipleUse = 1, 1
	hr, _, _ := procRegister.Call(uintptr(unsafe.Pointer(clsid)), uintptr(s.factory(c)), inProcess, multipleUse, uintptr(unsafe.Pointer(&cookie)))
	if int32(hr) < 0 {
		return 0, ole.NewError(hr)
	}
	return cookie, nil
}

// factory makes the class object of a class.
func (s *Server) factory(c Class) unsafe.Pointer {
	p := alloc(unsafe.Pointer(s.tables.factory))
	s.factories[p] = c.ProgID
	return p
}

func writeProgID(progID, clsid string) error {
	k, _, err := registry.CreateKey(registry.LOCAL_MACHINE, `Software\Classes\`+progID+`\CLSID`, registry.SET_VALUE)
	if err != nil {
		return err
	}
	defer k.Close()
	return k.SetStringValue("", clsid)
}

// alloc makes a COM object in memory that is not Go's: its table, and room.
func alloc(table unsafe.Pointer) unsafe.Pointer {
	p := taskMemory(2 * unsafe.Sizeof(table))
	*(*unsafe.Pointer)(p) = table
	return p
}

func taskMemory(n uintptr) unsafe.Pointer {
	p, _, _ := procAlloc.Call(n)
	return *(*unsafe.Pointer)(unsafe.Pointer(&p))
}

// give makes a COM reference to an object.
func (s *Server) give(o *Object) unsafe.Pointer {
	if o == nil {
		return nil
	}
	p := alloc(unsafe.Pointer(s.tables.dispatch))
	s.mu.Lock()
	s.objects[p] = &served{object: o, refs: 1}
	s.mu.Unlock()
	o.double.Retain(o)
	return p
}

// find is the object behind a pointer; nil: it is not ours.
func (s *Server) find(p unsafe.Pointer) *Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.objects[p]; h != nil {
		return h.object
	}
	return nil
}

func (s *Server) count(p unsafe.Pointer, by int) uintptr {
	s.mu.Lock()
	h := s.objects[p]
	if h == nil { // a class object, which lives as long as the server
		s.mu.Unlock()
		return 1
	}
	h.refs += by
	n := h.refs
	if n == 0 {
		delete(s.objects, p)
	}
	s.mu.Unlock()
	h.object.double.count(h.object.class, by)
	if n == 0 {
		_, _, _ = procFree.Call(uintptr(p))
	}
	return uintptr(n)
}

// id gives a member's name its DISPID.
func (s *Server) id(name string) int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(name)
	if s.ids[key] == 0 {
		s.names = append(s.names, name)
		s.ids[key] = int32(len(s.names))
	}
	return s.ids[key]
}

func (s *Server) name(id int32) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 1 || int(id) > len(s.names) {
		return ""
	}
	return s.names[id-1]
}

func (s *Server) create(factory unsafe.Pointer) *Object {
	s.mu.Lock()
	d, progID := s.only, s.factories[factory]
	if d == nil {
		d = s.doubles[windows.GetCurrentThreadId()]
	}
	s.mu.Unlock()
	if d == nil {
		return nil
	}
	return d.Create(progID)
}
