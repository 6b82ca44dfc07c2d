package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/agenttest"
	"waptwua/agent/settings"
	"waptwua/wua"
)

// killAt tells a child process of this test at which durable step it dies.
const killAt = "WAPTWUA_TEST_KILL_AT"

// child is what a child process needs to know.
type child struct {
	Dir     string
	Ini     string
	CA      []byte
	Updates []wua.Update
	Restart map[waptwua.UpdateID]bool

	PackageOf map[string]waptwua.UpdateID
}

// killed is the exit code of a child that died as it should.
const killed = 77

// runChild is the child: it registers, downloads and installs, and exits
// without any clean-up at the n-th step, as after kill -9.
func runChild() {
	n, err := strconv.Atoi(os.Getenv(killAt))
	if err == nil {
		err = cycle(os.Getenv(killAt+"_IN"), n)
	}
	if err != nil && !errors.Is(err, waptwua.ErrUnchanged) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func cycle(dir string, n int) error {
	text, err := os.ReadFile(filepath.Join(dir, "child.json"))
	if err != nil {
		return err
	}
	var c child
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	steps := 0
	reached := func(string) {
		if steps++; steps == n {
			os.Exit(killed)
		}
	}
	host := &agenttest.Host{Dir: c.Dir, Updates: c.Updates, Restart: c.Restart, PackageOf: c.PackageOf, Reached: reached}
	a, err := agent.New(agent.Options{
		Dir: c.Dir, Reached: reached, WUA: host, Packages: host,
		Settings: func() (*settings.Settings, error) {
			return settings.Parse(filepath.Join(dir, "wapt-get.ini"), []byte(c.Ini))
		},
		Free: func(string) (uint64, error) { return 1 << 40, nil },
	})
	if err != nil {
		return err
	}
	if err := wholeCycle(context.Background(), a, c.CA); err != nil {
		return err
	}
	fmt.Println(steps)
	return nil
}

func wholeCycle(ctx context.Context, a *agent.Agent, ca []byte) error {
	if err := a.Register(ctx, agent.RegisterOptions{Token: agenttest.Token, CA: ca}); err != nil && !errors.Is(err, waptwua.ErrUnchanged) {
		return err
	}
	if err := a.Download(ctx, agent.ScanOptions{}); err != nil && !errors.Is(err, waptwua.ErrUnchanged) {
		return err
	}
	return a.Install(ctx, agent.InstallOptions{})
}

// TestKilledAnywhere kills an agent at every durable step there is, restarts
// it, and looks whether anything was lost or done twice. Every eighth time a
// process is really killed; the other times a panic stands in for that,
// which is quicker and leaves the same files: nothing is written on the way
// out.
func TestKilledAnywhere(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	steps := newKillRig(t).runAndKill(exe, 1<<30)
	if steps < 20 {
		t.Fatalf("a whole cycle has %d steps; some are not told", steps)
	}
	for n := 1; n <= steps; n++ {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			r := newKillRig(t)
			if n%8 == 0 {
				r.runAndKill(exe, n)
			} else {
				r.runAndDie(n)
			}
			r.recover(r.host.Updates[0].ID, r.host.Updates[2].ID, r.host.Updates[1].ID)
		})
	}
}

// runAndDie runs a whole cycle that ends by a panic at step n.
func (r *rig) runAndDie(n int) {
	r.t.Helper()
	steps := 0
	reached := func(string) {
		if steps++; steps == n {
			panic(death{})
		}
	}
	r.host.Reached, r.change = reached, func(o *agent.Options) { o.Reached = reached }
	defer func() {
		r.host.Reached, r.change = nil, nil
		if _, ok := recover().(death); !ok {
			r.t.Errorf("the agent survived step %d", n)
		}
	}()
	if err := wholeCycle(r.t.Context(), r.agent(), r.server.CAPEM()); err != nil {
		r.t.Error(err)
	}
}

// newKillRig offers a plain update, one that is installed as packages, and
// one that needs a restart.
func newKillRig(t *testing.T) *rig {
	r := newRig(t)
	r.offer(1, waptwua.Update{})
	r.host.Restart = map[waptwua.UpdateID]bool{r.offer(2, waptwua.Update{}): true}
	r.offerPackages(3, waptwua.Update{KBs: []waptwua.KB{5101650}}, checkpoint, cumulative)
	return r
}

// runAndKill runs a child on the rig that dies at step n. When it comes to
// its end before, the number of its steps is returned.
func (r *rig) runAndKill(exe string, n int) (steps int) {
	r.t.Helper()
	ini := fmt.Sprintf("[global]\nwapt_server = %s\nuuid = %s\n[waptwua]\n%s", r.server.URL, hostID, r.ini)
	text, err := json.Marshal(child{Dir: r.dir, Ini: ini, CA: r.server.CAPEM(), Updates: r.host.Updates, Restart: r.host.Restart, PackageOf: r.host.PackageOf})
	if err != nil {
		r.t.Fatal(err)
	}
	in := r.t.(*testing.T).TempDir()
	if err := os.WriteFile(filepath.Join(in, "child.json"), text, 0o600); err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), killAt+"="+strconv.Itoa(n), killAt+"_IN="+in)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == killed {
		return 0
	}
	if _, serr := fmt.Sscan(string(out), &steps); err != nil || serr != nil {
		r.t.Fatalf("child: %v, %v\n%s", err, serr, out)
	}
	return steps
}

// recover does what the service does after a restart, and checks the end.
func (r *rig) recover(plain, packaged, restart waptwua.UpdateID) {
	r.t.Helper()
	if err := wholeCycle(r.t.Context(), r.agent(), r.server.CAPEM()); err != nil && !errors.Is(err, agent.ErrRestartFirst) {
		r.t.Fatal(err)
	}
	r.wantStatus(plain, waptwua.StatusOK)
	r.wantStatus(restart, waptwua.StatusReboot)
	if s := r.held().Updates[packaged].Status; s != waptwua.StatusOK { // the kill came before it, and now the restart comes first
		r.wantStatus(packaged, waptwua.StatusPending)
	}
	if err := r.host.Reboot(); err != nil {
		r.t.Fatal(err)
	}
	if err := r.agent().Scan(r.t.Context(), agent.ScanOptions{}); err != nil {
		r.t.Fatal(err)
	}
	r.wantStatus(restart, waptwua.StatusOK)
	if err := r.agent().Install(r.t.Context(), agent.InstallOptions{}); err != nil {
		r.t.Fatal(err)
	}
	r.wantStatus(packaged, waptwua.StatusOK)
	if left, err := os.ReadDir(filepath.Join(r.dir, "packages")); err == nil {
		r.t.Errorf("folder of packages is left behind: %v", left)
	}
	for _, id := range []waptwua.UpdateID{plain, packaged, restart} {
		r.wantWholeHistory(id)
	}
	count, err := r.host.Log()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, id := range []waptwua.UpdateID{plain, packaged, restart} {
		if count[id.String()] != 1 {
			r.t.Errorf("update %s was installed %d times", id, count[id.String()])
		}
	}
	s, err := r.agent().Status()
	if err != nil || !s.Reported || s.Unfinished != nil {
		r.t.Errorf("at the end: reported %v, unfinished %+v, %v", s.Reported, s.Unfinished, err)
	}
}

// wantWholeHistory checks that no step was lost with the killed process.
func (r *rig) wantWholeHistory(id waptwua.UpdateID) {
	r.t.Helper()
	steps := r.held().Updates[id].Steps
	if len(steps) < 3 || steps[0].Phase != waptwua.PhaseNeeded || steps[len(steps)-1].Phase != waptwua.PhaseVerified {
		r.t.Errorf("steps of %s: %v", id, steps)
	}
	for i, want := range []waptwua.Phase{waptwua.PhaseDownloaded, waptwua.PhaseInstalling} {
		if !slices.ContainsFunc(steps, func(s waptwua.Step) bool { return s.Phase == want }) {
			r.t.Errorf("%d: %s was never %s: %v", i, id, want, steps)
		}
	}
}

// An update during whose installation the agent dies again and again is
// blamed at last, so that the host does not die for ever.
func TestUpdateThatKillsTheAgent(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	for n := 1; n <= 3; n++ {
		r.dieWhileInstalling()
	}
	r.scan()
	if u := r.wantStatus(id, waptwua.StatusError); u.Failure.Attempts != 3 {
		t.Errorf("failure %+v", u.Failure)
	}
	calls := len(r.host.Calls())
	r.install()
	if len(r.host.Calls()) != calls {
		t.Error("it was tried again at once")
	}
}

type death struct{}

// dieWhileInstalling ends the agent in the middle of WUA's work.
func (r *rig) dieWhileInstalling() {
	r.t.Helper()
	r.host.Reached = func(what string) {
		if what == "wua installing" {
			panic(death{})
		}
	}
	defer func() {
		r.host.Reached = nil
		if _, ok := recover().(death); !ok {
			r.t.Fatal("the agent survived")
		}
	}()
	_ = r.agent().Install(r.t.Context(), agent.InstallOptions{})
}

func TestDamagedFilesAreFoundOutAgain(t *testing.T) {
	for _, name := range []string{"state.json", "acked.json", "updates.json", "journal.log", "cache/archive/current.json"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.register()
			id := r.offer(1, waptwua.Update{})
			r.download()
			if err := os.Truncate(filepath.Join(r.dir, filepath.FromSlash(name)), 40); err != nil {
				t.Fatal(err)
			}
			r.do(func(ctx context.Context) error { return r.agent().Install(ctx, agent.InstallOptions{}) })
			r.wantStatus(id, waptwua.StatusOK)
		})
	}
}

func TestServerThatForgot(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.install()
	r.server.Forget()
	r.do(r.agent().Report)
	r.wantStatus(id, waptwua.StatusOK)
}

func TestAgentRestoredFromABackup(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.scan()
	backup := map[string][]byte{}
	for _, name := range []string{"state.json", "acked.json"} {
		b, err := os.ReadFile(filepath.Join(r.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		backup[name] = b
	}
	r.install()
	for name, b := range backup {
		if err := os.WriteFile(filepath.Join(r.dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.clock.Advance(-5 * time.Minute) // the clock as well
	r.scan()
	r.wantStatus(id, waptwua.StatusOK)
}

func TestDescriptionsOnRequest(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{Title: "Out of band"})
	r.scan()
	r.server.Describe(id)
	r.do(r.agent().Report)
	about := r.server.About()
	if len(about) != 0 {
		t.Fatal("an unchanged state is not taken as a new report, so nothing can have been asked for")
	}
	r.scan()
	if about = r.server.About(); len(about) != 1 || about[0].Title != "Out of band" {
		t.Errorf("descriptions %v", about)
	}
}
