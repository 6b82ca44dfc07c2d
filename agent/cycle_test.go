package agent_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/agenttest"
	"waptwua/transport"
	"waptwua/wua"
)

func TestWholeCycle(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offerOnly(1, waptwua.Update{Severity: waptwua.Critical})

	r.download()
	r.wantStatus(id, waptwua.StatusMissing)
	if s := r.held().Status; s != waptwua.HostPending {
		t.Errorf("host status %q, want PENDING_UPDATES", s)
	}
	r.publish(id)
	r.download()
	if u := r.wantStatus(id, waptwua.StatusPending); !u.Downloaded {
		t.Error("the file is on the host, and the server does not know")
	}
	r.install()
	u := r.wantStatus(id, waptwua.StatusOK)
	if u.Installed.IsZero() || u.Verified.IsZero() || r.held().Status != waptwua.HostOK {
		t.Errorf("after the installation: %+v, host %q", u, r.held().Status)
	}
	h := r.held().Host
	if h.UUID != hostID || h.Name != "pc1.example.org" || h.OS == "" || h.AgentVersion != "1.0" {
		t.Errorf("host described as %+v", h)
	}
	r.do(func(ctx context.Context) error { return r.agent().Download(ctx, agent.ScanOptions{Force: true}) })
	if left, err := os.ReadDir(filepath.Join(r.dir, "cache", "files")); err != nil || len(left) != 0 {
		t.Errorf("files of an installed update stay in the cache: %v, %v", left, err)
	}
}

func TestNoSearchWhenNothingChanged(t *testing.T) {
	changes := map[string]func(*rig){
		"new archive": func(r *rig) { r.server.SetArchive([]byte("the scan archive of August")) },
		"new rules": func(r *rig) {
			a := newAdmin(r.t)
			a.trustedBy(r)
			r.server.SetRules(a.sign("rules", 1, `{"forbidden_kbs":["KB1"]}`))
		},
		"new settings":   func(r *rig) { r.ini += "forbidden_kbs = KB2\n" },
		"another filter": func(r *rig) { r.ini += "filter = IsInstalled=0\n" },
		"a delay passed": func(r *rig) { r.clock.Advance(8 * 24 * time.Hour) },
		"somebody else installed": func(r *rig) {
			id := r.host.Updates[0].ID
			err := r.host.Stage(r.t.Context(), id, []string{filepath.Join(r.dir, "state.json")})
			if _, ierr := r.host.Install(r.t.Context(), []waptwua.UpdateID{id}, nil); errors.Join(err, ierr) != nil {
				r.t.Fatal(err, ierr)
			}
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.ini += "install_delay = 7d\n"
			r.register()
			r.offer(1, waptwua.Update{Published: r.clock.Now()})
			r.scan()
			before := r.host.Searches()
			if err := r.agent().Scan(t.Context(), agent.ScanOptions{}); !errors.Is(err, waptwua.ErrUnchanged) || r.host.Searches() != before {
				t.Fatalf("nothing has changed: %v, %d searches", err, r.host.Searches()-before)
			}
			change(r)
			if err := r.agent().Scan(t.Context(), agent.ScanOptions{}); err != nil || r.host.Searches() != before+1 {
				t.Fatalf("after the change: %v, %d searches, want 1", err, r.host.Searches()-before)
			}
		})
	}
}

func TestUnchangedScanIsCheap(t *testing.T) {
	r := newRig(t)
	r.register()
	r.offer(1, waptwua.Update{})
	r.download()
	r.server.Requests()
	if err := r.agent().Scan(t.Context(), agent.ScanOptions{}); !errors.Is(err, waptwua.ErrUnchanged) {
		t.Fatal(err)
	}
	want := []string{"GET " + transport.PathRules, "GET " + transport.PathFiles + transport.ArchiveName, "POST " + transport.PathReport}
	if got := r.server.Requests(); !slices.Equal(got, want) {
		t.Errorf("requests %v, want %v", got, want)
	}
}

func TestVerdictsAndHiding(t *testing.T) {
	r := newRig(t)
	r.ini = "enabled = true\nallowed_severities = Critical\nforbidden_kbs = KB13\ninstall_delay = 7d\n"
	r.register()
	old := r.clock.Now().Add(-30 * 24 * time.Hour)
	allowed := r.offer(1, waptwua.Update{Severity: waptwua.Critical, Published: old})
	forbidden := r.offer(2, waptwua.Update{Severity: waptwua.Critical, Published: old, KBs: []waptwua.KB{13}})
	other := r.offer(3, waptwua.Update{Severity: waptwua.Low, Published: old})
	held := r.offer(4, waptwua.Update{Severity: waptwua.Critical, Published: r.clock.Now()})
	r.scan()
	for id, want := range map[waptwua.UpdateID]struct {
		status waptwua.Status
		reason string
		hidden bool
	}{
		allowed:   {waptwua.StatusPending, "allowed_severities", false},
		forbidden: {waptwua.StatusDiscarded, "forbidden_kbs", true},
		other:     {waptwua.StatusDiscarded, "default_allow", true},
		held:      {waptwua.StatusDiscarded, "install_delay", true},
	} {
		if u := r.wantStatus(id, want.status); u.Verdict.Reason != want.reason || r.host.Hidden(id) != want.hidden {
			t.Errorf("%s: %+v, hidden %v; want %+v", id, u.Verdict, r.host.Hidden(id), want)
		}
	}
	r.install()
	if calls := r.host.Calls(); len(calls) != 1 || !slices.Equal(calls[0], []waptwua.UpdateID{allowed}) {
		t.Errorf("installed %v, want only %s", calls, allowed)
	}

	r.ini = strings.Replace(r.ini, "enabled = true", "enabled = false", 1)
	r.scan()
	for _, id := range []waptwua.UpdateID{forbidden, other, held} {
		if r.host.Hidden(id) {
			t.Errorf("%s stays hidden although Windows Update was given back", id)
		}
	}
	if err := r.agent().Install(t.Context(), agent.InstallOptions{}); !errors.Is(err, agent.ErrNotEnabled) {
		t.Errorf("install although not enabled: %v", err)
	}
}

func TestUnsetTouchesNothing(t *testing.T) {
	r := newRig(t)
	r.ini = "default_allow = false\n"
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.scan()
	r.wantStatus(id, waptwua.StatusDiscarded)
	if r.host.Hidden(id) {
		t.Error("an update was hidden although enabled is not set")
	}
}

func TestInstallOutcomes(t *testing.T) {
	r := newRig(t)
	r.register()
	good := r.offer(1, waptwua.Update{})
	bad := r.offer(2, waptwua.Update{})
	liar := r.offer(3, waptwua.Update{})
	unstaged := r.offer(4, waptwua.Update{})
	restart := r.offer(5, waptwua.Update{})
	r.host.Fail = map[waptwua.UpdateID]wua.Code{bad: 0x80070005}
	r.host.Lie = map[waptwua.UpdateID]bool{liar: true}
	r.host.StageNo = map[waptwua.UpdateID]wua.Code{unstaged: wua.IncorrectFileHash}
	r.host.Restart = map[waptwua.UpdateID]bool{restart: true}
	r.install()

	r.wantStatus(good, waptwua.StatusOK)
	if u := r.wantStatus(bad, waptwua.StatusError); u.Failure.HResult != 0x80070005 || u.Failure.Sentence == "" || u.Failure.Attempts != 1 {
		t.Errorf("failure %+v", u.Failure)
	}
	if u := r.wantStatus(liar, waptwua.StatusError); !strings.Contains(u.Failure.Sentence, "still offers") {
		t.Errorf("failure %+v", u.Failure)
	}
	if u := r.wantStatus(unstaged, waptwua.StatusError); u.Failure.HResult != uint32(wua.IncorrectFileHash) {
		t.Errorf("failure %+v", u.Failure)
	}
	if u := r.wantStatus(restart, waptwua.StatusReboot); !u.Verified.IsZero() {
		t.Error("verified before the restart")
	}
	if s := r.held(); s.Status != waptwua.HostError || len(s.Reboot) == 0 {
		t.Errorf("host %q, restart %v", s.Status, s.Reboot)
	}

	if err := r.agent().Install(t.Context(), agent.InstallOptions{}); !errors.Is(err, agent.ErrRestartFirst) {
		t.Errorf("install while a restart is due: %v", err)
	}
	if err := r.host.Reboot(); err != nil {
		t.Fatal(err)
	}
	r.do(func(ctx context.Context) error { return r.agent().Scan(ctx, agent.ScanOptions{}) })
	if u := r.wantStatus(restart, waptwua.StatusOK); u.Verified.IsZero() {
		t.Error("not verified after the restart")
	}
	r.wantStatus(bad, waptwua.StatusError)
}

func TestRetriesWithBackOffAndLimit(t *testing.T) {
	r := newRig(t)
	r.change = func(o *agent.Options) { o.RetryInstall = time.Hour }
	r.register()
	bad := r.offer(1, waptwua.Update{})
	r.host.Fail = map[waptwua.UpdateID]wua.Code{bad: 0x80070005}
	r.install()
	for n, wait := range []time.Duration{1, 2, 4, 8} {
		r.clock.Advance(wait*time.Hour - time.Second)
		r.install()
		if got := len(r.host.Calls()); got != n+1 {
			t.Fatalf("attempt %d came before its time", got)
		}
		r.clock.Advance(time.Second)
		r.install()
		if got := len(r.host.Calls()); got != n+2 {
			t.Fatalf("%d attempts after the wait, want %d", got, n+2)
		}
	}
	r.clock.Advance(30 * 24 * time.Hour)
	r.install()
	if got := len(r.host.Calls()); got != 5 {
		t.Fatalf("%d attempts, the limit is 5", got)
	}
	r.host.Fail = nil
	r.do(func(ctx context.Context) error { return r.agent().Install(ctx, agent.InstallOptions{Force: true}) })
	if u := r.wantStatus(bad, waptwua.StatusOK); u.Failure != nil {
		t.Errorf("still a failure: %+v", u.Failure)
	}
}

func TestOrderOfInstallation(t *testing.T) {
	r := newRig(t)
	r.register()
	exclusive := r.offer(1, waptwua.Update{Exclusive: true})
	newer := r.offer(2, waptwua.Update{Published: r.clock.Now()})
	older := r.offer(3, waptwua.Update{Published: r.clock.Now().Add(-time.Hour)})
	stack := r.offer(4, waptwua.Update{Title: "2026-11 Servicing Stack Update for Windows 11", Published: r.clock.Now()})
	r.install()
	want := [][]waptwua.UpdateID{{stack}, {older, newer}, {exclusive}}
	if got := r.host.Calls(); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("order %v\nwant  %v", got, want)
	}
}

// A servicing stack comes first also when it must be installed alone, and
// whatever language titles have on the host.
func TestServicingStackComesFirst(t *testing.T) {
	french := waptwua.Update{Title: "2026-11 Mise à jour de la pile de maintenance pour Windows 10"}
	leaf := func(r *rig, id waptwua.UpdateID, kinds ...string) transport.LeafFiles {
		l := transport.LeafFiles{ID: id, Handler: "Cbs", Route: transport.RouteWUA}
		for _, kind := range kinds {
			f := agenttest.FileOf(kind+".cab", []byte(kind))
			r.server.SetFile(f.StoredName(), []byte(kind))
			f.Kind = kind
			l.Files = append(l.Files, f)
		}
		return l
	}
	for name, c := range map[string]struct {
		about waptwua.Update
		title string
		kinds []string
		first bool
	}{
		"alone":                        {waptwua.Update{Title: "Servicing Stack Update", Exclusive: true}, "", []string{"SelfContained"}, true},
		"by its English title":         {french, "2026-11 Servicing Stack Update for Windows 10", []string{"SelfContained"}, true},
		"by the kind of its files":     {french, "", []string{"ServicingStack", "Metadata"}, true},
		"not when it brings one along": {waptwua.Update{}, "2026-11 Cumulative Update", []string{"ServicingStack", "SelfContained"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.register()
			ordinary, stack := r.offer(1, waptwua.Update{}), r.offer(2, c.about)
			r.server.StateTitled(t, stack, c.title, leaf(r, stack, c.kinds...))
			r.install()
			want := [][]waptwua.UpdateID{{stack}, {ordinary}}
			if !c.first {
				want = [][]waptwua.UpdateID{{ordinary, stack}}
			}
			if got := r.host.Calls(); !slices.EqualFunc(got, want, slices.Equal) {
				t.Errorf("order %v\nwant  %v", got, want)
			}
		})
	}
}

// After one that was installed alone and asks for a restart, all others wait.
func TestAllWaitAfterAnExclusiveUpdate(t *testing.T) {
	r := newRig(t)
	r.register()
	stack := r.offer(1, waptwua.Update{Title: "Servicing Stack Update", Exclusive: true})
	other := r.offer(2, waptwua.Update{})
	r.host.Restart = map[waptwua.UpdateID]bool{stack: true}
	r.install()
	r.wantStatus(stack, waptwua.StatusReboot)
	r.wantStatus(other, waptwua.StatusPending)
}

func TestExclusiveUpdateWaitsForTheRestart(t *testing.T) {
	r := newRig(t)
	r.register()
	exclusive := r.offer(1, waptwua.Update{Exclusive: true})
	first := r.offer(2, waptwua.Update{})
	r.host.Restart = map[waptwua.UpdateID]bool{first: true}
	r.install()
	if calls := r.host.Calls(); len(calls) != 1 || calls[0][0] != first {
		t.Fatalf("installed %v, want only %s before the restart", calls, first)
	}
	if err := r.host.Reboot(); err != nil {
		t.Fatal(err)
	}
	r.install()
	r.wantStatus(exclusive, waptwua.StatusOK)
}

func TestRemovedUpdateIsNeededAgain(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.install()
	r.wantStatus(id, waptwua.StatusOK)
	if err := r.host.Remove(id); err != nil {
		t.Fatal(err)
	}
	r.scan()
	if u := r.wantStatus(id, waptwua.StatusPending); u.Failure != nil || !u.Installed.IsZero() {
		t.Errorf("an update that somebody removed: %+v", u)
	}
}

func TestOfferedNoMoreCountsAsVerified(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.install()
	r.host.Updates = nil
	r.scan()
	r.wantStatus(id, waptwua.StatusOK)
	never := r.offer(2, waptwua.Update{})
	r.scan()
	r.host.Updates = nil
	r.scan()
	if _, ok := r.held().Updates[never]; ok {
		t.Error("an update that was never installed and is offered no more is still reported")
	}
}

func TestSuperseded(t *testing.T) {
	r := newRig(t)
	r.ini += "include_potentially_superseded_updates = true\n"
	r.register()
	oldest := r.offer(1, waptwua.Update{})
	middle := r.offer(2, waptwua.Update{Supersedes: []string{oldest.GUID}})
	newest := r.offer(3, waptwua.Update{Supersedes: []string{middle.GUID}})
	r.scan()
	r.wantStatus(oldest, waptwua.StatusSuperseded)
	r.wantStatus(middle, waptwua.StatusSuperseded)
	r.wantStatus(newest, waptwua.StatusPending)
	r.install()
	if calls := r.host.Calls(); len(calls) != 1 || !slices.Equal(calls[0], []waptwua.UpdateID{newest}) {
		t.Errorf("installed %v, want only the newest", calls)
	}
}

func TestScanFailures(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.scan()
	at := r.held().Scan.At
	r.host.Broken = map[string]error{"search": &wua.Error{Op: "search", Code: wua.OutOfMemory}}
	r.clock.Advance(time.Hour)
	for n := 1; n <= 2; n++ {
		if err := r.agent().Scan(t.Context(), agent.ScanOptions{Force: true}); err == nil {
			t.Fatal("no error")
		}
		s := r.held()
		if s.Scan.Error == nil || s.Scan.Error.HResult != uint32(wua.OutOfMemory) || s.Scan.Error.Attempts != n || !s.Scan.At.Equal(at) || s.Status != waptwua.HostError {
			t.Fatalf("after failure %d: %+v, host %q", n, s.Scan, s.Status)
		}
	}
	r.wantStatus(id, waptwua.StatusPending) // what was known stays known, with its age
	r.host.Broken = nil
	r.do(func(ctx context.Context) error { return r.agent().Scan(ctx, agent.ScanOptions{}) })
	if s := r.held(); s.Scan.Error != nil || s.Scan.At.Equal(at) {
		t.Errorf("after the repair: %+v", s.Scan)
	}
}

// The history only spares searches: without it one is made each time.
func TestScanWithoutHistory(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.host.Broken = map[string]error{"history": &wua.Error{Op: "history", Code: 0x80248007}}
	for n := range 2 {
		r.do(func(ctx context.Context) error { return r.agent().Scan(ctx, agent.ScanOptions{}) })
		if got := r.host.Searches(); got != n+1 {
			t.Errorf("%d searches after %d scans", got, n+1)
		}
	}
	r.install()
	r.wantStatus(id, waptwua.StatusOK)
	r.host.Broken = nil
	r.do(func(ctx context.Context) error { return r.agent().Scan(ctx, agent.ScanOptions{}) }) // sees the history again
	if err := r.agent().Scan(t.Context(), agent.ScanOptions{}); !errors.Is(err, waptwua.ErrUnchanged) {
		t.Errorf("afterwards: %v", err)
	}
}

func TestProblemsOfSettingsAreReported(t *testing.T) {
	r := newRig(t)
	r.ini = "enabled = true\ndefault_allow = true\ninstall_delay = soon\n"
	r.register()
	id := r.offer(1, waptwua.Update{Published: r.clock.Now().AddDate(-1, 0, 0)})
	r.scan()
	if u := r.wantStatus(id, waptwua.StatusDiscarded); u.Verdict.Decision != waptwua.Held {
		t.Errorf("verdict %+v, want held", u.Verdict)
	}
	if p := r.held().Problems; len(p) != 1 || !strings.Contains(p[0], "install_delay") {
		t.Errorf("problems %v", p)
	}
}

func TestBusy(t *testing.T) {
	r := newRig(t)
	r.register()
	r.offer(1, waptwua.Update{})
	var other error
	r.change = func(o *agent.Options) {
		o.Reached = func(step string) {
			if step == "scan begin" {
				r.change = nil
				other = r.agent().Scan(t.Context(), agent.ScanOptions{})
			}
		}
	}
	a := r.agent()
	r.host.Broken = map[string]error{}
	if err := a.Scan(t.Context(), agent.ScanOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(other, agent.ErrBusy) {
		t.Errorf("a second agent in the same folder: %v, want ErrBusy", other)
	}
}

func TestServerGone(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.download()
	r.server.Refuse(func(http.ResponseWriter, *http.Request) int { return http.StatusServiceUnavailable })
	if err := r.agent().Install(t.Context(), agent.InstallOptions{}); !errors.Is(err, agent.ErrNotReported) {
		t.Fatalf("with everything at hand: %v, want ErrNotReported", err)
	}
	if len(r.host.Calls()) != 1 {
		t.Fatal("the installation waits for the server")
	}
	r.server.Refuse(nil)
	r.do(r.agent().Report)
	r.wantStatus(id, waptwua.StatusOK)
}
