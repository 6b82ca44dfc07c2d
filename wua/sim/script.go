package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"waptwua"
	"waptwua/wua"
)

// The calls that a fault can name.
const (
	callSearch    = "search"
	callStage     = "stage"
	callInstall   = "install"
	callUninstall = "uninstall"
	callHide      = "hide"
	callHistory   = "history"
	callInfo      = "info"
	callReboot    = "reboot-pending"
	callPackages  = "packages"
)

func calls() []string {
	return []string{callSearch, callStage, callInstall, callUninstall, callHide, callHistory, callInfo, callReboot, callPackages}
}

// Effect is what a fault does.
type Effect string

// The effects.
const (
	Fail     Effect = "fail"     // the call, or the update in it, fails with Code; without Code it is only slow
	Lie      Effect = "lie"      // install says "succeeded" and changes nothing
	Vanish   Effect = "vanish"   // install does not find the update, and no later search offers it
	Rollback Effect = "rollback" // install succeeds, and the restart takes it back with Code
	Restart  Effect = "restart"  // install asks for a restart, whatever the update says
)

// Fault is something that goes wrong.
type Fault struct {
	// Call is search, stage, install, uninstall, hide, history, info,
	// reboot-pending, packages (dism and wusa: Code is their exit code), or *
	// for each of them. Faults of single updates are those of install, in
	// whatever way the update is installed.
	Call string `json:"call"`
	// Update is a KB, a GUID or GUID_REVISION, or * for each; empty: the call
	// as a whole fails, as when the service is disabled.
	Update string `json:"update,omitempty"`
	// First and Last bound the attempts that fail, counted per update from 1;
	// 0: from the first, to the last.
	First int `json:"first,omitempty"`
	Last  int `json:"last,omitempty"`
	// Rate is the share of these that fail, by the host's seed; 0: all.
	Rate   float64 `json:"rate,omitempty"`
	Effect Effect  `json:"effect,omitempty"` // empty: fail
	Code   string  `json:"code,omitempty"`   // HRESULT, e.g. 0x80070422
	Delay  string  `json:"delay,omitempty"`  // how long it takes, e.g. 1.5s

	code  wua.Code
	delay time.Duration
}

// Script is a list of faults; the first that fits counts.
type Script struct {
	Faults []Fault `json:"faults"`
}

// ParseScript reads a script in JSON.
func ParseScript(b []byte) (*Script, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var s Script
	if err := dec.Decode(&s); err != nil {
		return nil, fmt.Errorf("read the script: %w", err)
	}
	return NewScript(s.Faults...)
}

// NewScript checks faults and makes a script of them.
func NewScript(faults ...Fault) (*Script, error) {
	s := &Script{Faults: slices.Clone(faults)}
	for i := range s.Faults {
		if err := s.Faults[i].check(); err != nil {
			return nil, fmt.Errorf("script: fault %d: %w", i+1, err)
		}
	}
	return s, nil
}

func (f *Fault) check() (err error) {
	if f.Call != "*" && !slices.Contains(calls(), f.Call) {
		return fmt.Errorf("call %q: want * or one of %s", f.Call, strings.Join(calls(), ", "))
	}
	if f.Effect == "" {
		f.Effect = Fail
	}
	switch f.Effect {
	case Fail:
	case Lie, Vanish, Rollback, Restart:
		if f.Call != callInstall || f.Update == "" {
			return fmt.Errorf("effect %q: want call install and an update", f.Effect)
		}
	default:
		return fmt.Errorf("effect %q: want fail, lie, vanish, rollback or restart", f.Effect)
	}
	if f.Code != "" {
		if f.code, err = wua.ParseCode(f.Code); err != nil {
			return err
		}
	}
	if f.Delay != "" {
		if f.delay, err = time.ParseDuration(f.Delay); err != nil {
			return err
		}
	}
	if f.Effect == Fail && f.code == wua.OK && f.delay == 0 || f.Effect == Rollback && !f.code.Failed() {
		return errors.New("a code is missing")
	}
	return nil
}

// matches tells whether the fault is about a call for u (nil: as a whole).
func (f *Fault) matches(name string, u *waptwua.Update) bool {
	if f.Call != name && (f.Call != "*" || !slices.Contains(calls(), name)) || (f.Update == "") != (u == nil) {
		return false
	}
	if u == nil || f.Update == "*" || strings.EqualFold(f.Update, u.ID.GUID) || strings.EqualFold(f.Update, u.ID.String()) {
		return true
	}
	kb, err := waptwua.ParseKB(f.Update)
	return err == nil && slices.Contains(u.KBs, kb)
}

// scripted is the fault that the script has for this attempt; nil: none. The
// attempt is counted.
func (c *call) scripted(name string, u *waptwua.Update) *Fault {
	if c.opt.Script == nil {
		return nil
	}
	for i := range c.opt.Script.Faults {
		f := &c.opt.Script.Faults[i]
		if f.matches(name, u) && c.due(f, i, name, u) {
			return f
		}
	}
	return nil
}

func (c *call) due(f *Fault, number int, name string, u *waptwua.Update) bool {
	key := strconv.Itoa(number) + " " + name
	if u != nil {
		key += " " + u.ID.String()
	}
	c.dirty = true
	c.state.Met[key]++
	n := c.state.Met[key]
	if n < f.First || f.Last > 0 && n > f.Last {
		return false
	}
	return f.Rate == 0 || c.chance(key+" "+strconv.Itoa(n)) < f.Rate
}

// chance is a number in [0, 1) that the seed gives for what.
func (h *Host) chance(what string) float64 {
	f := fnv.New64a()
	fmt.Fprintf(f, "%d %s", h.opt.Seed, what)
	x := f.Sum64() // mixed, for FNV alone leaves the high bits of similar texts alike
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}

// slow waits as long as the fault says.
func (c *call) slow(ctx context.Context, f *Fault) error {
	if f == nil {
		return ctx.Err()
	}
	return c.opt.Sleep(ctx, f.delay)
}
