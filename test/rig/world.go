package rig

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/applicability"
	"waptwua/internal/authsign"
	"waptwua/internal/origin"
	"waptwua/internal/world"
)

// patchTuesday is the date of the first archive of a World.
var patchTuesday = time.Date(2026, 11, 10, 18, 0, 0, 0, time.UTC)

// World is what Microsoft has: archives of the same updates, one a month, and
// the payload files of all of them.
type World struct {
	t         testing.TB
	dir       string
	updates   int
	seed      uint64
	months    []*world.World
	authority *authsign.Authority
	Roots     string // path of the root that the archives are signed below
}

// NewWorld plans a world of so many updates with archives for so many months.
func NewWorld(t testing.TB, updates int, seed uint64, months int) *World {
	t.Helper()
	w := &World{t: t, dir: t.TempDir(), updates: updates, seed: seed}
	w.Roots = filepath.Join(w.dir, "authority.pem")
	var err error
	if w.authority, err = authsign.NewAuthority(time.Now); err == nil {
		err = os.WriteFile(w.Roots, w.authority.RootPEM(), 0o600)
	}
	for n := range months {
		var m *world.World
		if err == nil {
			m, err = world.New(world.Options{Updates: updates, Seed: seed, Real: true, Created: patchTuesday.AddDate(0, n, 0)})
		}
		w.months = append(w.months, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Machine is the recorded machine of the n-th host of a fleet in this world.
func (w *World) Machine(n int) *applicability.Facts { return w.months[0].Machine(n) }

// Archive writes and signs the archive of a month, counted from 0, the first
// time that it is asked for, and returns its path.
func (w *World) Archive(month int) string {
	w.t.Helper()
	path := filepath.Join(w.dir, fmt.Sprintf("month-%d.cab", month))
	if _, err := os.Stat(path); err == nil {
		return path // signing it again would make another file
	}
	if err := w.write(path, month); err != nil {
		w.t.Fatalf("archive of month %d: %v", month, err)
	}
	return path
}

func (w *World) write(path string, month int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := w.months[month].Write(context.Background(), f, world.WriteOptions{Dir: w.dir}); err != nil {
		return err
	}
	if _, err := w.authority.Sign(f, authsign.Options{Program: "generated scan archive"}); err != nil {
		return err
	}
	return f.Close()
}

// Payloads are the payload files of all months, by URL.
func (w *World) Payloads() []world.Payload {
	byURL := map[string]world.Payload{}
	for _, m := range w.months {
		for _, p := range m.Payloads() {
			byURL[p.URL] = p
		}
	}
	return slices.SortedFunc(maps.Values(byURL), func(a, b world.Payload) int { return strings.Compare(a.URL, b.URL) })
}

// KBs are the KB numbers that the names of payload files give, in order.
func (w *World) KBs() []waptwua.KB {
	seen := map[waptwua.KB]bool{}
	for _, p := range w.Payloads() {
		for _, word := range strings.FieldsFunc(p.Name, func(c rune) bool { return c == '-' || c == '_' || c == '.' }) {
			if kb, err := waptwua.ParseKB(word); err == nil && strings.HasPrefix(strings.ToUpper(word), "KB") {
				seen[kb] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Origin is Microsoft with these faults, offering the archive of month 0.
func (w *World) Origin(f origin.Faults) *origin.Origin {
	w.t.Helper()
	o, err := origin.New(origin.Options{Payloads: w.Payloads(), Faults: f, Seed: w.seed})
	if err != nil {
		w.t.Fatal(err)
	}
	o.SetArchive(w.Archive(0))
	return o
}
