package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/store"
)

func testHosts(t *testing.T, s store.Store) {
	ctx := t.Context()
	if _, err := s.Host(ctx, hostA); !errors.Is(err, waptwua.ErrNotFound) {
		t.Fatalf("host that does not exist: %v, want ErrNotFound", err)
	}
	h := host(hostA, "pc1")
	h.Head, h.Seq, h.KeyDigest = `{"host":{"uuid":"x\u0000"}}`, 1<<40, "abc"
	must(t, s.PutHost(ctx, h))
	if d := cmp.Diff(h, get[store.Host](t)(s.Host(ctx, hostA))); d != "" {
		t.Errorf("round trip (-put +got):\n%s", d)
	}
	h.Name, h.ScannedAt, h.Head = "pc1 renamed", time.Time{}, ""
	must(t, s.PutHost(ctx, h))
	if d := cmp.Diff(h, get[store.Host](t)(s.Host(ctx, hostA))); d != "" {
		t.Errorf("replaced (-put +got):\n%s", d)
	}
	must(t, s.SeenHost(ctx, hostA, noon.Add(-time.Hour)))
	must(t, s.SeenHost(ctx, hostA, noon.Add(time.Hour)))
	must(t, s.SeenHost(ctx, hostB, noon))
	if got := get[store.Host](t)(s.Host(ctx, hostA)).LastSeen; !got.Equal(noon.Add(time.Hour)) {
		t.Errorf("last seen %v, want %v", got, noon.Add(time.Hour))
	}
	put(t, s, hostA, onHost(1, waptwua.StatusOK, waptwua.Allowed))
	must(t, s.DeleteHost(ctx, hostA))
	if us := get[[]store.HostUpdate](t)(s.HostUpdates(ctx, hostA)); len(us) != 0 {
		t.Errorf("updates left of a host that was deleted: %v", us)
	}
	if err := s.DeleteHost(ctx, hostA); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("deleting twice: %v, want ErrNotFound", err)
	}
}

func testHostQueries(t *testing.T, s store.Store) {
	ctx := t.Context()
	a, b := host(hostA, "Alpha_1"), host(hostB, "beta%2")
	b.Status, b.Standing, b.ReportedAt = waptwua.HostPending, store.Awaiting, noon
	must(t, s.PutHost(ctx, b))
	must(t, s.PutHost(ctx, a))
	put(t, s, hostA, onHost(1, waptwua.StatusOK, waptwua.Allowed), onHost(2, waptwua.StatusMissing, waptwua.Allowed))
	for _, c := range []struct {
		name string
		q    store.HostQuery
		want []string
	}{
		{"all, by name", store.HostQuery{}, []string{hostA, hostB}},
		{"part of name without case", store.HostQuery{Search: "ALPHA"}, []string{hostA}},
		{"percent is no wildcard", store.HostQuery{Search: "%"}, []string{hostB}},
		{"underscore is no wildcard", store.HostQuery{Search: "a_1"}, []string{hostA}},
		{"uuid", store.HostQuery{Search: "0000b"}, []string{hostB}},
		{"standing", store.HostQuery{Standing: store.Awaiting}, []string{hostB}},
		{"status", store.HostQuery{Status: waptwua.HostPending}, []string{hostB}},
		{"has missing", store.HostQuery{Has: waptwua.StatusMissing}, []string{hostA}},
		{"has this one", store.HostQuery{Has: waptwua.StatusMissing, Update: id(2)}, []string{hostA}},
		{"has not that one", store.HostQuery{Has: waptwua.StatusMissing, Update: id(1)}, nil},
		{"has or needs this one", store.HostQuery{Update: id(1)}, []string{hostA}},
		{"no match", store.HostQuery{Search: "gamma"}, nil},
		{"by name, falling", store.HostQuery{Descending: true}, []string{hostB, hostA}},
		{"by status, falling", store.HostQuery{Sort: store.HostsByStatus, Descending: true}, []string{hostB, hostA}},
		{"most missing first", store.HostQuery{Sort: store.HostsByMissing, Descending: true}, []string{hostA, hostB}},
		{"fewest missing first", store.HostQuery{Sort: store.HostsByMissing}, []string{hostB, hostA}},
		{"last report first, none last", store.HostQuery{Sort: store.HostsByReport, Descending: true}, []string{hostB, hostA}},
		{"unknown order: by name", store.HostQuery{Sort: "no such"}, []string{hostA, hostB}},
	} {
		t.Run(c.name, func(t *testing.T) {
			hs, n, err := s.ListHosts(ctx, c.q)
			must(t, err)
			var got []string
			for _, h := range hs {
				got = append(got, h.UUID)
			}
			if d := cmp.Diff(c.want, got); d != "" || n != len(c.want) {
				t.Errorf("total %d; hosts (-want +got):\n%s", n, d)
			}
		})
	}
	hs, n, err := s.ListHosts(ctx, store.HostQuery{Page: store.Page{Limit: 1, Offset: 1}})
	must(t, err)
	if len(hs) != 1 || hs[0].UUID != hostB || n != 2 {
		t.Errorf("second page: %d of %d hosts: %+v", len(hs), n, hs)
	}
	want := map[waptwua.Status]int{waptwua.StatusOK: 1, waptwua.StatusMissing: 1}
	if d := cmp.Diff(want, get[store.Host](t)(s.Host(ctx, hostA)).Tally); d != "" {
		t.Errorf("tally (-want +got):\n%s", d)
	}
}

func testHostUpdates(t *testing.T, s store.Store) {
	ctx := t.Context()
	must(t, s.PutHost(ctx, host(hostA, "pc1")))
	failed := onHost(1, waptwua.StatusError, waptwua.Allowed)
	failed.Failure = &waptwua.Failure{HResult: 0x80240017, Sentence: "it did not apply\x00", At: noon, Attempts: 2}
	fine := onHost(2, waptwua.StatusOK, waptwua.Allowed)
	fine.Verified = noon
	put(t, s, hostA, fine, failed)
	got := get[[]store.HostUpdate](t)(s.HostUpdates(ctx, hostA))
	if len(got) != 2 {
		t.Fatalf("got %d updates, want 2", len(got))
	}
	if d := cmp.Diff([]waptwua.OnHost{failed, fine}, []waptwua.OnHost{got[0].Record, got[1].Record}); d != "" {
		t.Errorf("the failed one first, unchanged (-want +got):\n%s", d)
	}
	fine.Status = waptwua.StatusReboot
	must(t, s.ChangeHostUpdates(ctx, hostA, []store.HostUpdate{store.NewHostUpdate(hostA, fine)}, []waptwua.UpdateID{id(1), id(9)}))
	rows, n, err := s.HostsOfUpdate(ctx, id(2), store.Page{})
	must(t, err)
	if n != 1 || rows[0].HostName != "pc1" || rows[0].Effective != waptwua.StatusReboot {
		t.Errorf("hosts of the update: %d, %+v", n, rows)
	}
	must(t, s.ClearHostUpdates(ctx, hostA))
	if left := get[[]store.HostUpdate](t)(s.HostUpdates(ctx, hostA)); len(left) != 0 {
		t.Errorf("left after clearing: %+v", left)
	}
}

func testEffective(t *testing.T, s store.Store) {
	ctx := t.Context()
	must(t, s.PutHost(ctx, host(hostA, "pc1")))
	status := func(n int) waptwua.Status {
		for _, u := range get[[]store.HostUpdate](t)(s.HostUpdates(ctx, hostA)) {
			if u.GUID == id(n).GUID {
				return u.Effective
			}
		}
		return ""
	}
	expect := func(when string, n int, want waptwua.Status) {
		t.Helper()
		if got := status(n); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	held := onHost(2, waptwua.StatusPending, waptwua.Allowed)
	held.Downloaded = true
	put(t, s, hostA, onHost(1, waptwua.StatusMissing, waptwua.Allowed), held, onHost(3, waptwua.StatusPending, waptwua.Allowed))
	expect("files unknown", 1, waptwua.StatusMissing)
	expect("host holds the files", 2, waptwua.StatusPending)
	expect("reported pending, but the server has no files", 3, waptwua.StatusMissing)
	must(t, s.SetUpdateFiles(ctx, id(1), []waptwua.File{file(1), file(2)}, noon))
	must(t, s.SetPresence(ctx, file(1).StoredName(), noon))
	expect("one of two files", 1, waptwua.StatusMissing)
	must(t, s.SetPresence(ctx, file(2).StoredName(), noon))
	expect("both files", 1, waptwua.StatusPending)
	must(t, s.SetPresence(ctx, file(1).StoredName(), time.Time{}))
	expect("a file is gone again", 1, waptwua.StatusMissing)
	must(t, s.SetUpdateFiles(ctx, id(3), nil, noon))
	expect("needs no files", 3, waptwua.StatusPending)
}

func testCounts(t *testing.T, s store.Store) {
	ctx := t.Context()
	c := host("00000000-0000-0000-0000-00000000000c", "silent")
	c.LastSeen = noon.Add(-48 * time.Hour)
	d := host("00000000-0000-0000-0000-00000000000d", "never")
	d.ScannedAt = time.Time{}
	e := host("00000000-0000-0000-0000-00000000000e", "failed")
	e.ScanError = "invalid scan file"
	f := host("00000000-0000-0000-0000-00000000000f", "waiting")
	f.Standing = store.Awaiting
	for _, h := range []store.Host{host(hostA, "a"), host(hostB, "b"), c, d, e, f} {
		must(t, s.PutHost(ctx, h))
	}
	put(t, s, hostA, onHost(1, waptwua.StatusOK, waptwua.Allowed), onHost(2, waptwua.StatusDiscarded, waptwua.Denied))
	put(t, s, hostB, onHost(1, waptwua.StatusMissing, waptwua.Allowed))
	put(t, s, f.UUID, onHost(3, waptwua.StatusMissing, waptwua.Allowed))
	got := get[store.HostSummary](t)(s.CountHosts(ctx, noon.Add(-24*time.Hour)))
	want := store.HostSummary{Enrolled: 5, Awaiting: 1, ByStatus: map[waptwua.HostStatus]int{waptwua.HostOK: 5},
		Compliant: 1, Wanting: 1, Silent: 1, NeverScan: 1, ScanFails: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	for c, want := range map[store.Condition]string{store.IsCompliant: "a", store.IsWanting: "b", store.IsSilent: "silent",
		store.IsNeverScanned: "never", store.IsScanFailed: "failed"} {
		hs, n, err := s.ListHosts(ctx, store.HostQuery{Condition: c, SilentBefore: noon.Add(-24 * time.Hour)})
		must(t, err)
		if n != 1 || hs[0].Name != want {
			t.Errorf("hosts %s: %d, %+v; want %s alone", c, n, hs, want)
		}
	}
	us := get[store.UpdateSummary](t)(s.CountUpdates(ctx))
	pairs := map[waptwua.Status]int{waptwua.StatusOK: 1, waptwua.StatusMissing: 1, waptwua.StatusDiscarded: 1}
	if diff := cmp.Diff(store.UpdateSummary{Seen: 3, OnHosts: pairs, Distinct: pairs}, us); diff != "" {
		t.Errorf("updates (-want +got):\n%s", diff)
	}
}
