package rig

import (
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"waptwua"
	"waptwua/wua"
	"waptwua/wua/sim"
)

// ExpectReported waits until the server shows of each host what its agent
// holds, and fails when that takes longer than limit: a report was lost.
func (f *Fleet) ExpectReported(limit time.Duration) {
	f.s.t.Helper()
	for n := range f.Hosts {
		Until(f.s.t, limit, func() (bool, string) {
			known := f.Agent(n)
			h, err := f.Host(n)
			if err != nil {
				return false, err.Error()
			}
			diff := cmp.Diff(known.State, Shown(&h), cmpopts.EquateEmpty())
			return diff == "", h.Name + ": what the agent holds (-) and the server shows (+) differ:\n" + diff
		})
	}
}

// ExpectOnce fails for an update that some host's Windows was told
// successfully to install more than once, and returns how many installations
// there were.
func (f *Fleet) ExpectOnce() (installations int) {
	f.s.t.Helper()
	for n := range f.Hosts {
		times := map[waptwua.UpdateID]int{}
		for _, e := range f.Log(n) {
			if !Installed(e) {
				continue
			}
			installations++
			if times[e.ID]++; times[e.ID] > 1 {
				f.s.t.Errorf("host %d: %s (%s) was installed %d times", n+1, e.Title, e.ID, times[e.ID])
			}
		}
	}
	return installations
}

// Installed tells a successful installation, whether it changed anything or
// the update was there already.
func Installed(e sim.Event) bool {
	return e.Operation == sim.OpInstall && (e.Code == wua.Succeeded || e.Code == wua.SucceededWithErrors)
}
