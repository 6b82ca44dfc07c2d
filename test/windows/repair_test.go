package windows

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"waptwua/test/rig"
	"waptwua/test/windows/machine"
)

// TestRepair kills a search, breaks the store of Windows Update, and mends
// both by one command.
func TestRepair(t *testing.T) {
	needsWine(t)
	t.Parallel()
	sc := &scenario{options: map[string]string{"enabled": "true", "wuauserv_idle": "manual"}}
	c := sc.host(t, rig.NewWorld(t, 200, seed, 1), inWine)
	w := c.place.(*underWine)
	c.Register()
	c.killSearch()
	store := w.prefix.path(`C:\windows\SoftwareDistribution`)
	put(t, filepath.Join(store, "DataStore", "DataStore.edb"), []byte("broken"))

	c.Do("waptwua-repair", "--only", "native,services,store")
	c.expectNoService("after the repair")
	if _, err := os.Stat(filepath.Join(store, "DataStore", "DataStore.edb")); !os.IsNotExist(err) {
		t.Errorf("the broken store is still in its place: %v", err)
	}
	if kept, err := filepath.Glob(filepath.Join(store, "DataStore.waptwua-*", "DataStore.edb")); err != nil || len(kept) != 1 {
		t.Errorf("backups of the store: %v, %v", kept, err)
	}
	c.s.Rules(1, `{"default_allow":true}`)
	c.Do("waptwua-scan")
}

// killSearch kills a search while its scan package service is registered.
func (c *computer) killSearch() {
	c.t.Helper()
	c.slow(10 * time.Second)
	config := &machine.Config{Dir: c.local("machine")}
	registered := func() bool { _, err := config.Archive(); return err == nil }
	if killed, text := c.killWhen(registered, "waptwua-scan"); !killed {
		c.t.Fatalf("the search has ended by itself:\n%s", text)
	}
	c.slow(0)
	c.forgetKilled()
}
