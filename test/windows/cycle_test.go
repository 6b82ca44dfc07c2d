package windows

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"waptwua"
	"waptwua/server"
	"waptwua/store"
	"waptwua/test/rig"
	"waptwua/wua/sim"
)

// TestSameAsSimulator takes a host through all that can happen to its
// updates, as an administrator sees it.
func TestSameAsSimulator(t *testing.T) {
	for name, sc := range map[string]*scenario{
		"cycle": {options: map[string]string{"enabled": "true"}, steps: cycle()},
		"failures": {machine: 4, options: map[string]string{"enabled": "true"}, steps: failures(), script: `{"faults":[
			{"call":"install","update":"*","last":1,"code":"0x80070643","rate":0.4},
			{"call":"install","update":"*","last":1,"effect":"lie","rate":0.5},
			{"call":"install","update":"*","last":1,"effect":"rollback","code":"0x800F0922"}]}`},
		"shutdown": {options: map[string]string{"enabled": "true", "install_at_shutdown": "true"}, steps: shutdown()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc.run(t, onLinux, inWine)
		})
	}
}

// cycle is a host from its registration to having all that is allowed.
func cycle() []step {
	return slices.Concat([]step{{"registered", func(c *computer) { c.Register() }}}, wanted(download), []step{
		{"installed and waiting for the restart", func(c *computer) {
			c.Do("waptwua-install")
			c.expect(waptwua.StatusReboot, "")
			c.expect(waptwua.StatusDiscarded, "forbidden_updates")
		}},
		{"allowed again but a restart is due", func(c *computer) {
			c.s.Rules(3, `{"default_allow":true}`)
			c.Expect(5, "waptwua-install")
		}},
		{"verified", verified},
		{"compliant", compliant},
		{"nothing has changed", func(c *computer) { c.Do("waptwua-scan") }},
		{"one is removed again", func(c *computer) {
			c.s.Rules(4, `{"default_allow":false}`)
			removed := c.installed()[0]
			c.run("waptwua-uninstall", removed.String())
			c.Restart()
			c.Do("waptwua-scan")
			c.expectLacking(removed)
		}},
	})
}

// verified is what a search after the restart tells.
func verified(c *computer) {
	c.t.Helper()
	c.Restart()
	c.Do("waptwua-scan")
	if left := c.With(waptwua.StatusReboot); len(left) > 0 {
		c.t.Errorf("%s: %v wait for a restart that has been", c.name(), left)
	}
	c.expect(waptwua.StatusOK, "")
}

func download(c *computer) {
	c.t.Helper()
	c.Do("waptwua-download")
}

// wanted is how updates become wanted, fetched and unwanted before they are
// installed.
func wanted(fetch func(*computer)) []step {
	return []step{
		{"nothing is allowed without rules", func(c *computer) {
			c.Do("waptwua-scan")
			c.expect(waptwua.StatusDiscarded, "default_allow")
		}},
		{"allowed and missing", func(c *computer) {
			c.s.Rules(1, `{"default_allow":true}`)
			c.Do("waptwua-scan")
			c.expect(waptwua.StatusMissing, "")
		}},
		{"downloaded", func(c *computer) {
			c.waitForServer()
			fetch(c)
			c.expect(waptwua.StatusPending, "")
		}},
		{"delayed", func(c *computer) {
			c.Set("waptwua", "install_delay", "500w")
			c.Do("waptwua-scan")
			c.expect(waptwua.StatusDiscarded, "install_delay")
			c.Do("waptwua-install")
			c.expect(waptwua.StatusDiscarded, "install_delay")
			c.Set("waptwua", "install_delay", "None")
		}},
		{"one is denied", func(c *computer) {
			c.s.Rules(2, fmt.Sprintf(`{"default_allow":true,"forbidden_updates":[%q]}`, c.lacking()[0]))
			c.Do("waptwua-scan")
			c.expect(waptwua.StatusDiscarded, "forbidden_updates")
			c.expect(waptwua.StatusPending, "")
		}},
	}
}

// shutdown is a host that installs before it is shut down, as the dialog of
// the shutdown script lets it.
func shutdown() []step {
	return []step{
		{"registered", func(c *computer) {
			c.Set("global", "waptexit_countdown", "1s")
			c.Register()
			c.s.Rules(1, `{"default_allow":true}`)
		}},
		{"nothing is pending", func(c *computer) {
			c.Do("waptexit", "--silent")
			if u := c.Status().State.Updates; len(u) > 0 {
				c.t.Errorf("%s: waptexit has searched: %+v", c.name(), u)
			}
		}},
		{"pending", func(c *computer) {
			c.Do("waptwua-scan")
			c.waitForServer()
			c.Do("waptwua-download")
			c.expect(waptwua.StatusPending, "")
		}},
		{"installed before the shutdown", func(c *computer) {
			c.Do("waptexit", "--silent")
			c.expect(waptwua.StatusReboot, "")
			if left := c.With(waptwua.StatusPending); len(left) > 0 {
				c.t.Errorf("%s: waptexit has left %v", c.name(), left)
			}
		}},
		{"compliant", compliant},
	}
}

// failures is a host whose installers fail, lie and roll back.
func failures() []step {
	return []step{
		{"registered", func(c *computer) {
			c.Register()
			c.s.Rules(1, `{"default_allow":true}`)
			c.Do("waptwua-scan")
			c.waitForServer()
		}},
		{"first attempt", func(c *computer) {
			c.Expect(7, "waptwua-install")
			c.expect(waptwua.StatusError, "")
		}},
		{"too early for the second", func(c *computer) { c.run("waptwua-install") }},
		{"after a restart", func(c *computer) {
			c.Restart()
			c.run("waptwua-install", "--force")
			c.Restart()
			c.Do("waptwua-scan")
		}},
		{"compliant", func(c *computer) {
			compliant(c)
			c.expectEvents()
		}},
	}
}

// expectEvents fails when the script has not made something fail, lie and
// roll back: the scenario would say little.
func (c *computer) expectEvents() {
	c.t.Helper()
	events, err := sim.ReadLog(c.local("machine"))
	if err != nil {
		c.t.Fatal(err)
	}
	for what, is := range map[string]func(sim.Event) bool{
		"failed":      func(e sim.Event) bool { return e.Operation == sim.OpInstall && e.HResult.Failed() },
		"lied":        func(e sim.Event) bool { return e.Lie },
		"rolled back": func(e sim.Event) bool { return e.Operation == sim.OpRollback },
	} {
		if !slices.ContainsFunc(events, is) {
			c.t.Errorf("%s: nothing has %s: %+v", c.name(), what, events)
		}
	}
}

// installed are the updates that this computer's agent has installed, in order.
func (c *computer) installed() (ids []waptwua.UpdateID) {
	c.t.Helper()
	for id, u := range c.Status().State.Updates {
		if u.Status == waptwua.StatusOK && !u.Installed.IsZero() {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, compareID)
	if len(ids) == 0 {
		c.t.Fatalf("%s: nothing was installed", c.name())
	}
	return ids
}

// expectLacking fails when the host has the update.
func (c *computer) expectLacking(id waptwua.UpdateID) {
	c.t.Helper()
	if !slices.Contains(c.lacking(), id) {
		c.t.Errorf("%s: %s is still there: %+v", c.name(), id, c.Status().State.Updates[id])
	}
}

// compliant installs and restarts until nothing is lacking.
func compliant(c *computer) {
	c.t.Helper()
	for range 6 {
		c.waitForServer()
		c.run("waptwua-install", "--force")
		c.Restart()
		c.Do("waptwua-scan")
		if len(c.lacking()) == 0 && c.s.Host(c.UUID).Compliant {
			return
		}
	}
	c.t.Errorf("%s: still lacking %v", c.name(), c.lacking())
}

// lacking are the updates that the host does not have, in order.
func (c *computer) lacking() (ids []waptwua.UpdateID) {
	c.t.Helper()
	for _, s := range []waptwua.Status{waptwua.StatusPending, waptwua.StatusMissing, waptwua.StatusDiscarded, waptwua.StatusError} {
		ids = append(ids, c.With(s)...)
	}
	slices.SortFunc(ids, compareID)
	return ids
}

// expect fails unless the agent shows an update with this status, for this
// reason if one is given.
func (c *computer) expect(status waptwua.Status, reason string) {
	c.t.Helper()
	updates := c.Status().State.Updates
	for _, u := range updates {
		if u.Status == status && (reason == "" || u.Verdict.Reason == reason) {
			return
		}
	}
	c.t.Errorf("%s: no update is %s %s: %+v", c.name(), status, reason, updates)
}

// waitForServer waits until the server has looked up and fetched all that
// follows from the last report.
func (c *computer) waitForServer() {
	c.t.Helper()
	rig.Until(c.t, time.Minute, func() (bool, string) {
		for _, u := range list[server.UpdateView](c, "updates") {
			if !u.Described || u.NeededBy > 0 && !u.FilesKnown {
				return false, fmt.Sprintf("%s is not described: %+v", u.ID, u)
			}
		}
		for _, d := range c.s.Downloads() {
			if d.State != store.Finished {
				return false, fmt.Sprintf("%s is %s %s", d.StoredName, d.State, d.Error)
			}
		}
		sum := c.s.Summary()
		return sum.Files.Missing == 0, fmt.Sprintf("files %+v", sum.Files)
	})
}
