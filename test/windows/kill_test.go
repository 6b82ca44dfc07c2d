package windows

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"waptwua"
	"waptwua/agent"
	"waptwua/test/rig"
	"waptwua/test/windows/machine"
	"waptwua/wua/sim"
)

// TestKilledAtEveryStep kills wapt-get.exe after each line that an
// installation writes into its journal, and after each update that Windows
// has installed, and lets the next one finish: every update is there in the
// end, none was installed twice, no scan package service is left, and the
// server knows what the host knows.
func TestKilledAtEveryStep(t *testing.T) {
	needsWine(t)
	t.Parallel()
	sc := &scenario{machine: 4, options: map[string]string{"enabled": "true"}}
	c := sc.host(t, rig.NewWorld(t, 200, seed, 1), inWine)
	c.slow(30 * time.Millisecond)
	c.Register()
	c.s.Rules(1, `{"default_allow":true}`)
	c.Do("waptwua-scan")
	c.waitForServer()
	c.Do("waptwua-download")
	before := filepath.Join(t.TempDir(), "before")
	c.copyState(c.local(""), before)

	kills := 0
	for killed := true; killed; kills++ {
		c.copyState(before, c.local(""))
		if killed = c.killAfter(kills + 1); !killed {
			break
		}
		c.recover(kills + 1)
	}
	t.Logf("killed after each of the first %d lines", kills)
	if kills < 5 {
		t.Errorf("an installation wrote %d lines only: this test says little", kills)
	}
}

// slow makes searches and installations take d each.
func (c *computer) slow(d time.Duration) {
	c.t.Helper()
	w, ok := c.place.(*underWine)
	if !ok {
		c.t.Fatal("only a double can be slowed down")
	}
	path := w.prefix.path(machine.ConfigPath)
	config, err := machine.Read(path)
	if err == nil {
		config.ScanDuration, config.InstallDuration = int(d.Milliseconds()), int(d.Milliseconds())
		err = config.Write(path)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// copyState copies what agent and machine remember.
func (c *computer) copyState(from, to string) {
	c.t.Helper()
	for _, dir := range []string{"db", "machine"} {
		if err := os.RemoveAll(filepath.Join(to, dir)); err != nil {
			c.t.Fatal(err)
		}
		if err := os.CopyFS(filepath.Join(to, dir), os.DirFS(filepath.Join(from, dir))); err != nil {
			c.t.Fatal(err)
		}
	}
}

// written counts the lines of the agent's journal and of what Windows was
// told to do.
func (c *computer) written() (lines int) {
	c.t.Helper()
	for _, log := range []string{"db/journal.log", "machine/install.log"} {
		b, err := os.ReadFile(c.local(log))
		if err != nil && !os.IsNotExist(err) {
			c.t.Fatal(err)
		}
		lines += bytes.Count(b, []byte("\n"))
	}
	return lines
}

// killAfter starts an installation and kills it when so many lines were
// written; false: it ended before.
func (c *computer) killAfter(lines int) bool {
	c.t.Helper()
	goal := c.written() + lines
	killed, _ := c.killWhen(func() bool { return c.written() >= goal }, nil, "waptwua-install")
	return killed
}

// killWhen starts wapt-get.exe and kills it, or the process that does its
// work, as soon as it is time; false, with what it wrote: it ended before.
func (c *computer) killWhen(due func() bool, worker *os.Process, args ...string) (killed bool, text string) {
	c.t.Helper()
	w := c.place.(*underWine)
	ctx, cancel := context.WithTimeout(c.t.Context(), callLimit)
	defer cancel()
	out, err := os.Create(filepath.Join(c.t.TempDir(), "output"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer out.Close()
	cmd := w.start(ctx, out, append([]string{w.agent()}, args...)...)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is killed, or has ended
	}()
	if worker == nil {
		worker = cmd.Process
	}
	killed = kill(worker, ended, due)
	if ctx.Err() != nil {
		c.t.Fatalf("wapt-get %v was not to be killed in time: %v", args, ctx.Err())
	}
	b, err := os.ReadFile(out.Name())
	if err != nil {
		c.t.Fatal(err)
	}
	return killed, string(b)
}

// kill kills a process as soon as it is time, and waits for the end of what
// it was for; false: that ended before.
func kill(p *os.Process, ended <-chan struct{}, due func() bool) bool {
	for !due() {
		select {
		case <-ended:
			return false
		case <-time.After(time.Millisecond):
		}
	}
	select {
	case <-ended:
		return false
	default:
	}
	_ = p.Kill()
	<-ended
	return true
}

// forgetKilled forgets what killed processes have held.
func (c *computer) forgetKilled() {
	c.t.Helper()
	if err := os.RemoveAll(c.local("machine/" + machine.HeldDir)); err != nil {
		c.t.Fatal(err)
	}
}

// recover finishes what was killed and looks at what became of it.
func (c *computer) recover(lines int) {
	c.t.Helper()
	st := c.finish()
	for id, u := range st.State.Updates {
		if u.Status != waptwua.StatusOK {
			c.t.Errorf("killed after line %d: %s is %s: %+v", lines, id, u.Status, u.Failure)
		}
	}
	if st.Unfinished != nil {
		c.t.Errorf("killed after line %d: still unfinished: %+v", lines, st.Unfinished)
	}
	if diff := cmp.Diff(st.State, rig.Shown(new(c.s.Host(c.UUID))), cmpopts.EquateEmpty()); diff != "" {
		c.t.Errorf("killed after line %d: what the agent holds (-) and the server shows (+) differ:\n%s", lines, diff)
	}
	c.expectOnce(fmt.Sprintf("killed after line %d", lines))
	c.expectNoService(fmt.Sprintf("killed after line %d", lines))
	c.forgetKilled()
}

// finish installs and restarts until nothing is lacking, twice at most: a
// restart that was due when the installation was killed comes first.
func (c *computer) finish() (st agent.Status) {
	c.t.Helper()
	for range 2 {
		c.run("waptwua-install")
		c.Restart()
		c.Do("waptwua-scan", "--force")
		if st = c.Status(); st.State.Status == waptwua.HostOK {
			break
		}
	}
	return st
}

// expectOnce fails for an update that was installed twice.
func (c *computer) expectOnce(when string) {
	c.t.Helper()
	events, err := sim.ReadLog(c.local("machine"))
	if err != nil {
		c.t.Fatal(err)
	}
	times := map[waptwua.UpdateID]int{}
	for _, e := range events {
		if !rig.Installed(e) {
			continue
		}
		if times[e.ID]++; times[e.ID] > 1 {
			c.t.Errorf("%s: %s was installed %d times", when, e.Title, times[e.ID])
		}
	}
	if len(times) == 0 {
		c.t.Errorf("%s: nothing was installed", when)
	}
}

// expectNoService fails when a scan package service is left.
func (c *computer) expectNoService(when string) {
	c.t.Helper()
	b, err := os.ReadFile(c.local("machine/" + machine.ServicesFile))
	var left struct{ Services []any }
	if err == nil {
		err = json.Unmarshal(b, &left)
	}
	if err != nil || len(left.Services) > 0 {
		c.t.Errorf("%s: services are left: %s, %v", when, b, err)
	}
}
