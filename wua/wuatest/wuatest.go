// Package wuatest is the contract of wua.Host: one suite that every
// implementation passes, and the world it runs in: a small scan archive,
// signed by a test authority, with one update of each kind, a machine on
// which some of them apply, and their payload files.
//
// An implementation gives an Opener. What a host cannot be made to do (a
// Windows machine does not fail on command) it declines in Fixture, and the
// tests about it are skipped with a sentence. Imported by tests only.
package wuatest

import (
	"context"
	"testing"

	"waptwua"
	"waptwua/wua"
)

// Fixture is a host of the world's machine.
type Fixture struct {
	Host wua.Host
	// Restart restarts the machine; nil: it cannot be restarted.
	Restart func(ctx context.Context) error
	// Reopen is the same host seen from a new process; nil: the same.
	Reopen func() wua.Host
}

// Effect is how a Fault shows.
type Effect string

// The effects.
const (
	Fails       Effect = "fail"     // with Code
	Lies        Effect = "lie"      // says "succeeded" and does nothing
	Vanishes    Effect = "vanish"   // is gone between search and install
	RollsBack   Effect = "rollback" // with Code, at the restart
	NeverReturn Effect = "hang"     // does not return before its context ends
)

// Fault is what the host shall do wrong.
type Fault struct {
	Call   string           // search or install
	Update waptwua.UpdateID // zero: the call as a whole
	Effect Effect
	Code   wua.Code
	Times  int // how often it fails; 0: always
}

// Opener makes a host of the world's machine that has the faults. It skips
// the test when it cannot have them.
type Opener func(t *testing.T, w *World, faults ...Fault) Fixture

// Run tests an implementation.
func Run(t *testing.T, open Opener) {
	w := NewWorld(t)
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s *suite)
	}{
		{"search finds what is missing and what is installed", searchFinds},
		{"search omits what does not apply", searchOmits},
		{"search includes superseded updates when asked", searchSuperseded},
		{"search describes updates", searchDescribes},
		{"search obeys criteria", searchCriteria},
		{"search refuses criteria that cannot be read", searchBadCriteria},
		{"search refuses what is no scan archive", searchBadArchive},
		{"search fails as a whole", searchFails},
		{"hide and show", hide},
		{"hiding what supersedes another", superseding},
		{"stage wants the right files", stageChecks},
		{"install wants files", installUnstaged},
		{"install, search again, gone", installPlain},
		{"install twice changes nothing", installTwice},
		{"install that needs a restart", installRestart},
		{"install that is rolled back at the restart", installRollback},
		{"one failure does not stop the others", installPartly},
		{"every failure makes the whole fail", installFails},
		{"an exclusive update is refused beside others", installExclusive},
		{"an update that vanished", installVanished},
		{"an update that only seems to succeed", installLie},
		{"an installer's patch and a component package", installOthers},
		{"identities that no search returned", unknownIdentities},
		{"nothing to install", installNothing},
		{"uninstall", uninstall},
		{"history, newest first", history},
		{"a call whose context has ended", cancelled},
		{"cancelling a search", cancelSearch},
		{"cancelling an installation", cancelInstall},
		{"a second call while one runs", inProgress},
		{"a disabled service", serviceDisabled},
		{"what the host is", info},
		{"state outlives the process", survives},
		{"progress", progress},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(t, &suite{World: w, t: t, open: open})
		})
	}
}

// suite is one test of the contract.
type suite struct {
	*World
	t    *testing.T
	open Opener
}

// host opens a fresh host.
func (s *suite) host(faults ...Fault) *subject {
	s.t.Helper()
	return &subject{Fixture: s.open(s.t, s.World, faults...), suite: s}
}

// subject is the host under test.
type subject struct {
	Fixture
	*suite
}

func (h *subject) ctx() context.Context { return h.t.Context() }

// search finds updates by number.
func (h *subject) search(q wua.Query) map[waptwua.UpdateID]wua.Update {
	h.t.Helper()
	if q.Archive == "" {
		q.Archive = h.Archive
	}
	found, err := h.Host.Search(h.ctx(), q)
	if err != nil {
		h.t.Fatalf("search: %v", err)
	}
	byID := map[waptwua.UpdateID]wua.Update{}
	for _, u := range found.Updates {
		if _, twice := byID[u.ID]; twice {
			h.t.Errorf("search returned %s twice", u.ID)
		}
		byID[u.ID] = u
	}
	return byID
}

// stage stages every leaf of the updates.
func (h *subject) stage(found map[waptwua.UpdateID]wua.Update, numbers ...int) {
	h.t.Helper()
	for _, n := range numbers {
		for _, l := range found[updateID(n)].Leaves {
			if err := h.Host.Stage(h.ctx(), l.ID, []string{h.File(l.ID)}); err != nil {
				h.t.Fatalf("stage %s: %v", l.ID, err)
			}
		}
	}
}

// install searches, stages and installs.
func (h *subject) install(numbers ...int) *wua.Result {
	h.t.Helper()
	h.stage(h.search(wua.Query{}), numbers...)
	return h.installStaged(numbers...)
}

func (h *subject) installStaged(numbers ...int) *wua.Result {
	h.t.Helper()
	r, err := h.Host.Install(h.ctx(), ids(numbers...), nil)
	if err != nil {
		h.t.Fatalf("install: %v", err)
	}
	h.checkOrder(r, numbers)
	return r
}

func (h *subject) checkOrder(r *wua.Result, numbers []int) {
	h.t.Helper()
	if len(r.Updates) != len(numbers) {
		h.t.Fatalf("%d results for %d updates", len(r.Updates), len(numbers))
	}
	for i, n := range numbers {
		if r.Updates[i].ID != updateID(n) {
			h.t.Errorf("result %d is about %s, want %s", i, r.Updates[i].ID, updateID(n))
		}
	}
}

// restart restarts the machine, or skips the test.
func (h *subject) restart() {
	h.t.Helper()
	if h.Restart == nil {
		h.t.Skip("this host cannot be restarted by a test")
	}
	if err := h.Restart(h.ctx()); err != nil {
		h.t.Fatalf("restart: %v", err)
	}
}

func ids(numbers ...int) []waptwua.UpdateID {
	list := make([]waptwua.UpdateID, len(numbers))
	for i, n := range numbers {
		list[i] = updateID(n)
	}
	return list
}
