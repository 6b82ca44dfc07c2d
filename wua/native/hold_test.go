//go:build !windows

package native_test

import (
	"context"
	"errors"
	"testing"

	"waptwua"
	"waptwua/wua"
	"waptwua/wua/native"
)

var usable = native.Service{Start: native.Manual, Running: true}

func TestHold(t *testing.T) {
	for name, tt := range map[string]struct {
		idle   native.Idle
		before native.Service
		after  native.Service
	}{
		"disabled":         {native.IdleDisabled, native.Service{Start: native.Automatic, Running: true}, native.Service{Start: native.Disabled}},
		"manual":           {native.IdleManual, native.Service{Start: native.Automatic}, native.Service{Start: native.Manual}},
		"restore":          {native.IdleRestore, native.Service{Start: native.Automatic}, native.Service{Start: native.Automatic}},
		"restore running":  {native.IdleRestore, native.Service{Start: native.Automatic, Running: true}, native.Service{Start: native.Automatic, Running: true}},
		"restore disabled": {native.IdleRestore, native.Service{Start: native.Disabled}, native.Service{Start: native.Disabled}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.start(native.Manual)
			r.must(r.SetRunning(t.Context(), native.UpdateService, tt.before.Running))
			r.start(tt.before.Start)
			r.settle(native.Plan{Want: native.TakeOver, Idle: tt.idle})
			c := r.control()
			outer, err := c.Hold(t.Context())
			r.must(err)
			r.service(usable)
			r.must(r.SetRunning(t.Context(), native.UpdateService, false)) // it stops by itself
			inner, err := c.Hold(t.Context())
			r.must(err)
			r.service(usable)
			r.must(inner(t.Context()))
			r.service(usable)
			r.must(outer(t.Context()))
			r.service(tt.after)
			if p := r.prove(); !p.Control || !p.Held.IsZero() {
				t.Errorf("Prove = %+v", p)
			}
		})
	}
}

// TestKilledWhileHolding: the next Settle, or the next hold, ends the hold.
func TestKilledWhileHolding(t *testing.T) {
	for name, next := range map[string]func(r *rig){
		"take over": func(r *rig) {
			if says := r.settle(takeOver); len(says) > 0 {
				r.Errorf("Settle says %q", says)
			}
		},
		"leave": func(r *rig) { r.settle(leave) },
		"hold": func(r *rig) {
			release, err := r.control().Hold(r.Context())
			r.must(err)
			r.must(release(r.Context()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.settle(takeOver)
			_, err := r.control().Hold(t.Context())
			r.must(err)
			if p := r.prove(); !p.Held.Equal(r.now) || !p.Control {
				t.Errorf("while held: %+v", p)
			}
			next(r)
			r.service(native.Service{Start: native.Disabled})
			if p := r.prove(); !p.Held.IsZero() || len(p.Undone) > 0 {
				t.Errorf("afterwards: %+v", p)
			}
		})
	}
}

func TestKilledThenGivenBack(t *testing.T) {
	r := newRig(t)
	was := r.snapshot()
	r.settle(takeOver)
	_, err := r.control().Hold(t.Context())
	r.must(err)
	r.settle(giveBack)
	if r.snapshot() != was {
		t.Errorf("the host is\n%s\nwant\n%s", r.snapshot(), was)
	}
}

// TestHoldElsewhere: a host that is not taken over is not changed, and a
// service that somebody has disabled is theirs.
func TestHoldElsewhere(t *testing.T) {
	r := newRig(t)
	was := r.snapshot()
	release, err := r.control().Hold(t.Context())
	r.must(err)
	r.must(release(t.Context()))
	if r.snapshot() != was || r.records.text != nil {
		t.Error("a hold has changed a host that is not taken over")
	}
	r.start(native.Disabled)
	_, err = r.control().Hold(t.Context())
	var e *wua.Error
	if !errors.As(err, &e) || e.Code != wua.ServiceDisabled || e.Text == "" {
		t.Errorf("a service that somebody has disabled: %v", err)
	}
}

// TestHoldRefused: what cannot be started leaves no hold behind.
func TestHoldRefused(t *testing.T) {
	r := newRig(t)
	r.settle(takeOver)
	refused := &wua.Error{Op: "start mode", Code: 0x80070005}
	r.Refuse = func(string) error { return refused }
	c := r.control()
	if _, err := c.Hold(t.Context()); !errors.Is(err, refused) {
		t.Errorf("Hold: %v", err)
	}
	r.Refuse = nil
	release, err := c.Hold(t.Context())
	r.must(err)
	r.must(release(t.Context()))
	r.service(native.Service{Start: native.Disabled})
}

// TestReleaseRefused: a start mode that cannot be set is set by the next
// Settle.
func TestReleaseRefused(t *testing.T) {
	r := newRig(t)
	r.settle(takeOver)
	release, err := r.control().Hold(t.Context())
	r.must(err)
	r.Refuse = func(string) error { return errKilled }
	if err := release(t.Context()); !errors.Is(err, errKilled) {
		t.Errorf("release: %v", err)
	}
	r.Refuse = nil
	r.settle(takeOver)
	r.service(native.Service{Start: native.Disabled})
}

// TestChangedWhileHeld: somebody sets another start mode meanwhile.
func TestChangedWhileHeld(t *testing.T) {
	r := newRig(t)
	r.settle(takeOver)
	release, err := r.control().Hold(t.Context())
	r.must(err)
	r.start(native.Automatic)
	r.must(release(t.Context()))
	r.service(native.Service{Start: native.Disabled})
	if p := r.prove(); len(p.Undone) != 1 || p.Undone[0].Found != "automatic" {
		t.Errorf("undone: %+v", p.Undone)
	}
}

func TestGiveBackWhileHeld(t *testing.T) {
	r := newRig(t)
	r.settle(takeOver)
	c := r.control()
	release, err := c.Hold(t.Context())
	r.must(err)
	if _, err := c.Settle(t.Context(), giveBack); err == nil {
		t.Error("the service was given back while it was used")
	}
	r.must(release(t.Context()))
	if _, err := c.Settle(t.Context(), giveBack); err != nil {
		t.Error(err)
	}
}

func TestNoService(t *testing.T) {
	r := newRig(t)
	c := native.New(native.Options{System: noService{r.Host}, Records: &r.records})
	for _, p := range []native.Plan{takeOver, giveBack} {
		if _, err := c.Settle(t.Context(), p); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
	var e *wua.Error
	if _, err := c.Hold(t.Context()); !errors.As(err, &e) || e.Code != 0x80070424 {
		t.Errorf("Hold: %v", err)
	}
}

// noService is a host without services.
type noService struct{ native.System }

func (noService) Service(context.Context, string) (native.Service, error) {
	return native.Service{}, waptwua.ErrNotFound
}
