package windows

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"waptwua"
	"waptwua/server"
	"waptwua/test/rig"
)

// TestInstaller installs the Windows Installer package of the agent on a
// computer, whose service then registers it and does the whole cycle; a signed
// release and then a newer package replace the program and nothing else;
// removal gives Windows Update back. (Wine leaves a program alone that is newer
// than its package; Windows is not known to.)
func TestInstaller(t *testing.T) {
	needsWine(t)
	t.Parallel()
	needs(t, "wixl", "msibuild")
	sc := &scenario{machine: 4}
	c := sc.host(t, rig.NewWorld(t, 200, seed, 1), inWine)
	c.s.Rules(1, `{"default_allow":true}`)
	w := c.place.(*underWine)
	w.program = `C:\Program Files\waptwua`
	before := c.native()

	c.s.Command("waptserver", "agent", "release", "create-key", "--name", "releases", "--dir", c.s.Dir)
	c.msi("/i", c.agentPackage("1.0.0", "--waptwua", "manage", "--new-token"),
		`SETTINGS=waptwua.download_scheduling=3s;waptwua.install_scheduling=5s;waptwua.postboot_delay=0s;`+
			`global.waptupdate_task_period=3s;global.self_update_spread=0m;waptwua.archive_roots=`+w.path("roots.pem"))
	c.Expect(0, "service", "status")
	c.enrolled("1.0.0")
	c.wait("an installation that waits for a restart", func() bool { return c.s.Host(c.UUID).Status == waptwua.HostReboot })
	if during := c.native(); during == before {
		t.Errorf("Windows Update is not taken over:\n%s", during)
	}
	c.restartUntilCompliant()
	c.expectOnce("after the cycle")
	c.expectTool("dism", "/Add-Package")

	c.uninstallByService()
	c.release("1.0.1")
	c.Do("self-update")
	c.enrolled("1.0.1")

	c.msi("/i", c.agentPackage("1.1.0"))
	c.Expect(0, "service", "status")
	c.enrolled("1.1.0")
	if set := c.s.Host(c.UUID).State.Settings["download_scheduling"]; set != "3s" {
		t.Errorf("after the upgrade, download_scheduling is %q", set)
	}

	c.msi("/x", c.agentPackage("1.1.0"))
	if after := c.native(); after != before {
		t.Errorf("Windows Update was\n%s\nand is after the removal\n%s", before, after)
	}
	if _, err := os.Stat(w.prefix.path(w.program + `\wapt-get.exe`)); !os.IsNotExist(err) {
		t.Errorf("the program after its removal: %v", err)
	}
}

// uninstallByService has the running service remove an update, which the
// rules then forbid.
func (c *computer) uninstallByService() {
	c.t.Helper()
	c.s.Rules(2, `{"default_allow":false}`)
	c.Do("update", "-S")
	removed := c.installed()[0]
	c.run("waptwua-uninstall", "-S", removed.String())
	c.Restart()
	c.Do("waptwua-scan", "--force")
	c.expectLacking(removed)
}

// needs skips a test without these programs; with CI=true it fails.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil && os.Getenv("CI") == "true" {
			t.Fatal(err)
		} else if err != nil {
			t.Skip(err)
		}
	}
}

// agentPackage builds the package of a version and returns its Windows path.
func (c *computer) agentPackage(version string, flags ...string) string {
	c.t.Helper()
	dir := filepath.Join(c.s.Dir, "agents")
	built := filepath.Join(dir, "wapt-get-"+version+"-amd64.msi")
	path := c.path(filepath.Base(built))
	if _, err := os.Stat(built); err == nil {
		return path
	}
	exe := filepath.Join(c.t.TempDir(), "wapt-get.exe")
	if err := buildAgent(exe, version); err != nil {
		c.t.Fatal(err)
	}
	c.s.Command("waptserver", append([]string{"agent", "build", "--data", c.s.Data(), "--out", dir, "--version", version, "--program", exe,
		"--arch", "amd64", "--admin-cert", c.s.Admin.Certificate, "--release-cert", filepath.Join(c.s.Dir, "releases.crt")}, flags...)...)
	copyFile(c.t, built, c.local(filepath.Base(built)))
	return path
}

// release signs the program of a version as a release, and offers it.
func (c *computer) release(version string) {
	c.t.Helper()
	c.agentPackage(version) // the program lies beside it
	program := filepath.Join(c.s.Dir, "agents", "wapt-get-"+version+"-amd64.exe")
	out := filepath.Join(c.s.Dir, "agents", "wapt-get-"+version+".release.json")
	c.s.Command("waptserver", "agent", "release", "sign", "--version", version, "--cert", filepath.Join(c.s.Dir, "releases.crt"),
		"--key", filepath.Join(c.s.Dir, "releases.pem"), "--out", out, program)
	c.s.Command("waptserver", "agent", "release", "publish", "--data", c.s.Data(), out)
}

// msi runs msiexec, which must succeed; its log is shown otherwise.
func (c *computer) msi(args ...string) {
	c.t.Helper()
	w := c.place.(*underWine)
	log := c.path("msi.log")
	code, text := w.prefix.run(append([]string{"msiexec", "/qn", "/l*v", log}, args...)...)
	if code != 0 {
		b, _ := os.ReadFile(c.local("msi.log"))
		c.t.Fatalf("msiexec %v: exit %d\n%s\n%s", args, code, text, b[max(0, len(b)-4000):])
	}
}

// enrolled waits until the server knows the computer with this version, and
// learns its UUID.
func (c *computer) enrolled(version string) {
	c.t.Helper()
	rig.Until(c.t, callLimit, func() (bool, string) {
		hosts := list[server.HostView](c, "hosts")
		if len(hosts) > 1 {
			c.t.Fatalf("%d hosts: the computer has lost its identity", len(hosts))
		}
		if len(hosts) == 1 {
			c.UUID = hosts[0].UUID
		}
		return len(hosts) == 1 && hosts[0].AgentVersion == version, fmt.Sprintf("%+v", hosts)
	})
}

// restartUntilCompliant restarts the computer whenever nothing else is left
// to do.
func (c *computer) restartUntilCompliant() {
	c.t.Helper()
	for range 4 {
		c.Restart()
		c.wait("nothing to do but restart", func() bool {
			h := c.s.Host(c.UUID)
			if !h.Scanned.After(c.off) {
				return false // this is from before
			}
			return h.Compliant || h.Status == waptwua.HostReboot && h.Updates[waptwua.StatusPending] == 0
		})
		if c.s.Host(c.UUID).Compliant {
			return
		}
	}
	c.t.Fatalf("not compliant after four restarts: %+v", c.s.Host(c.UUID))
}

// reg is in full: without its folder Wine does not always find it.
const reg = `C:\windows\system32\reg.exe`

// native is what Windows' own updating is set to.
func (c *computer) native() string {
	c.t.Helper()
	w := c.place.(*underWine)
	_, policies := w.prefix.run(reg, "query", `HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate`, "/s")
	service := w.wine(reg, "query", `HKLM\SYSTEM\CurrentControlSet\Services\wuauserv`, "/v", "Start")
	b, err := json.Marshal([]string{strings.TrimSpace(policies), strings.TrimSpace(service)})
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}
