package agent_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/agenttest"
	"waptwua/agent/journal"
	"waptwua/transport"
	"waptwua/wua"
)

// offerPackages makes the host offer an OSInstaller update, and the server
// have its packages; the last one is the update's own.
func (r *rig) offerPackages(n int, about waptwua.Update, names ...string) waptwua.UpdateID {
	r.t.Helper()
	about.Handler = "OSInstaller"
	id := r.offerOnly(n, about)
	var files []waptwua.File
	for _, name := range names {
		content := []byte("package " + name)
		f := agenttest.FileOf(name, content)
		r.server.SetFile(f.StoredName(), content)
		files = append(files, f)
	}
	r.server.StateLeaves(r.t, id, transport.LeafFiles{ID: id, Handler: about.Handler, Route: transport.RouteDISM, Files: files})
	if r.host.PackageOf == nil {
		r.host.PackageOf = map[string]waptwua.UpdateID{}
	}
	r.host.PackageOf[names[len(names)-1]] = id
	return id
}

// reboot restarts the host: the agent after it knows when.
func (r *rig) reboot() {
	r.t.Helper()
	r.clock.Advance(5 * time.Minute)
	r.booted = r.clock.Now()
	if err := r.host.Reboot(); err != nil {
		r.t.Fatal(err)
	}
	r.clock.Advance(time.Minute)
}

// phases are the steps that the server knows of an update.
func (r *rig) phases(id waptwua.UpdateID) string {
	r.t.Helper()
	var words []string
	last := time.Time{}
	for _, s := range r.held().Updates[id].Steps {
		if s.At.Before(last) || s.At.IsZero() {
			r.t.Errorf("step %s at %v comes before the one before it", s.Phase, s.At)
		}
		last = s.At
		words = append(words, strings.TrimSpace(string(s.Phase)+" "+s.Note))
	}
	return strings.Join(words, ", ")
}

func (r *rig) wantPhases(id waptwua.UpdateID, want string) {
	r.t.Helper()
	if got := r.phases(id); got != want {
		r.t.Errorf("steps of %s\n%s\nwant\n%s", id, got, want)
	}
}

const (
	upToInstalling = "needed, downloading, downloaded, installing"
	upToWaiting    = upToInstalling + ", installed-waiting-for-reboot"
)

func TestStepsOfAnInstallation(t *testing.T) {
	r := newRig(t)
	r.booted = r.clock.Now().Add(-time.Hour)
	r.register()
	there := r.offer(1, waptwua.Update{})
	r.host.Updates[0].Uninstallable = true
	if err := errors.Join(r.host.Stage(t.Context(), there, []string{filepath.Join(r.dir, "private", "host.key")})); err != nil {
		t.Fatal(err)
	}
	if _, err := r.host.Install(t.Context(), []waptwua.UpdateID{there}, nil); err != nil {
		t.Fatal(err)
	}
	plain, restart := r.offer(2, waptwua.Update{}), r.offer(3, waptwua.Update{})
	absent := r.offerOnly(4, waptwua.Update{})
	r.host.Restart = map[waptwua.UpdateID]bool{restart: true}
	r.scan()
	r.wantPhases(there, "")
	r.wantPhases(plain, "needed")
	r.clock.Advance(time.Hour)
	r.download()
	r.wantPhases(plain, "needed, downloading, downloaded")
	r.wantPhases(absent, "needed")
	r.clock.Advance(time.Hour)
	r.install()
	r.wantPhases(plain, upToInstalling+", verified")
	r.wantPhases(restart, upToWaiting)
	r.reboot()
	r.scan()
	r.wantPhases(restart, upToWaiting+", verified")
	if u := r.wantStatus(restart, waptwua.StatusOK); u.Way != (waptwua.Way{Tool: "wua", Why: waptwua.WayTakesFiles}) {
		t.Errorf("way %+v", u.Way)
	}
	if err := r.host.Remove(plain); err != nil {
		t.Fatal(err)
	}
	r.scan()
	r.wantPhases(plain, upToInstalling+", verified, needed, downloaded") // its file is still in the cache
}

// Where the start of the host is known, an update that waits for the restart
// is not verified before it, whatever Windows says.
func TestVerifiedOnlyAfterTheRestart(t *testing.T) {
	for name, after := range map[string]func(*rig, waptwua.UpdateID){
		"Windows says installed":      func(r *rig, _ waptwua.UpdateID) {},
		"the update is offered":       func(r *rig, id waptwua.UpdateID) { r.host.Lie = map[waptwua.UpdateID]bool{id: true} },
		"the update is not mentioned": func(r *rig, _ waptwua.UpdateID) { r.host.Updates = nil },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.booted = r.clock.Now().Add(-time.Hour)
			r.register()
			id := r.offer(1, waptwua.Update{})
			r.host.Restart = map[waptwua.UpdateID]bool{id: true}
			r.install()
			after(r, id)
			if err := r.host.Reboot(); err != nil { // the flag is cleared, and the host runs on
				t.Fatal(err)
			}
			r.scan()
			r.wantStatus(id, waptwua.StatusReboot)
			r.wantPhases(id, upToWaiting)
		})
	}
}

func TestRolledBackAtTheRestart(t *testing.T) {
	r := newRig(t)
	r.booted = r.clock.Now().Add(-time.Hour)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.host.Restart = map[waptwua.UpdateID]bool{id: true}
	r.host.Rollback = map[waptwua.UpdateID]wua.Code{id: wua.ServicingReverted}
	r.install()
	r.reboot()
	r.scan()
	u := r.wantStatus(id, waptwua.StatusError)
	r.wantPhases(id, upToWaiting+", rolled-back 0x800F0922")
	if u.Failure.HResult != uint32(wua.ServicingReverted) || !strings.Contains(u.Failure.Sentence, "took this update back") || u.Failure.Attempts != 1 {
		t.Errorf("failure %+v", u.Failure)
	}

	r.host.Rollback = nil
	r.clock.Advance(time.Hour)
	r.install()
	r.reboot()
	r.scan()
	r.wantStatus(id, waptwua.StatusOK)
	r.wantPhases(id, upToWaiting+", rolled-back 0x800F0922, installing, installed-waiting-for-reboot, verified")
}

func TestSucceededButStillOffered(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.host.Lie = map[waptwua.UpdateID]bool{id: true}
	r.install()
	r.wantStatus(id, waptwua.StatusError)
	r.wantPhases(id, upToInstalling+", failed")
	r.host.Lie, r.host.Fail = nil, map[waptwua.UpdateID]wua.Code{id: 0x80070005}
	r.clock.Advance(time.Hour)
	r.install()
	r.wantPhases(id, upToInstalling+", failed, installing, failed 0x80070005")
}

// An update that every restart takes back is not installed for ever.
func TestRollbackLoopEnds(t *testing.T) {
	r := newRig(t)
	r.booted = r.clock.Now().Add(-time.Hour)
	r.register()
	id, other := r.offer(1, waptwua.Update{}), r.offer(2, waptwua.Update{})
	r.host.Restart = map[waptwua.UpdateID]bool{id: true}
	r.host.Rollback = map[waptwua.UpdateID]wua.Code{id: wua.ServicingReverted}
	for range 6 {
		r.install()
		r.reboot()
		r.clock.Advance(48 * time.Hour)
		r.scan()
	}
	count, err := r.host.Log()
	if err != nil || count[id.String()] != 3 {
		t.Fatalf("installed %d times, want 3 (%v)", count[id.String()], err)
	}
	r.wantStatus(other, waptwua.StatusOK)
	if u := r.wantStatus(id, waptwua.StatusError); !strings.Contains(u.Failure.Sentence, "not tried again") || !strings.Contains(u.Failure.Remedy, "--force") {
		t.Errorf("failure %+v", u.Failure)
	}
	r.host.Rollback = nil
	r.do(func(ctx context.Context) error { return r.agent().Install(ctx, agent.InstallOptions{Force: true}) })
	r.reboot()
	r.scan()
	r.wantStatus(id, waptwua.StatusOK)
}

// A wish for a restart that no restart clears is reported, and does not keep
// the host from its updates.
func TestRestartLoopEnds(t *testing.T) {
	r := newRig(t)
	r.booted = r.clock.Now().Add(-time.Hour)
	r.register()
	r.host.Stuck = true
	id := r.offer(1, waptwua.Update{})
	for n := range 3 {
		if err := r.agent().Install(t.Context(), agent.InstallOptions{}); !errors.Is(err, agent.ErrRestartFirst) {
			t.Fatalf("after %d restarts: %v", n, err)
		}
		if r.held().RestartLoop != nil {
			t.Fatalf("a loop after %d restarts", n)
		}
		r.reboot()
	}
	r.install()
	r.wantStatus(id, waptwua.StatusOK)
	held := r.held()
	if held.RestartLoop == nil || held.RestartLoop.Attempts != 3 || held.Status != waptwua.HostError {
		t.Fatalf("loop %+v, host %s", held.RestartLoop, held.Status)
	}
	r.host.Stuck = false
	r.reboot()
	r.scan()
	if held = r.held(); held.RestartLoop != nil || held.Status != waptwua.HostOK {
		t.Errorf("after the repair: loop %+v, host %s", held.RestartLoop, held.Status)
	}
}

// Scans and restarts of the agent are no restarts of the host.
func TestOnlyRestartsCount(t *testing.T) {
	r := newRig(t)
	r.booted = r.clock.Now().Add(-time.Hour)
	r.register()
	r.host.Stuck = true
	for range 10 {
		r.booted = r.booted.Add(300 * time.Millisecond) // computed from the clock, it wavers
		r.scan()
	}
	if l := r.held().RestartLoop; l != nil {
		t.Errorf("loop %+v without a restart", l)
	}
}

// A start that is computed anew a week later lies elsewhere by seconds, and a
// restart soon after another one only by a second.
func TestStartsOfTheHostAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		up, apart time.Duration
		want      waptwua.Status
	}{
		"drift over a week":  {7 * 24 * time.Hour, 30 * time.Second, waptwua.StatusReboot},
		"restarts in a row":  {2 * time.Second, time.Second, waptwua.StatusOK},
		"restart after days": {7 * 24 * time.Hour, 7 * 24 * time.Hour, waptwua.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.booted = r.clock.Now().Add(-c.up)
			r.register()
			id := r.offer(1, waptwua.Update{})
			r.host.Restart = map[waptwua.UpdateID]bool{id: true}
			r.install()
			r.booted = r.booted.Add(c.apart)
			if err := r.host.Reboot(); err != nil {
				t.Fatal(err)
			}
			r.scan()
			r.wantStatus(id, c.want)
		})
	}
}

const (
	checkpoint = "windows11.0-kb5043080-x64.msu"
	cumulative = "windows11.0-kb5101650-x64.msu"
)

func TestPackageRoute(t *testing.T) {
	for name, c := range map[string]struct {
		names []string
		kb    waptwua.KB
		way   waptwua.Way
	}{
		"checkpoint and cumulative": {[]string{checkpoint, cumulative}, 5101650, waptwua.Way{Tool: "dism", Why: waptwua.WaySeveralPackages}},
		"by the highest KB":         {[]string{checkpoint, cumulative}, 1, waptwua.Way{Tool: "dism", Why: waptwua.WaySeveralPackages}},
		"single msu":                {[]string{cumulative}, 5101650, waptwua.Way{Tool: "wusa", Why: waptwua.WaySingleMSU}},
		"single cab":                {[]string{"windows11.0-kb5042098-x64-ndp481.cab"}, 5042098, waptwua.Way{Tool: "dism", Why: waptwua.WayCabinet}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.booted = r.clock.Now().Add(-time.Hour)
			r.register()
			id := r.offerPackages(1, waptwua.Update{KBs: []waptwua.KB{c.kb}}, c.names...)
			other := r.offer(2, waptwua.Update{})
			r.host.Restart = map[waptwua.UpdateID]bool{id: true}
			r.install()
			if u := r.wantStatus(id, waptwua.StatusReboot); u.Way != c.way {
				t.Errorf("way %+v, want %+v", u.Way, c.way)
			}
			r.wantPhases(id, upToWaiting)
			sets := r.host.Sets()
			if len(sets) != 1 || string(sets[0].Tool) != c.way.Tool || sets[0].Target != c.names[len(c.names)-1] {
				t.Fatalf("given to the tool: %+v", sets)
			}
			if calls := r.host.Calls(); len(calls) != 1 || !slices.Equal(calls[0], []waptwua.UpdateID{other}) {
				t.Errorf("given to WUA: %v", calls)
			}
			if _, err := os.Stat(filepath.Join(r.dir, "packages")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the folder of packages is still there: %v", err)
			}
			r.wantJournal(fmt.Sprintf("%s, because: %s; target %s", c.way.Tool, c.way.Why, c.names[len(c.names)-1]))
			r.reboot()
			r.scan()
			r.wantStatus(id, waptwua.StatusOK)
		})
	}
}

// wantJournal looks for the note of an installation.
func (r *rig) wantJournal(note string) {
	r.t.Helper()
	l, err := journal.OpenLog(filepath.Join(r.dir, "journal.log"))
	if err != nil {
		r.t.Fatal(err)
	}
	entries, err := l.Entries()
	if err != nil || !slices.ContainsFunc(entries, func(e journal.Entry) bool { return e.Step == journal.Installing && e.Note == note }) {
		r.t.Errorf("the journal does not say %q (%v)", note, err)
	}
}

func TestPackageFailures(t *testing.T) {
	for name, c := range map[string]struct {
		exit   uint32
		broken error
		change func(*agent.Options)
		code   uint32
		say    string
	}{
		"servicing stack": {exit: 0x800F0823, code: 0x800F0823, say: "servicing stack"},
		"not applicable":  {exit: 0x80240017, code: 0x80240017, say: "not"},
		"win32":           {exit: 5, code: 0x80070005},
		"no tool":         {broken: fmt.Errorf("starting dism: %w", waptwua.ErrNotFound), say: "dism"},
		"busy":            {broken: &wua.Error{Op: "servicing", Code: wua.OperationInProgress}, code: uint32(wua.OperationInProgress)},
		"no packager":     {change: func(o *agent.Options) { o.Packages = nil }, say: "dism.exe"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.change = c.change
			r.register()
			id := r.offerPackages(1, waptwua.Update{KBs: []waptwua.KB{5101650}}, checkpoint, cumulative)
			other := r.offer(2, waptwua.Update{})
			r.host.Exit = map[waptwua.UpdateID]uint32{id: c.exit}
			r.host.Broken = map[string]error{"packages": c.broken}
			r.install()
			u := r.wantStatus(id, waptwua.StatusError)
			if u.Failure.HResult != c.code || !strings.Contains(u.Failure.Sentence, c.say) {
				t.Errorf("failure %+v, want %#x and %q", u.Failure, c.code, c.say)
			}
			r.wantStatus(other, waptwua.StatusOK) // one bad update never blocks the rest
		})
	}
}

// A package that was changed in the cache is not installed.
func TestPackageIsVerifiedOnceMore(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offerPackages(1, waptwua.Update{KBs: []waptwua.KB{5101650}}, checkpoint, cumulative)
	r.download()
	files, err := filepath.Glob(filepath.Join(r.dir, "cache", "files", "*.msu"))
	if err != nil || len(files) != 2 {
		t.Fatalf("files in the cache: %v, %v", files, err)
	}
	content, err := os.ReadFile(files[0])
	if err == nil {
		err = os.WriteFile(files[0], append(content[:len(content)-1], '!'), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.install()
	if sets := r.host.Sets(); len(sets) != 0 {
		t.Errorf("installed: %+v", sets)
	}
	r.wantStatus(id, waptwua.StatusError)
}

func TestOrderOfWays(t *testing.T) {
	r := newRig(t)
	r.register()
	cab := r.offer(1, waptwua.Update{})
	second := r.offerPackages(2, waptwua.Update{Published: r.clock.Now(), KBs: []waptwua.KB{2}}, "kb2.msu")
	first := r.offerPackages(3, waptwua.Update{Published: r.clock.Now().Add(-time.Hour), KBs: []waptwua.KB{3}}, "kb3.msu")
	alone := r.offerPackages(4, waptwua.Update{Exclusive: true, KBs: []waptwua.KB{4}}, "kb4.msu")
	stack := r.offerPackages(5, waptwua.Update{Title: "Servicing Stack Update", KBs: []waptwua.KB{5}}, "kb5.msu")
	var order []string
	r.change = func(o *agent.Options) {
		o.Reached = func(step string) {
			if step == "install installing" {
				order = append(order, fmt.Sprint(len(r.host.Calls()), len(r.host.Sets())))
			}
		}
	}
	r.install()
	var got []string
	for _, s := range r.host.Sets() {
		got = append(got, s.Target)
	}
	if diff := cmp.Diff([]string{"kb5.msu", "kb3.msu", "kb2.msu", "kb4.msu"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"0 0", "0 1", "1 1", "1 2", "1 3"}, order); diff != "" {
		t.Errorf("calls of WUA and of the tools before each installation: %s", diff)
	}
	for _, id := range []waptwua.UpdateID{cab, first, second, alone, stack} {
		r.wantStatus(id, waptwua.StatusOK)
	}
}

func TestNotAfter(t *testing.T) {
	r := newRig(t)
	r.register()
	first, second := r.offer(1, waptwua.Update{}), r.offer(2, waptwua.Update{Exclusive: true})
	end := r.clock.Now().Add(time.Hour)
	r.host.Reached = func(what string) {
		if what == "wua installed" {
			r.clock.Advance(2 * time.Hour)
		}
	}
	r.do(func(ctx context.Context) error { return r.agent().Install(ctx, agent.InstallOptions{NotAfter: end}) })
	r.wantStatus(first, waptwua.StatusOK)
	r.wantStatus(second, waptwua.StatusPending)
	if calls := r.host.Calls(); len(calls) != 1 {
		t.Errorf("installed %v", calls)
	}
}
