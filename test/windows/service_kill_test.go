package windows

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"waptwua/agent/journal"
	"waptwua/test/rig"
)

// slowly is how long searches and installations take where somebody is to be
// killed in them.
const slowly = 200 * time.Millisecond

// disturb orders something from the service under Wine again and again, and
// kills the service each time in another state of its journal. Elsewhere it
// is ordered once, and nobody is killed.
func (c *computer) disturb(kind string, order ...string) {
	c.t.Helper()
	if _, ok := c.place.(*underWine); !ok {
		c.place.run(slices.Concat(order, []string{"--service"})...)
		return
	}
	if kind == "download" && !c.killServiceWhen(c.forgetFiles(), order...) {
		c.t.Error("no file was fetched")
	}
	for _, state := range states[kind] {
		if kind == "download" {
			c.forgetFiles()
		}
		if !c.killServiceAt(kind, state, order...) {
			c.t.Errorf("%v was over before the journal said %s", order, state)
		}
	}
}

// states are those that an order takes the journal through. At the end
// nothing is reported yet.
var states = map[string][]journal.Step{
	"scan":      {journal.Begin, journal.End},
	"download":  {journal.Begin, journal.Downloaded},
	"install":   {journal.Begin, journal.Staged, journal.Installing, journal.Installed},
	"uninstall": {journal.Begin, journal.Removing, journal.Removed},
}

// killServiceAt is killServiceWhen for the moment at which the journal says
// that the order has come to a state.
func (c *computer) killServiceAt(kind string, state journal.Step, order ...string) bool {
	c.t.Helper()
	w := c.place.(*underWine)
	entry := fmt.Appendf(nil, `"kind":%q,"step":%q`, kind, state)
	before := bytes.Count(w.journal(), entry)
	return c.killServiceWhen(func() bool { return bytes.Count(w.journal(), entry) > before }, order...)
}

// killServiceWhen orders something from the service, kills the service when
// it is time, and starts it again; false: it did not become time.
func (c *computer) killServiceWhen(due func() bool, order ...string) bool {
	c.t.Helper()
	w := c.place.(*underWine)
	service := w.service()
	if killed, text := c.killWhen(due, service, slices.Concat(order, []string{"--service"})...); !killed && !due() {
		c.t.Log(text)
		return false
	}
	_ = service.Kill() // unless it was; the order may have ended at the same moment
	rig.Until(c.t, callLimit, func() (bool, string) { return len(w.processes("--scm")) == 0, "the killed service is still there" })
	c.forgetKilled()
	rig.Until(c.t, callLimit, func() (bool, string) { return c.succeeds("service", "start") })
	c.waitService()
	return true
}

// forgetFiles removes the payload files from the agent's cache; fetched tells
// whether there is one again, be it in part.
func (c *computer) forgetFiles() (fetched func() bool) {
	c.t.Helper()
	w := c.place.(*underWine)
	files := w.prefix.path(w.program + `\db\cache\files`)
	if err := os.RemoveAll(files); err != nil {
		c.t.Fatal(err)
	}
	return func() bool {
		found, err := os.ReadDir(files)
		return err == nil && len(found) > 0
	}
}

// journal is what the agent has written down.
func (w *underWine) journal() []byte {
	w.t.Helper()
	b, err := os.ReadFile(w.prefix.path(w.program + `\db\journal.log`))
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// service is the process in which the service runs.
func (w *underWine) service() *os.Process {
	w.t.Helper()
	var found []*os.Process
	rig.Until(w.t, callLimit, func() (bool, string) {
		found = w.processes("--scm")
		return len(found) == 1, fmt.Sprintf("%d processes of the service", len(found))
	})
	return found[0]
}

// processes are those of the prefix with this argument.
func (w *underWine) processes(arg string) (found []*os.Process) {
	w.t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, path := range lines {
		line, _ := os.ReadFile(path) // it may have ended
		env, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "environ"))
		if !bytes.Contains(line, []byte(arg)) || !bytes.Contains(env, []byte("WINEPREFIX="+w.dir+"\x00")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			w.t.Fatal(err)
		}
		if p, err := os.FindProcess(pid); err == nil {
			found = append(found, p)
		}
	}
	return found
}
