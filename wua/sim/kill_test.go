package sim

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"waptwua"
	"waptwua/wua"
	"waptwua/wua/wuatest"
)

// The child process of TestKilledHostContinues installs, restarts and
// uninstalls until it is killed.
const (
	childDir  = "WAPTWUA_SIM_CHILD_DIR"
	killCount = 12
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, child(dir))
		os.Exit(1) // it only returns with an error
	}
	goleak.VerifyTestMain(m)
}

func child(dir string) error {
	w, err := wuatest.OpenWorld(os.Getenv(childDir + "_WORLD"))
	if err != nil {
		return err
	}
	h, err := Open(Options{Dir: dir, Machine: w.Machine, Now: time.Now, Graphs: NewGraphs(GraphsOptions{Roots: w.Roots, Now: time.Now})})
	if err != nil {
		return err
	}
	for {
		if err := turn(h, w); err != nil {
			return err
		}
	}
}

// turn installs what is missing, restarts, and takes everything off again,
// and says when it has done a step.
func turn(h *Host, w *wuatest.World) error {
	ctx := context.Background()
	step := func(err error) error {
		fmt.Println("step")
		return err
	}
	found, err := h.Search(ctx, wua.Query{Archive: w.Archive})
	if err != nil {
		return err
	}
	var missing, installed []waptwua.UpdateID
	for _, u := range found.Updates {
		switch {
		case u.Uninstallable:
			installed = append(installed, u.ID)
		case !u.Installed:
			missing = append(missing, u.ID)
		}
		for _, l := range u.Leaves {
			if err := h.Stage(ctx, l.ID, []string{w.File(l.ID)}); err != nil {
				return err
			}
		}
	}
	if len(missing) > 0 {
		_, err = h.Install(ctx, missing, func(wua.Progress) { fmt.Println("progress") })
	} else if len(installed) > 0 {
		_, err = h.Uninstall(ctx, installed, func(wua.Progress) { fmt.Println("progress") })
	}
	if step(err) != nil {
		return err
	}
	return step(h.Restart(ctx))
}

// TestKilledHostContinues kills a host at random moments. What it then holds
// must be a state that it would have written, and agree with its log.
func TestKilledHostContinues(t *testing.T) {
	w, dir := wuatest.NewWorld(t), t.TempDir()
	graphs := NewGraphs(GraphsOptions{Roots: w.Roots, Now: time.Now})
	for range killCount {
		runAndKill(t, w, dir)
		h, err := Open(Options{Dir: dir, Machine: w.Machine, Now: time.Now, Graphs: graphs})
		if err != nil {
			t.Fatal(err)
		}
		checkLog(t, h)
		if _, err := h.Search(t.Context(), wua.Query{Archive: w.Archive}); err != nil {
			t.Fatal(err)
		}
	}
	events, err := ReadLog(dir)
	if err != nil || len(events) < killCount {
		t.Errorf("the log has %d events, %v: the child hardly worked", len(events), err)
	}
}

func runAndKill(t *testing.T, w *wuatest.World, dir string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childDir+"_WORLD="+w.Dir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range 1 + rand.IntN(25) {
		if !lines.Scan() {
			t.Fatal("the child ended by itself")
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
}

// checkLog replays the log: nothing is installed twice, no event is missing,
// and what it leads to is the state.
func checkLog(t *testing.T, h *Host) {
	t.Helper()
	events, err := ReadLog(h.opt.Dir)
	if err != nil {
		t.Fatal(err)
	}
	there := map[waptwua.UpdateID]bool{}
	for i, e := range events {
		if e.Seq != int64(i+1) {
			t.Fatalf("event %d has the number %d", i+1, e.Seq)
		}
		if e.Code != wua.Succeeded || e.HResult != wua.OK || e.Operation == OpRestart {
			continue
		}
		if e.Operation == OpInstall && there[e.ID] {
			t.Errorf("event %d installs %s a second time", e.Seq, e.ID)
		}
		there[e.ID] = e.Operation == OpInstall
	}
	s, err := h.load()
	if err != nil {
		t.Fatal(err)
	}
	if s.Seq != int64(len(events)) {
		t.Errorf("the state is at event %d, the log at %d", s.Seq, len(events))
	}
	for id, is := range there {
		c := s.change(id)
		if has := c != nil && c.Phase != removing; has != is {
			t.Errorf("%s: the log says installed %v, the state %v", id, is, has)
		}
	}
}
