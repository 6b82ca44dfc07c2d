//go:build !windows

package native_test

import (
	"testing"
	"time"

	"waptwua/wua/native"
	"waptwua/wua/native/nativesim"
)

// rig is a simulated host with what the agent remembers about it.
type rig struct {
	*testing.T
	*nativesim.Host
	records records
	now     time.Time
}

func newRig(t *testing.T) *rig {
	r := &rig{T: t, Host: nativesim.Open(""), now: time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)}
	r.start(native.Automatic) // so that there is something to compare with
	return r
}

// control is the program, started anew.
func (r *rig) control() *native.Control {
	return native.New(native.Options{System: r.Host, Records: &r.records, Now: func() time.Time { return r.now }})
}

func (r *rig) settle(p native.Plan) []string {
	r.Helper()
	r.now = r.now.Add(time.Hour)
	says, err := r.control().Settle(r.Context(), p)
	if err != nil {
		r.Fatal(err)
	}
	return says
}

func (r *rig) prove() *native.Proof {
	r.Helper()
	p, err := r.control().Prove(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	return p
}

// snapshot is the whole host.
func (r *rig) snapshot() string {
	b, err := r.JSON()
	r.must(err)
	return string(b)
}

func (r *rig) start(mode native.Start) { r.must(r.SetStart(r.Context(), native.UpdateService, mode)) }

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// service fails unless wuauserv is as wanted.
func (r *rig) service(want native.Service) {
	r.Helper()
	s, err := r.Service(r.Context(), native.UpdateService)
	if err != nil || s != want {
		r.Errorf("wuauserv is %+v, %v; want %+v", s, err, want)
	}
}

func (r *rig) set(name string, v native.Value) {
	r.Helper()
	r.must(r.SetValue(r.Context(), keyAU, name, v))
}

const keyAU = `SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU`

var (
	takeOver = native.Plan{Want: native.TakeOver}
	giveBack = native.Plan{Want: native.GiveBack}
	leave    = native.Plan{Want: native.Leave}
)

// killAfter refuses every change after the n-th; hard: as if the program were
// gone, so that nothing is recorded any more either.
func (r *rig) killAfter(n int, hard bool) {
	r.records.dead = false
	r.Refuse = func(string) error {
		if n--; n < 0 {
			r.records.dead = hard
			return errKilled
		}
		return nil
	}
}

// revive ends what killAfter began.
func (r *rig) revive() { r.Refuse, r.records.dead = nil, false }
