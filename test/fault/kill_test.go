package fault

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/origin"
	"waptwua/server"
	"waptwua/store"
	"waptwua/test/rig"
)

// The shape of the run: in each round Microsoft has a new archive, the rules
// allow more than before and hosts join, so that there is work during the
// kills.
const (
	killsARound = 10
	newHosts    = 3 // in each round
	latest      = 700 * time.Millisecond
	updates     = 300
	settling    = 2 * time.Minute
)

func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("long test, left out with -short")
	}
	kills := int(number(t, "WAPTWUA_FAULT_KILLS", 100))
	rounds := (kills + killsARound - 1) / killsARound
	c := newCampaign(t, rounds)
	for n := range rounds {
		c.begin(n)
		for k := range min(kills-n*killsARound, killsARound) {
			c.kill(k == killsARound-1)
			if t.Failed() {
				t.Fatalf("in round %d after kill %d", n+1, k+1)
			}
		}
		c.settle(n)
	}
	t.Logf("%d kills of the server, which cut short %d runs and downloads; %d of the fleet, which cut short %d operations; %d updates installed on %d hosts",
		c.ofServer, c.broken(), c.ofFleet, c.cut, c.installed, c.fleet.Hosts)
	if c.broken() == 0 || c.cut == 0 {
		t.Error("no work was cut short: the kills say little")
	}
}

// campaign is a system that is being killed again and again.
type campaign struct {
	t         *testing.T
	rand      *rand.Rand
	world     *rig.World
	origin    *origin.Origin
	system    *rig.System
	fleet     *rig.Fleet
	rounds    int
	archives  []string // offered so far, the newest last
	enrolled  int      // hosts that the server has been seen to know
	ofServer  int      // kills
	ofFleet   int
	cut       int // operations that kills of the fleet cut short
	installed int
}

func newCampaign(t *testing.T, rounds int) *campaign {
	c := &campaign{t: t, rand: rand.New(rand.NewPCG(seed(t), 0x6b696c6c)), rounds: rounds}
	c.world = rig.NewWorld(t, updates, 1, rounds)
	c.origin = c.world.Origin(origin.Usual())
	c.system = rig.New(t, c.origin, map[string]string{"archive_roots": c.world.Roots, "loglevel": "warning", "limit_bandwidth": "8"})
	c.system.Start()
	c.fleet = c.system.NewFleet(c.world, "killed", 0)
	c.fleet.Flags = append(c.fleet.Flags, "--scan-duration", "200ms", "--install-duration", "200ms")
	return c
}

// begin gives everybody something to do.
func (c *campaign) begin(round int) {
	c.t.Helper()
	if round > 0 {
		if err := c.fleet.Process.Stop(); err != nil {
			c.t.Errorf("the fleet did not stop cleanly: %v", err)
		}
	}
	c.archives = append(c.archives, c.world.Archive(round))
	c.origin.SetArchive(c.archives[round])
	c.system.Now(server.JobArchive)
	c.system.Rules(round+1, c.rules(round))
	c.fleet.Hosts += newHosts
	c.fleet.Enrol(newHosts) // exactly: a lost answer must not use up another's
	c.fleet.Restart()
}

// rules allow the KBs of this round and of those before; in the last, all.
func (c *campaign) rules(round int) string {
	var kbs []string
	for i, kb := range c.world.KBs() {
		if i%c.rounds <= round {
			kbs = append(kbs, kb.String())
		}
	}
	b, err := json.Marshal(map[string]any{"allowed_kbs": kbs, "default_allow": false})
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

// kill kills the server or the fleet, at a random moment after something has
// gone on, looks at what is left, and starts it again. The last of a round
// hits the fleet, whose hosts then do not wait after failures.
func (c *campaign) kill(last bool) {
	c.t.Helper()
	before := c.progress()
	rig.Within(300*time.Millisecond, func() (bool, string) { return c.progress() != before, "" })
	time.Sleep(time.Duration(c.rand.Int64N(int64(latest)))) // the moment is what is random here
	if !last && c.rand.IntN(2) == 0 {
		c.ofServer++
		c.system.Server.Kill()
		c.system.CheckShelf(c.archives...)
		c.system.Start()
	} else {
		c.ofFleet++
		c.fleet.Process.Kill()
		c.system.CheckShelf(c.archives...)
		c.cut += c.unfinished()
		c.fleet.Restart()
	}
	hosts := c.system.Summary().Hosts.Enrolled
	if hosts < c.enrolled {
		c.t.Errorf("%d hosts are enrolled, %d were", hosts, c.enrolled)
	}
	c.enrolled = hosts
}

// unfinished counts the hosts whose agents were in the middle of something.
func (c *campaign) unfinished() (count int) {
	c.t.Helper()
	for n := range c.fleet.Hosts {
		if c.fleet.Agent(n).Unfinished != nil {
			count++
		}
	}
	return count
}

// broken counts the runs and downloads that a kill of the server cut short.
func (c *campaign) broken() (count int) {
	c.t.Helper()
	for _, job := range []server.Job{server.JobArchive, server.JobFiles} {
		for _, run := range c.system.Runs(job) {
			if run.State == store.Broken {
				count++
			}
		}
	}
	for _, d := range c.system.Downloads() {
		if d.State == store.Broken {
			count++
		}
	}
	return count
}

// progress is a figure that changes when files arrive or an agent takes a
// step.
func (c *campaign) progress() int64 {
	n := int64(len(c.system.Payloads()))
	for h := range c.fleet.Hosts {
		for _, name := range []string{"agent/journal.log", "machine/install.log", "agent/state.json"} {
			if fi, err := os.Stat(filepath.Join(c.fleet.HostDir(h), filepath.FromSlash(name))); err == nil {
				n += fi.Size()
			}
		}
	}
	return n
}

// settle waits until the round's work is done and checks that nothing was
// lost and nothing done twice.
func (c *campaign) settle(round int) {
	c.t.Helper()
	start := time.Now()
	archive := c.publishedIs(c.archives[round])
	c.fleet.WaitCompliant(settling, archive, round+1)
	c.t.Logf("round %d: settled %s after the last kill", round+1, time.Since(start).Round(time.Millisecond))
	c.system.CheckShelf(c.archives[round])
	c.system.CheckArchive(c.archives[round])
	if hosts := c.system.Summary().Hosts.Enrolled; hosts != c.fleet.Hosts {
		c.t.Errorf("%d hosts are enrolled, want %d", hosts, c.fleet.Hosts)
	}
	c.fleet.ExpectReported(settling)
	c.installed = c.fleet.ExpectOnce()
}

// publishedIs waits until the server hands out the archive at path.
func (c *campaign) publishedIs(path string) (sum waptwua.SHA256) {
	c.t.Helper()
	want := rig.SHA256(c.t, path)
	rig.Until(c.t, settling, func() (bool, string) {
		var a server.ArchiveView
		err := c.system.Get("/api/v1/archive", &a)
		sum = a.SHA256
		return err == nil && a.Loaded && a.SHA256 == want, fmt.Sprintf("the archive of %s is published, last error %q, %v", a.Created, a.LastError, err)
	})
	return sum
}
