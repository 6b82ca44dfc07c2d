// Package storetest is the suite that every store.Store passes. A driver's
// test calls Run with a function that opens an empty store.
package storetest

import (
	"testing"
	"time"

	"waptwua"
	"waptwua/store"
)

// Open opens an empty store; the suite closes it.
type Open func(t *testing.T) store.Store

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		test func(*testing.T, store.Store)
	}{
		{"Hosts", testHosts},
		{"HostQueries", testHostQueries},
		{"HostUpdatesRoundTrip", testHostUpdates},
		{"EffectiveStatus", testEffective},
		{"Updates", testUpdates},
		{"Needs", testNeeds},
		{"Files", testFiles},
		{"UnneededFiles", testUnneeded},
		{"Downloads", testDownloads},
		{"Runs", testRuns},
		{"Tokens", testTokens},
		{"Accounts", testAccounts},
		{"Sessions", testSessions},
		{"Rules", testRules},
		{"Audit", testAudit},
		{"Settings", testSettings},
		{"Counts", testCounts},
		{"Rollback", testRollback},
		{"ReadersDoNotWait", testReaders},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			defer func() {
				if err := s.Close(); err != nil {
					t.Errorf("closing: %v", err)
				}
			}()
			c.test(t, s)
		})
	}
}

// noon is the time at which the suite happens.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

const (
	hostA = "00000000-0000-0000-0000-00000000000a"
	hostB = "00000000-0000-0000-0000-00000000000b"
)

func id(n int) waptwua.UpdateID {
	return waptwua.UpdateID{GUID: "11111111-0000-0000-0000-00000000000" + string(rune('0'+n)), Revision: 100 + n}
}

func file(n int) waptwua.File {
	return waptwua.File{Name: "file" + string(rune('0'+n)) + ".cab", Size: int64(1000 * n), SHA1: waptwua.SHA1{byte(n)}}
}

func host(uuid, name string) store.Host {
	return store.Host{UUID: uuid, Name: name, Standing: store.Enrolled, Status: waptwua.HostOK, LastSeen: noon, ScannedAt: noon}
}

func onHost(n int, s waptwua.Status, d waptwua.Decision) waptwua.OnHost {
	return waptwua.OnHost{ID: id(n), Status: s, Verdict: waptwua.Verdict{Decision: d, Reason: "default_allow"}}
}

// put gives a host updates, which are seen by that.
func put(t *testing.T, s store.Store, uuid string, us ...waptwua.OnHost) {
	t.Helper()
	var rows []store.HostUpdate
	var ids []waptwua.UpdateID
	for _, u := range us {
		rows = append(rows, store.NewHostUpdate(uuid, u))
		ids = append(ids, u.ID)
	}
	must(t, s.SeeUpdates(t.Context(), ids, noon))
	must(t, s.ChangeHostUpdates(t.Context(), uuid, rows, nil))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}
