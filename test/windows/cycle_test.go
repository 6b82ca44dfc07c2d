package windows

import (
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/origin"
	"waptwua/test/rig"
)

func TestFirst(t *testing.T) {
	w := rig.NewWorld(t, 200, seed, 1)
	s := rig.New(t, w.Origin(origin.Faults{}), map[string]string{"archive_roots": w.Roots})
	s.Start()
	s.Rules(1, `{"default_allow":true}`)
	s.WaitCatalogue()
	begin := time.Now()
	c := newWindows(s, w, t, 0, map[string]string{"enabled": "true"})
	t.Logf("prefix %s", time.Since(begin))
	step := func(args ...string) {
		begin := time.Now()
		code, text := c.run(args...)
		t.Logf("%v: %d, %s\n%s", args, code, time.Since(begin), text)
	}
	c.Register()
	step("waptwua-scan", "-v")
	step("waptwua-status")
	rig.Until(t, time.Minute, func() (bool, string) {
		n := len(s.Payloads())
		return n > 0 && n >= len(c.With(waptwua.StatusMissing)), "no files"
	})
	time.Sleep(2 * time.Second)
	step("waptwua-download")
	step("waptwua-status")
	step("waptwua-install")
	step("waptwua-status")
	c.Restart()
	step("waptwua-scan")
	step("waptwua-status")
	h := s.Host(c.UUID)
	t.Logf("%+v", h.HostView)
}
