package storetest

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/store"
)

func testDownloads(t *testing.T, s store.Store) {
	ctx := t.Context()
	d := store.Download{StoredName: "f", State: store.Pending, CreatedAt: noon, Total: 1 << 40}
	var err error
	d.ID, err = s.AddDownload(ctx, d)
	must(t, err)
	second := get[int64](t)(s.AddDownload(ctx, store.Download{StoredName: "g", State: store.Failed, FinishedAt: noon}))
	if second <= d.ID {
		t.Errorf("ids do not rise: %d after %d", second, d.ID)
	}
	d.State, d.Done = store.Running, 7
	must(t, s.PutDownload(ctx, d))
	if diff := cmp.Diff(d, get[store.Download](t)(s.PendingDownload(ctx, "f"))); diff != "" {
		t.Errorf("running (-want +got):\n%s", diff)
	}
	if _, err := s.PendingDownload(ctx, "g"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("a failed one as pending: %v", err)
	}
	must(t, s.BreakDownloads(ctx, noon))
	ds, n, err := s.ListDownloads(ctx, store.DownloadQuery{State: store.Broken})
	must(t, err)
	if n != 1 || ds[0].ID != d.ID {
		t.Errorf("interrupted: %+v", ds)
	}
	if n := get[int](t)(s.DropDownloads(ctx, noon.Add(time.Second))); n != 2 {
		t.Errorf("dropped %d, want 2", n)
	}
	if err := s.PutDownload(ctx, d); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("writing what was dropped: %v", err)
	}
}

func testRuns(t *testing.T, s store.Store) {
	ctx := t.Context()
	r := store.Run{Kind: "clean-up", Reason: "schedule", State: store.Running, StartedAt: noon, Total: -1}
	var err error
	r.ID, err = s.AddRun(ctx, r)
	must(t, err)
	r.Result = json.RawMessage(`{"removed":2}`)
	must(t, s.PutRun(ctx, r))
	must(t, s.BreakRuns(ctx, noon))
	get[int64](t)(s.AddRun(ctx, store.Run{Kind: "expiry", State: store.Finished}))
	rs, n, err := s.ListRuns(ctx, store.RunQuery{Kind: "clean-up"})
	must(t, err)
	r.State, r.FinishedAt, r.Error = store.Broken, noon, rs[0].Error
	if d := cmp.Diff([]store.Run{r}, rs); d != "" || n != 1 || r.Error == "" {
		t.Errorf("runs (-want +got):\n%s", d)
	}
}

func testTokens(t *testing.T, s store.Store) {
	ctx := t.Context()
	tok := store.Token{ID: "t1", Digest: "d1", Kind: "enrol", CreatedAt: noon, ExpiresAt: noon.Add(time.Hour), UsesLeft: 1}
	must(t, s.PutToken(ctx, tok))
	tok.UsesLeft = 0
	must(t, s.PutToken(ctx, tok))
	if d := cmp.Diff(tok, get[store.Token](t)(s.TokenByDigest(ctx, "d1"))); d != "" {
		t.Errorf("round trip (-want +got):\n%s", d)
	}
	if _, err := s.TokenByDigest(ctx, "d2"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("unknown token: %v", err)
	}
	must(t, s.PutToken(ctx, store.Token{ID: "forever", Digest: "d3"}))
	if n := get[int](t)(s.DropTokens(ctx, noon.Add(2*time.Hour))); n != 1 {
		t.Errorf("dropped %d, want 1", n)
	}
	if ts := get[[]store.Token](t)(s.ListTokens(ctx)); len(ts) != 1 || ts[0].ID != "forever" {
		t.Errorf("left: %+v", ts)
	}
}

func testAccounts(t *testing.T, s store.Store) {
	ctx := t.Context()
	u := store.User{Name: "ada", Password: "$argon2id$", Role: "viewer", MustChange: true, CreatedAt: noon}
	must(t, s.AddUser(ctx, u))
	if err := s.AddUser(ctx, u); !errors.Is(err, waptwua.ErrConflict) {
		t.Errorf("adding twice: %v, want ErrConflict", err)
	}
	u.Role, u.Epoch = "operator", 2
	must(t, s.PutUser(ctx, u))
	if d := cmp.Diff([]store.User{u}, get[[]store.User](t)(s.ListUsers(ctx))); d != "" {
		t.Errorf("users (-want +got):\n%s", d)
	}
	if err := s.PutUser(ctx, store.User{Name: "bob"}); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("changing nobody: %v, want ErrNotFound", err)
	}
}

func testSessions(t *testing.T, s store.Store) {
	ctx := t.Context()
	must(t, s.PutSession(ctx, "d", []byte{0, 1, 2}, noon))
	must(t, s.PutSession(ctx, "d", []byte{0, 1, 3}, noon.Add(time.Hour)))
	if d := cmp.Diff([]byte{0, 1, 3}, get[[]byte](t)(s.FindSession(ctx, "d", noon))); d != "" {
		t.Errorf("value (-want +got):\n%s", d)
	}
	if _, err := s.FindSession(ctx, "d", noon.Add(time.Hour)); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("expired session: %v", err)
	}
	if n := get[int](t)(s.DropSessions(ctx, noon.Add(2*time.Hour))); n != 1 {
		t.Errorf("dropped %d, want 1", n)
	}
	must(t, s.DeleteSession(ctx, "d"))
}

func testRules(t *testing.T, s store.Store) {
	ctx := t.Context()
	for _, p := range []store.RulePackage{
		{Name: "b", Version: 1, Envelope: "{}", Digest: "b1"},
		{Name: "a", Version: 2, Envelope: "{}", Digest: "a2", CreatedAt: noon},
		{Name: "a", Version: 1, Envelope: "{}", Digest: "a1"},
	} {
		must(t, s.PutRules(ctx, p))
	}
	expect := func(want ...string) {
		t.Helper()
		var got []string
		for _, p := range get[[]store.RulePackage](t)(s.CurrentRules(ctx)) {
			got = append(got, p.Digest)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("in force (-want +got):\n%s", d)
		}
	}
	expect("a2", "b1")
	p := get[store.RulePackage](t)(s.LatestRules(ctx, "a"))
	p.RemovedAt = noon
	must(t, s.PutRules(ctx, p))
	expect("b1") // an older version does not come back
	if _, err := s.LatestRules(ctx, "c"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("unknown package: %v", err)
	}
}

func testAudit(t *testing.T, s store.Store) {
	ctx := t.Context()
	if _, err := s.LastAudit(ctx); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("empty audit: %v, want ErrNotFound", err)
	}
	var all []store.AuditEntry
	for n := range int64(3) {
		e := store.AuditEntry{Seq: n + 1, At: noon, Actor: "ada", Action: "test"}
		all = append(all, e)
		must(t, s.AppendAudit(ctx, e))
	}
	if err := s.AppendAudit(ctx, all[2]); !errors.Is(err, waptwua.ErrConflict) {
		t.Errorf("same place twice: %v, want ErrConflict", err)
	}
	if d := cmp.Diff(all[1:], get[[]store.AuditEntry](t)(s.ListAudit(ctx, 1, 10))); d != "" {
		t.Errorf("list (-want +got):\n%s", d)
	}
	if last := get[store.AuditEntry](t)(s.LastAudit(ctx)); last.Seq != 3 {
		t.Errorf("last: %+v", last)
	}
}

func testSettings(t *testing.T, s store.Store) {
	ctx := t.Context()
	if _, err := s.Setting(ctx, "x"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("no value: %v, want ErrNotFound", err)
	}
	must(t, s.PutSetting(ctx, "x", "1"))
	must(t, s.PutSetting(ctx, "x", "2"))
	if v := get[string](t)(s.Setting(ctx, "x")); v != "2" {
		t.Errorf("value %q, want 2", v)
	}
}

func testRollback(t *testing.T, s store.Store) {
	ctx := t.Context()
	stop := errors.New("stop")
	err := s.Update(ctx, func(tx store.Records) error {
		must(t, tx.PutHost(ctx, host(hostA, "a")))
		must(t, tx.ChangeHostUpdates(ctx, hostA, []store.HostUpdate{store.NewHostUpdate(hostA, onHost(1, waptwua.StatusOK, waptwua.Allowed))}, nil))
		if _, err := tx.Host(ctx, hostA); err != nil {
			t.Errorf("a transaction does not see its own change: %v", err)
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Errorf("got %v, want the function's own error", err)
	}
	if _, err := s.Host(ctx, hostA); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("after a rollback: %v, want ErrNotFound", err)
	}
}

func testReaders(t *testing.T, s store.Store) {
	ctx := t.Context()
	must(t, s.Update(ctx, func(tx store.Records) error {
		must(t, tx.PutHost(ctx, host(hostA, "a")))
		if _, err := s.Host(ctx, hostA); !errors.Is(err, waptwua.ErrNotFound) {
			t.Errorf("a reader beside a transaction: %v, want the state before", err)
		}
		return nil
	}))
	get[store.Host](t)(s.Host(ctx, hostA))
}
