package windows

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"waptwua/agent/journal"
	"waptwua/server"
	"waptwua/test/rig"
)

// TestInstaller is the whole life of an agent that the Windows Installer
// package puts on a computer, and whose service does all the work: it
// registers the computer, searches, fetches, installs, removes, is killed in
// each state of its journal, repaired, and replaced by a signed release and by
// a newer package, until its removal gives Windows Update back. Whatever the
// kills do, the server shows in the end the same as for a service on the
// simulator that nobody has disturbed. (Wine leaves a program alone that is
// newer than its package; Windows is not known to.)
func TestInstaller(t *testing.T) {
	needsWine(t)
	needs(t, "wixl", "msibuild")
	t.Parallel()
	sc := &scenario{machine: 4, steps: life()}
	sc.run(t, asService, fromPackage)
}

// asService is a host on Linux whose agent is to run as a service.
func asService(t testing.TB, s *rig.System, w *rig.World, sc *scenario) *computer {
	c := onLinux(t, s, w, sc)
	c.served = true
	return c
}

// fromPackage is a Windows host without an agent.
func fromPackage(t testing.TB, s *rig.System, w *rig.World, sc *scenario) *computer {
	c := inWine(t, s, w, sc)
	c.slow(slowly) // or no kill comes in time
	c.served = true
	c.place.(*underWine).program = `C:\Program Files\waptwua`
	return c
}

// life is all that happens to the agent.
func life() []step {
	var before string // of Windows' own updating
	return slices.Concat([]step{
		{"registered by what installs it", func(c *computer) {
			c.onWindows(func() { before = c.native() })
			c.install()
			c.enrolled()
			c.onWindows(func() {
				if during := c.native(); during == before {
					c.t.Errorf("Windows Update is not taken over:\n%s", during)
				}
			})
		}},
	}, wanted(func(c *computer) {
		c.disturb("scan", "waptwua-scan", "--force")
		c.disturb("download", "waptwua-download", "--force")
		c.Do("waptwua-download", "--force")
	}), []step{
		{"installed and verified", func(c *computer) {
			c.s.Rules(3, `{"default_allow":true}`)
			c.disturb("install", "waptwua-install", "--force")
			verified(c)
			compliant(c)
			c.expectOnce("after the cycle")
			c.onWindows(func() { c.expectTool("dism", "/Add-Package") })
		}},
		{"one is removed again", func(c *computer) {
			c.s.Rules(4, `{"default_allow":false}`)
			c.Do("update")
			removed := c.installed()[0]
			c.disturb("uninstall", "waptwua-uninstall", removed.String())
			c.Restart()
			c.Do("waptwua-scan", "--force")
			c.expectLacking(removed)
		}},
		{"repaired", mended},
		{"replaced by a release", func(c *computer) {
			c.onWindows(func() {
				c.release("1.0.1")
				c.Do("self-update")
				c.runs("1.0.1")
			})
		}},
		{"upgraded by a package", func(c *computer) {
			c.onWindows(func() {
				c.msi("/i", c.agentPackage("1.1.0"))
				c.Expect(0, "service", "status")
				c.runs("1.1.0")
			})
		}},
		{"removed", func(c *computer) {
			c.onWindows(func() {
				c.msi("/x", c.agentPackage("1.1.0"))
				if after := c.native(); after != before {
					c.t.Errorf("Windows Update was\n%s\nand is after the removal\n%s", before, after)
				}
				w := c.place.(*underWine)
				if _, err := os.Stat(w.prefix.path(w.agent())); !os.IsNotExist(err) {
					c.t.Errorf("the program after its removal: %v", err)
				}
			})
		}},
	})
}

// onWindows does what only Windows has: packages, a service control manager.
// Nothing is compared with the exit codes of that.
func (c *computer) onWindows(do func()) {
	c.t.Helper()
	if _, ok := c.place.(*underWine); ok {
		before := c.exits
		do()
		c.exits = before
	}
}

// install installs the agent: the package on Windows, and elsewhere what the
// package would do. The service starts, and has a token.
func (c *computer) install() {
	c.t.Helper()
	set := []string{"waptwua.postboot_delay=0s", "waptwua.archive_roots=" + c.path("roots.pem"), "global.self_update_spread=0m", "global.uuid=" + c.UUID}
	l, ok := c.place.(*linux)
	if !ok {
		c.s.Command("waptserver", "agent", "release", "create-key", "--name", "releases", "--dir", c.s.Dir)
		c.msi("/i", c.agentPackage("1.0.0", "--waptwua", "manage", "--new-token"), "SETTINGS="+strings.Join(set, ";"))
		c.waitService()
		return
	}
	put(c.t, c.local("token.txt"), []byte(c.s.NewToken("--uses", "1")))
	if ok, text := c.succeeds("configure", "--waptwua", "manage", "--token-file", c.path("token.txt"), "--settings", strings.Join(set, ";")); !ok {
		c.t.Fatal(text)
	}
	l.serve()
	c.waitService()
}

// waitService waits until the service takes orders.
func (c *computer) waitService() {
	c.t.Helper()
	rig.Until(c.t, callLimit, func() (bool, string) { return c.succeeds("service", "tasks") })
}

func (c *computer) succeeds(args ...string) (bool, string) {
	c.t.Helper()
	code, text := c.place.run(args...)
	return code == 0, text
}

// enrolled waits until the service has registered the computer.
func (c *computer) enrolled() {
	c.t.Helper()
	rig.Until(c.t, callLimit, func() (bool, string) {
		hosts := list[server.HostView](c, "hosts")
		return len(hosts) == 1 && hosts[0].UUID == c.UUID, fmt.Sprintf("%+v", hosts)
	})
	c.Do("update") // or the schedule would, at any time
}

// runs waits until the server knows that this version does the work.
func (c *computer) runs(version string) {
	c.t.Helper()
	rig.Until(c.t, callLimit, func() (bool, string) {
		_, text := c.place.run("waptwua-scan", "--force", "--service") // whose report tells the version
		hosts := list[server.HostView](c, "hosts")
		if len(hosts) > 1 {
			c.t.Fatalf("%d hosts: the computer has lost its identity", len(hosts))
		}
		return len(hosts) == 1 && hosts[0].AgentVersion == version, fmt.Sprintf("%+v\n%s", hosts, text)
	})
}

// mended is what one command makes of a computer on which a search was
// killed, the store broken, and the transfer service disabled. The simulator
// has no scan archives that stay registered.
func mended(c *computer) {
	c.t.Helper()
	only := "native,wuauserv,bits,store,space"
	c.onWindows(func() {
		c.place.(*underWine).registry("REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Services\\BITS]\n\"Start\"=dword:4\n")
	})
	c.Restart() // or the service control manager does not see it
	c.onWindows(func() {
		only += ",services"
		if !c.killServiceAt("scan", journal.Begin, "waptwua-scan", "--force") {
			c.t.Error("the search was over too early")
		}
		c.breakStore()
	})
	c.repair(only)
	c.onWindows(func() {
		c.expectNoService("after the repair")
		c.expectNewStore()
	})
	c.Do("waptwua-scan", "--force")
}
