package windows

import (
	"fmt"
	"testing"
	"time"

	"waptwua"
	"waptwua/test/rig"
)

// notRunning is the exit code of `service status` for a service that does not
// run.
const notRunning = 10

// TestService lets the Windows service do the whole cycle by its schedule:
// nobody types a command between its start and the host's being compliant.
func TestService(t *testing.T) {
	needsWine(t)
	t.Parallel()
	sc := &scenario{machine: 4, options: map[string]string{"enabled": "true", "download_scheduling": "3s", "install_scheduling": "5s"}}
	c := sc.host(t, rig.NewWorld(t, 200, seed, 1), inWine)
	c.s.Rules(1, `{"default_allow":true}`)
	c.Set("global", "waptupdate_task_period", "3s")
	c.Register()
	c.Expect(notRunning, "service", "status")
	c.Do("service", "install", "--start")
	c.Expect(0, "service", "status")

	c.wait("an installation that waits for a restart", func() bool { return c.s.Host(c.UUID).Status == waptwua.HostReboot })
	c.restartUntilCompliant()
	c.Expect(0, "service", "status") // it has come up with Windows
	c.expectOnce("after the cycle")

	c.Do("service", "stop")
	c.Expect(notRunning, "service", "status")
	c.expectNoService("stopped")
	c.Do("service", "uninstall")
	c.Expect(notRunning, "service", "status")
}

// wait waits until the service has brought the host so far.
func (c *computer) wait(what string, done func() bool) {
	c.t.Helper()
	rig.Until(c.t, 2*time.Minute, func() (bool, string) {
		h := c.s.Host(c.UUID)
		return done(), fmt.Sprintf("%s: status %s, updates %v, last action %+v, scan error %s", what, h.Status, h.Updates, h.State.LastAction, h.ScanError)
	})
}
