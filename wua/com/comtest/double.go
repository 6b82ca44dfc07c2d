package comtest

import (
	"errors"
	"maps"
	"strings"
	"sync"

	"waptwua"
	"waptwua/wua"
)

// Call is one line of the trace.
type Call struct {
	Thread        uint32 // operating-system thread that asked
	Class, Member string
	Kind          Kind
}

// Double is a Windows Update Agent over a simulated host. Its methods may be
// called by several goroutines.
type Double struct {
	host       wua.Host
	operations sync.WaitGroup // that run in the background

	mu       sync.Mutex
	services map[string]*service // registered, by ServiceID
	added    int                 // services so far
	live     map[string]int      // objects in use, by class
	faults   []*fault
	trace    []Call
	keep     string          // file of the services; empty: they end with the process
	watch    func(held bool) // see Watch
}

type service struct{ id, name, path string }

type fault struct {
	class, member string
	raise         *Exception
	after         int // calls that go well before
	times         int // still to fail; negative: always
}

// maxTrace bounds the trace; what comes later is not noted.
const maxTrace = 200_000

// New makes a double that answers from host.
func New(host wua.Host) *Double {
	return &Double{host: host, services: map[string]*service{}, live: map[string]int{}}
}

// Fail makes a member of a class raise e for the next times that it is asked;
// a negative number: always.
func (d *Double) Fail(class, member string, e Exception, times int) {
	d.FailAfter(0, class, member, e, times)
}

// FailAfter is Fail after n calls of the member that go well.
func (d *Double) FailAfter(n int, class, member string, e Exception, times int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = append(d.faults, &fault{class: class, member: member, raise: &e, after: n, times: times})
}

func (d *Double) fault(class, member string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.faults {
		if f.times == 0 || f.class != class || !strings.EqualFold(f.member, member) {
			continue
		}
		if f.after > 0 {
			f.after--
			continue
		}
		f.times--
		return f.raise
	}
	return nil
}

func (d *Double) note(c Call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.trace) < maxTrace {
		d.trace = append(d.trace, c)
	}
}

// Trace is what was asked so far.
func (d *Double) Trace() []Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Call(nil), d.trace...)
}

// Retain counts one more user of an object.
func (d *Double) Retain(o *Object) { d.count(o.class, 1) }

// Release counts one user less.
func (d *Double) Release(o *Object) { d.count(o.class, -1) }

func (d *Double) count(class string, by int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := len(d.live)
	if d.live[class] += by; d.live[class] == 0 {
		delete(d.live, class)
	}
	if d.watch != nil && (before == 0) != (len(d.live) == 0) {
		d.watch(before == 0)
	}
}

// Watch has f told when the first reference is taken and when the last one is
// released. f must not call the double.
func (d *Double) Watch(f func(held bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watch = f
}

// Live is how many references are held, by class.
func (d *Double) Live() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.live)
}

// Services is how many scan package services are registered.
func (d *Double) Services() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.services)
}

// Create makes an object by its ProgID; nil: the double has no such class.
func (d *Double) Create(progID string) *Object {
	switch progID {
	case "Microsoft.Update.Session":
		return d.session()
	case "Microsoft.Update.ServiceManager":
		return d.serviceManager()
	case "Microsoft.Update.UpdateColl":
		return collection(d, "UpdateColl", new([]*Object), true)
	case "Microsoft.Update.StringColl":
		return collection(d, "StringColl", new([]string), true)
	case "Microsoft.Update.Searcher":
		return d.searcher(new(int))
	case "Microsoft.Update.Downloader":
		return d.downloader()
	case "Microsoft.Update.Installer":
		return d.installer()
	case "Microsoft.Update.AutoUpdate":
		return d.autoUpdate()
	case "Microsoft.Update.SystemInfo":
		return d.systemInfo()
	case "Microsoft.Update.AgentInfo":
		return d.agentInfo()
	}
	return nil
}

// exception makes an *Exception of any error, or nil of none.
func exception(err error) error {
	var e *Exception
	var w *wua.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.As(err, &w):
		return &Exception{Code: uint32(w.Code), Text: w.Text}
	case errors.Is(err, waptwua.ErrNotFound):
		return &Exception{Code: uint32(wua.ItemNotFound)}
	}
	return &Exception{Code: 0x80004005, Text: err.Error()}
}
