package windows

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua/test/rig"
	"waptwua/test/windows/machine"
	"waptwua/wua/repair"
)

// TestRepair kills a search, breaks the store of Windows Update, and mends
// both by one command, which finds all else sound.
func TestRepair(t *testing.T) {
	needsWine(t)
	t.Parallel()
	sc := &scenario{options: map[string]string{"enabled": "true", "wuauserv_idle": "manual"}}
	c := sc.host(t, rig.NewWorld(t, 200, seed, 1), inWine)
	c.Register()
	c.killSearch()
	c.breakStore()
	c.repair("native,wuauserv,bits,services,store,space")
	c.expectNoService("after the repair")
	c.expectNewStore()
	c.s.Rules(1, `{"default_allow":true}`)
	c.Do("waptwua-scan")
}

// softwareDistribution is where Windows Update keeps what it knows.
const softwareDistribution = `C:\windows\SoftwareDistribution`

// breakStore leaves a database that nothing can read.
func (c *computer) breakStore() {
	c.t.Helper()
	w := c.place.(*underWine)
	put(c.t, filepath.Join(w.prefix.path(softwareDistribution), "DataStore", "DataStore.edb"), []byte("broken"))
}

// expectNewStore fails unless the broken database was set aside.
func (c *computer) expectNewStore() {
	c.t.Helper()
	store := c.place.(*underWine).prefix.path(softwareDistribution)
	if _, err := os.Stat(filepath.Join(store, "DataStore", "DataStore.edb")); !os.IsNotExist(err) {
		c.t.Errorf("the broken store is still in its place: %v", err)
	}
	if kept, err := filepath.Glob(filepath.Join(store, "DataStore.waptwua-*", "DataStore.edb")); err != nil || len(kept) != 1 {
		c.t.Errorf("backups of the store: %v, %v", kept, err)
	}
}

// repair repairs, and fails unless each of these steps is sound afterwards.
func (c *computer) repair(steps string) {
	c.t.Helper()
	text := c.Expect(0, "waptwua-repair", "--only", steps, "--room", "1", "--json")
	text = text[max(0, strings.IndexByte(text, '{')):] // it may have waited for the service
	var report repair.Report
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		c.t.Fatalf("%v\n%s", err, text)
	}
	if n := strings.Count(steps, ",") + 1; len(report.Results) != n {
		c.t.Errorf("%s: %d repairs were reported, not %s", c.name(), len(report.Results), steps)
	}
	for _, r := range report.Results {
		if r.Outcome != repair.Sound && r.Outcome != repair.Mended {
			c.t.Errorf("%s: repair %+v", c.name(), r)
		}
	}
}

// killSearch kills a search while its scan package service is registered.
func (c *computer) killSearch() {
	c.t.Helper()
	c.slow(10 * time.Second)
	config := &machine.Config{Dir: c.local("machine")}
	registered := func() bool { _, err := config.Archive(); return err == nil }
	if killed, text := c.killWhen(registered, nil, "waptwua-scan"); !killed {
		c.t.Fatalf("the search has ended by itself:\n%s", text)
	}
	c.slow(0)
	c.forgetKilled()
}
