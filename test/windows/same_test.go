package windows

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"waptwua"
	"waptwua/server"
	"waptwua/test/rig"
	"waptwua/wua/sim"
)

// shown is what a server has and says about its one host.
type shown struct {
	Host      server.HostDetail
	Summary   server.Summary
	Updates   []server.UpdateView
	Downloads []server.DownloadView
	Payloads  []string // names on the shelf
	Events    []sim.Event
	Exits     []int // exit codes of the wapt-get of this step
}

// view reads what the server shows of a computer, in an order of its own.
func view(c *computer) (v shown) {
	c.t.Helper()
	c.waitForServer()
	v.Host, v.Summary = c.s.Host(c.UUID), c.s.Summary()
	v.Updates, v.Downloads, v.Payloads = list[server.UpdateView](c, "updates"), c.s.Downloads(), c.s.Payloads()
	slices.SortFunc(v.Host.List, func(a, b server.HostUpdate) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	slices.SortFunc(v.Updates, func(a, b server.UpdateView) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	slices.SortFunc(v.Downloads, func(a, b server.DownloadView) int { return strings.Compare(a.StoredName, b.StoredName) })
	for name, value := range v.Host.State.Settings {
		if rest, ok := strings.CutPrefix(value, c.path("")); ok {
			v.Host.State.Settings[name] = strings.TrimPrefix(rest, "/")
		}
	}
	var err error
	if v.Events, err = sim.ReadLog(c.local("machine")); err != nil {
		c.t.Fatal(err)
	}
	v.Exits, c.exits = c.exits, nil
	if c.served {
		v.undisturbed()
	}
	return v
}

// undisturbed leaves out what a scenario with kills makes differ: which
// attempts were interrupted, and the order in which Windows was therefore told
// to install. Of its programs only the one in the package has a version.
func (v *shown) undisturbed() {
	v.Host.AgentVersion, v.Host.State.Host.AgentVersion = "", ""
	v.Events = nil
	for i := range v.Host.List {
		u := &v.Host.List[i]
		var steps []waptwua.Step
		for _, s := range u.Steps {
			if s.Note != waptwua.NoteInterrupted {
				steps = append(steps, s)
				continue
			}
			for n := len(steps); n > 0 && steps[n-1].Phase != waptwua.PhaseDownloaded; n = len(steps) {
				steps = steps[:n-1]
			}
			steps = steps[:max(0, len(steps)-1)]
		}
		u.Steps = steps
	}
}

func list[T any](c *computer, what string) []T {
	c.t.Helper()
	var v server.List[T]
	if err := c.s.Get("/api/v1/"+what+"?limit=1000", &v); err != nil {
		c.t.Fatal(err)
	}
	return v.Items
}

// leftOut is what may differ between two runs of one scenario.
func leftOut() cmp.Options {
	return cmp.Options{
		cmpopts.EquateEmpty(),
		// Two runs are minutes apart; whatever else has a date has the same.
		cmp.Comparer(func(a, b time.Time) bool { return a.IsZero() == b.IsZero() && a.Sub(b).Abs() < 10*time.Minute }),
		cmpopts.IgnoreFields(waptwua.Scan{}, "Duration"),
		cmpopts.IgnoreFields(waptwua.Host{}, "Name"),
		cmpopts.IgnoreFields(server.HostUpdate{}, "HostName"),
		// A row's number, and how fast it went.
		cmpopts.IgnoreFields(server.DownloadView{}, "ID", "Speed"),
	}
}

// step is something that an administrator or a host does.
type step struct {
	name string
	do   func(*computer)
}

// scenario is a host, what goes wrong on it, and its steps.
type scenario struct {
	machine int // which of the world's
	options map[string]string
	script  string // of package sim
	steps   []step
}

// run does the scenario on the simulator and under Wine; after each step
// both servers must show the same.
func (sc *scenario) run(t *testing.T, simulator, windows site) {
	t.Helper()
	needsWine(t)
	w := rig.NewWorld(t, 200, seed, 1)
	left, right := sc.host(t, w, simulator), sc.host(t, w, windows)
	for _, s := range sc.steps {
		if !t.Run(strings.ReplaceAll(s.name, " ", "-"), func(t *testing.T) {
			var views [2]shown
			for i, c := range []*computer{left, right} {
				c.of(t)
				s.do(c)
				views[i] = view(c)
			}
			if diff := cmp.Diff(views[0], views[1], leftOut()); diff != "" {
				t.Errorf("on the simulator (-) and under Wine (+) differ:\n%s", diff)
			}
		}) {
			break
		}
	}
	left.of(t)
	right.of(t)
}
