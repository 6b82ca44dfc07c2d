package windows

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"waptwua"
)

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
