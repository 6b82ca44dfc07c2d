package com

import (
	"context"
	"slices"
	"testing"
	"time"

	"waptwua"
	"waptwua/wua"
	"waptwua/wua/com/comtest"
	"waptwua/wua/sim"
	"waptwua/wua/wuatest"
)

// direct is an apartment that asks the double without COM, so that what is
// portable is tested everywhere.
type direct struct{ double *comtest.Double }

func (a direct) create(progID string) (object, error) {
	o := a.double.Create(progID)
	if o == nil {
		return nil, &wua.Error{Op: progID, Code: 0x800401F3}
	}
	return a.hold(o), nil
}

func (a direct) hold(o *comtest.Object) object {
	a.double.Retain(o)
	return &directObject{a, o}
}

func (a direct) listener(notify func()) (object, error) { return directListener{notify: notify}, nil }

func (direct) close() {}

// directListener has no members of its own.
type directListener struct {
	object
	notify func()
}

func (directListener) release() {}

func (directListener) Hold()    {}
func (l directListener) Call()  { l.notify() }
func (directListener) Release() {}

type directObject struct {
	apartment direct
	of        *comtest.Object
}

func (o *directObject) retain() object { return o.apartment.hold(o.of) }
func (o *directObject) release()       { o.apartment.double.Release(o.of) }

func (o *directObject) get(name string, args ...any) (any, error) {
	return o.invoke(comtest.Get, name, args)
}

func (o *directObject) call(name string, args ...any) (any, error) {
	return o.invoke(comtest.Method, name, args)
}

func (o *directObject) put(name string, v any) error {
	_, err := o.invoke(comtest.Put, name, []any{v})
	return err
}

func (o *directObject) invoke(kind comtest.Kind, name string, args []any) (any, error) {
	list := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case *directObject:
			list[i] = a.of
		default:
			list[i] = a
		}
	}
	v, err := o.of.Invoke(1, kind, name, list)
	if e, ok := err.(*comtest.Exception); ok {
		return nil, &wua.Error{Op: name, Code: wua.Code(e.Code), Text: e.Text}
	}
	switch v := v.(type) {
	case *comtest.Object:
		if v == nil {
			return nil, nil
		}
		return o.apartment.hold(v), nil
	case int:
		return int64(v), nil
	case comtest.Decimal:
		return int64(v), nil
	}
	return v, err
}

// subject is a host of the double, and what stands behind it.
type subject struct {
	*Host
	double *comtest.Double
	sim    *sim.Host
}

// enter makes an apartment that reaches the double.
type enter func(t *testing.T, d *comtest.Double) func() (apartment, error)

func enterDirectly(_ *testing.T, d *comtest.Double) func() (apartment, error) {
	return func() (apartment, error) { return direct{d}, nil }
}

// clock is a time that every look moves on by a second.
func clock() func() time.Time {
	now := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

// open makes a host of the world whose references are counted when the test
// ends.
func open(t *testing.T, by enter, w *wuatest.World, faults ...wuatest.Fault) *subject {
	t.Helper()
	s := simulated(t, w, faults)
	return openDouble(t, by, comtest.New(s), s)
}

func simulated(t *testing.T, w *wuatest.World, faults []wuatest.Fault) *sim.Host {
	t.Helper()
	s, err := sim.Open(sim.Options{
		Dir: wuatest.TempDir(t), Machine: w.Machine, Now: clock(), Script: script(t, faults),
		Graphs: sim.NewGraphs(sim.GraphsOptions{Roots: w.Roots, Now: time.Now}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// openDouble is open for a double that stands before s.
func openDouble(t *testing.T, by enter, d *comtest.Double, s *sim.Host) *subject {
	t.Helper()
	h := &subject{double: d, sim: s}
	enter := by(t, d)
	t.Cleanup(func() {
		d.Wait() // for what a failed call has left behind
		if live := d.Live(); len(live) > 0 {
			t.Errorf("references that were not released: %v", live)
		}
		if n := d.Services(); n > 0 {
			t.Errorf("%d scan package services are still registered", n)
		}
	})
	h.Host = h.reopen(t, enter)
	return h
}

func (h *subject) reopen(t *testing.T, enter func() (apartment, error)) *Host {
	t.Helper()
	host, err := newHost(Options{}, platform{enter: enter, edition: fakeEdition, pending: func() ([]string, error) { return nil, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return host
}

func fakeEdition() (edition, error) {
	return edition{product: "Windows 10 Pro", release: "22H2", major: 10, build: 19045, revision: 1, architecture: "amd64"}, nil
}

func script(t *testing.T, faults []wuatest.Fault) *sim.Script {
	t.Helper()
	var list []sim.Fault
	for _, f := range faults {
		s := sim.Fault{Call: f.Call, Effect: sim.Effect(f.Effect), Last: f.Times}
		if f.Update != (waptwua.UpdateID{}) {
			s.Update = f.Update.String()
		}
		if f.Code != wua.OK {
			s.Code = f.Code.String()
		}
		if f.Effect == wuatest.NeverReturn {
			s.Effect, s.Delay = sim.Fail, "1000h"
		}
		list = append(list, s)
	}
	s, err := sim.NewScript(list...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opener gives the contract its hosts.
func opener(by enter) wuatest.Opener {
	return func(t *testing.T, w *wuatest.World, faults ...wuatest.Fault) wuatest.Fixture {
		t.Helper()
		h := open(t, by, w, faults...)
		enter := by(t, h.double)
		return wuatest.Fixture{
			Host:    h,
			Restart: func(ctx context.Context) error { return h.sim.Restart(ctx) },
			Reopen:  func() wua.Host { return h.reopen(t, enter) },
		}
	}
}

func runContract(t *testing.T, by enter) { wuatest.Run(t, opener(by)) }

func TestContract(t *testing.T) { runContract(t, enterDirectly) }

// ways are the ways to the double that this system has.
func ways() map[string]enter {
	m := map[string]enter{"directly": enterDirectly}
	if throughCOM != nil {
		m["through COM"] = throughCOM
	}
	return m
}

// everyWay runs a test by each of them.
func everyWay(t *testing.T, f func(t *testing.T, by enter)) {
	for name, by := range ways() {
		t.Run(name, func(t *testing.T) { f(t, by) })
	}
}

// order lists the members of a class in the order in which they were asked.
func order(d *comtest.Double, class string) (names []string) {
	for _, c := range d.Trace() {
		if c.Class == class && c.Thread != 0 {
			names = append(names, c.Member)
		}
	}
	return slices.Clip(names)
}
