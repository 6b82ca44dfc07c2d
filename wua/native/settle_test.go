//go:build !windows

package native_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"waptwua"
	"waptwua/wua"
	"waptwua/wua/native"
)

// TestTakeOverAndGiveBack: whatever the host was, giving back makes it so
// again, also when taking over was cut off after any of its changes and when
// giving back was.
func TestTakeOverAndGiveBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t)
		arbitraryHost(rt, r)
		was := r.snapshot()
		plan := native.Plan{Want: native.TakeOver, Idle: rapid.SampledFrom([]native.Idle{"", native.IdleManual, native.IdleRestore}).Draw(rt, "idle")}
		for _, p := range []native.Plan{plan, giveBack} {
			r.killAfter(rapid.IntRange(0, 16).Draw(rt, "kill"), rapid.Bool().Draw(rt, "hard"))
			if _, err := r.control().Settle(t.Context(), p); err != nil && !errors.Is(err, errKilled) {
				rt.Fatal(err)
			}
		}
		r.revive()
		if rapid.Bool().Draw(rt, "again") {
			r.settle(plan)
		}
		r.settle(giveBack)
		if diff := cmp.Diff(was, r.snapshot()); diff != "" {
			rt.Errorf("the host is not as it was (-want +got):\n%s", diff)
		}
		if p := r.prove(); p.Owner != native.OwnerWindows || p.Control {
			rt.Errorf("after giving back: %+v", p)
		}
	})
}

// TestCutOffAnywhere: taking over and giving back are cut off after each of
// their changes, on a host whose service runs and has a policy.
func TestCutOffAnywhere(t *testing.T) {
	const takes, gives = 8, 10 // the changes that each makes, and one more
	for n := range takes * gives * 2 {
		taking, giving, hard := n/2%takes, n/2/takes, n%2 == 1
		r := newRig(t)
		r.must(r.SetRunning(t.Context(), native.UpdateService, true))
		r.set("AUOptions", native.Number(4))
		was := r.snapshot()
		r.killAfter(taking, hard)
		_, _ = r.control().Settle(t.Context(), takeOver)
		r.killAfter(giving, hard)
		_, _ = r.control().Settle(t.Context(), giveBack)
		r.revive()
		r.settle(giveBack)
		if diff := cmp.Diff(was, r.snapshot()); diff != "" {
			t.Fatalf("cut off after %d and %d changes (hard: %v), the host is not as it was (-want +got):\n%s", taking, giving, hard, diff)
		}
	}
}

// arbitraryHost sets what administrators and Windows may have set before.
func arbitraryHost(rt *rapid.T, r *rig) {
	service := rapid.SampledFrom([]native.Service{
		{Start: native.Automatic, Running: true}, {Start: native.Manual}, {Start: native.Manual, Running: true}, {Start: native.Disabled},
	}).Draw(rt, "service")
	r.start(native.Manual)
	r.must(r.SetRunning(r.Context(), native.UpdateService, service.Running))
	r.start(service.Start)
	for _, p := range native.Policies() {
		v := rapid.SampledFrom([]*native.Value{nil, nil, {Type: 1, Bytes: []byte("x\x00")}, ptr(native.Number(0)), &p.Value}).Draw(rt, p.Name)
		if v != nil {
			r.must(r.SetValue(r.Context(), p.Key, p.Name, *v))
		}
	}
	if rapid.Bool().Draw(rt, "another value") {
		r.set("ScheduledInstallDay", native.Number(3))
	}
}

func ptr[T any](v T) *T { return &v }

func TestTakenOver(t *testing.T) {
	r := newRig(t)
	if says := r.settle(takeOver); len(says) > 0 {
		t.Errorf("taking over says %q", says)
	}
	for _, p := range native.Policies() {
		if v, err := r.Value(t.Context(), p.Key, p.Name); err != nil || !v.Equal(p.Value) {
			t.Errorf("%s is %v, %v", p.Name, v, err)
		}
	}
	r.service(native.Service{Start: native.Disabled})
	p := r.prove()
	if !p.Control || p.Owner != native.OwnerAgent || !p.Taken.Equal(r.now) || len(p.Undone) > 0 {
		t.Errorf("Prove = %+v", p)
	}
	first := r.now
	was := r.snapshot()
	if says := r.settle(takeOver); len(says) > 0 || r.snapshot() != was {
		t.Errorf("a second time says %q, and changes the host: %v", says, r.snapshot() != was)
	}
	for _, k := range r.prove().Checks {
		if !k.OK || !k.Since.Equal(first) {
			t.Errorf("check %+v; want OK since %v", k, first)
		}
	}
}

// TestUndone: what somebody else changes is found, noted, and changed again.
func TestUndone(t *testing.T) {
	r := newRig(t)
	r.settle(takeOver)
	well := r.now
	r.set("NoAutoUpdate", native.Number(0))
	r.start(native.Automatic)
	if p := r.prove(); p.Control || ok(p, `AU\NoAutoUpdate`) || ok(p, "wuauserv") || !ok(p, `AU\AUOptions`) {
		t.Errorf("Prove = %+v", p)
	}
	says := r.settle(takeOver)
	if len(says) != 2 || !strings.Contains(says[1], `AU\NoAutoUpdate was changed to 0`) || !strings.Contains(says[0], "wuauserv was changed to automatic") {
		t.Errorf("Settle says %q", says)
	}
	want := []native.Undone{
		{What: "wuauserv", Wanted: "disabled", Found: "automatic", After: well, Seen: r.now},
		{What: `AU\NoAutoUpdate`, Wanted: "1", Found: "0", After: well, Seen: r.now},
	}
	p := r.prove()
	if diff := cmp.Diff(want, p.Undone); diff != "" || !p.Control {
		t.Errorf("under control: %v; undone (-want +got):\n%s", p.Control, diff)
	}
	if again := r.settle(takeOver); !cmp.Equal(says, again) {
		t.Errorf("and then says %q", again)
	}
	r.now = r.now.Add(8 * 24 * time.Hour)
	if late := r.settle(takeOver); len(late) > 0 {
		t.Errorf("a week later it says %q", late)
	}
	for range 60 {
		r.set("NoAutoUpdate", native.Number(0))
		r.settle(takeOver)
	}
	if n := len(r.prove().Undone); n != 50 {
		t.Errorf("%d changes are remembered, want 50", n)
	}
}

// TestGiveBackLeavesOthers: what somebody else has changed since is theirs.
func TestGiveBackLeavesOthers(t *testing.T) {
	r := newRig(t)
	r.settle(takeOver)
	r.set("AUOptions", native.Number(4))
	r.start(native.Manual)
	says := r.settle(giveBack)
	if len(says) != 2 || !strings.Contains(says[0], `AU\AUOptions is 4`) || !strings.Contains(says[1], "wuauserv starts manual") {
		t.Errorf("Settle says %q", says)
	}
	r.service(native.Service{Start: native.Manual})
	if v, err := r.Value(t.Context(), keyAU, "AUOptions"); err != nil || !v.Equal(native.Number(4)) {
		t.Errorf("AUOptions is %v, %v", v, err)
	}
	if _, err := r.Value(t.Context(), keyAU, "NoAutoUpdate"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("NoAutoUpdate: %v", err)
	}
}

// TestLeave: unset touches nothing, before and after.
func TestLeave(t *testing.T) {
	r := newRig(t)
	was := r.snapshot()
	for _, p := range []native.Plan{leave, giveBack} {
		if says := r.settle(p); len(says) > 0 || r.snapshot() != was || r.records.text != nil {
			t.Errorf("%+v says %q, records %s", p, says, r.records.text)
		}
	}
	r.settle(takeOver)
	was = r.snapshot()
	if says := r.settle(leave); len(says) != 1 || !strings.Contains(says[0], "since 2026-11-20") || r.snapshot() != was {
		t.Errorf("Settle says %q", says)
	}
}

// TestIdleChanges: another idle state is the administrator's, nobody's undoing.
func TestIdleChanges(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		idle native.Idle
		want native.Start
	}{{native.IdleDisabled, native.Disabled}, {native.IdleManual, native.Manual}, {native.IdleRestore, native.Automatic}, {native.IdleDisabled, native.Disabled}} {
		if says := r.settle(native.Plan{Want: native.TakeOver, Idle: tt.idle}); len(says) > 0 {
			t.Errorf("%s: Settle says %q", tt.idle, says)
		}
		r.service(native.Service{Start: tt.want})
	}
	if p := r.prove(); len(p.Undone) > 0 || !p.Control {
		t.Errorf("Prove = %+v", p)
	}
}

func TestObstacles(t *testing.T) {
	r := newRig(t)
	r.settle(takeOver)
	r.set("UseWUServer", native.Number(0))
	if p := r.prove(); !p.Control {
		t.Errorf("UseWUServer = 0: %+v", p)
	}
	r.now = r.now.Add(time.Hour)
	r.set("UseWUServer", native.Number(1))
	p := r.prove()
	if p.Control || ok(p, `AU\UseWUServer`) {
		t.Errorf("UseWUServer = 1: %+v", p)
	}
	for _, k := range p.Checks {
		if k.Name == `AU\UseWUServer` && (!k.Since.IsZero() || k.Note == "") {
			t.Errorf("a result that no Settle has seen: %+v", k)
		}
	}
	r.settle(takeOver)
	for _, k := range r.prove().Checks {
		if k.Name == `AU\UseWUServer` && !k.Since.Equal(r.now) {
			t.Errorf("after Settle: %+v; want since %v", k, r.now)
		}
	}
}

// TestProtected: one refusal neither hides nor hinders the rest.
func TestProtected(t *testing.T) {
	r := newRig(t)
	r.Refuse = func(what string) error {
		if what == native.UpdateService {
			return &wua.Error{Op: "start mode", Code: 0x80070005}
		}
		return nil
	}
	_, err := r.control().Settle(t.Context(), takeOver)
	if !errors.Is(err, &wua.Error{Op: "start mode", Code: 0x80070005}) && !strings.Contains(err.Error(), "Access was denied") {
		t.Errorf("Settle: %v", err)
	}
	p := r.prove()
	if p.Control || ok(p, "wuauserv") || !ok(p, `AU\NoAutoUpdate`) {
		t.Errorf("Prove = %+v", p)
	}
}

// TestDamagedRecord: without knowing how it was, nothing is changed.
func TestDamagedRecord(t *testing.T) {
	r := newRig(t)
	was := r.snapshot()
	c := native.New(native.Options{System: r.Host, Records: damaged{}})
	_, settle := c.Settle(t.Context(), takeOver)
	_, hold := c.Hold(t.Context())
	_, prove := c.Prove(t.Context())
	for op, err := range map[string]error{"Settle": settle, "Hold": hold, "Prove": prove} {
		if !errors.Is(err, waptwua.ErrDigest) {
			t.Errorf("%s: %v", op, err)
		}
	}
	if r.snapshot() != was {
		t.Error("the host was changed")
	}
}

type damaged struct{}

func (damaged) Load(any) error { return waptwua.ErrDigest }
func (damaged) Save(any) error { return nil }

func ok(p *native.Proof, name string) bool {
	for _, k := range p.Checks {
		if k.Name == name {
			return k.OK
		}
	}
	return false
}
