package rig

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/settings"
	"waptwua/cmd/waptsim/fleet"
	"waptwua/server"
	"waptwua/transport"
	"waptwua/wua"
	"waptwua/wua/sim"
)

// Fleet is simulated hosts in one process.
type Fleet struct {
	s       *System
	w       *World
	name    string
	seed    uint64
	Process *Process
	Hosts   int
	Admin   Admin             // whose certificate the hosts trust
	Set     map[string]string // options of [waptwua] over those of a demonstration
	Flags   []string          // more flags of waptsim fleet

	version int    // of the rules with which the fleet was compliant
	digest  string // of what its hosts then went by
}

// NewFleet makes a fleet of hosts whose machines are those of w; it is not
// started. Fleets of one system have different names.
func (s *System) NewFleet(w *World, name string, hosts int) *Fleet {
	f := &Fleet{s: s, w: w, name: name, Hosts: hosts, Admin: s.Admin, Set: map[string]string{}, Flags: []string{"--restart-after", "300ms"}}
	for _, c := range name {
		f.seed = f.seed*31 + uint64(c)
	}
	s.t.Cleanup(func() { dump(s.t, f.log()) })
	return f
}

func (f *Fleet) dir() string { return filepath.Join(f.s.Dir, "hosts-"+f.name) }
func (f *Fleet) log() string { return filepath.Join(f.s.Dir, "fleet-"+f.name+".log") }

// Enrol makes a token that lets exactly so many hosts enrol. Start does it
// for a fleet that has none yet.
func (f *Fleet) Enrol(hosts int) {
	f.s.t.Helper()
	f.s.file("token-"+f.name, f.s.NewToken("--uses", strconv.Itoa(hosts)))
}

// Start starts the fleet, which goes on where it stopped. A fleet that is
// started for the first time gets an enrolment token.
func (f *Fleet) Start() {
	f.s.t.Helper()
	if f.Process == nil {
		f.Enrol(f.Hosts)
	}
	f.Restart()
}

// Restart starts the fleet with the token that it has.
func (f *Fleet) Restart() {
	f.s.t.Helper()
	args := append([]string{"fleet", "--dir", f.dir(), "--server", f.s.Agents, "--ca", f.s.CA(),
		"--token-file", filepath.Join(f.s.Dir, "token-"+f.name), "--admins", f.Admin.Certificate, "--roots", f.w.Roots,
		"--hosts", strconv.Itoa(f.Hosts), "--host-seed", strconv.FormatUint(f.seed, 10),
		"--seed", strconv.FormatUint(f.w.seed, 10), "--updates", strconv.Itoa(f.w.updates)}, f.Flags...)
	for name, value := range f.Set {
		args = append(args, "--set", name+"="+value)
	}
	f.Process = Start(f.s.t, f.log(), filepath.Join(f.s.Bin, "waptsim"), args...)
}

// UUID is the identity of the n-th host, counted from 0.
func (f *Fleet) UUID(n int) string { return fleet.UUID(f.seed, n) }

// Host is the n-th host as the server shows it; an error while the server
// does not know it.
func (f *Fleet) Host(n int) (v server.HostDetail, err error) {
	return v, f.s.Get("/api/v1/hosts/"+f.UUID(n), &v)
}

// HostDir is the folder of the n-th host.
func (f *Fleet) HostDir(n int) string { return fleet.HostDir(f.dir(), n) }

// Log is what the n-th host's Windows was told to do.
func (f *Fleet) Log(n int) []sim.Event {
	f.s.t.Helper()
	events, err := sim.ReadLog(fleet.MachineDir(f.dir(), n))
	if err != nil {
		f.s.t.Fatal(err)
	}
	return events
}

// Agent is what the n-th host's agent knows.
func (f *Fleet) Agent(n int) *agent.Status {
	f.s.t.Helper()
	a, err := agent.New(agent.Options{
		Dir: filepath.Join(f.HostDir(n), "agent"), WUA: struct{ wua.Host }{}, // reading the status needs neither
		Settings: func() (*settings.Settings, error) { return nil, errors.ErrUnsupported },
	})
	if err != nil {
		f.s.t.Fatal(err)
	}
	defer a.Close()
	s, err := a.Status()
	if err != nil {
		f.s.t.Fatalf("status of host %d: %v", n+1, err)
	}
	return s
}

// All waits until ok is true of every host as the server shows it; say tells
// what a host lacks.
func (f *Fleet) All(limit time.Duration, ok func(n int, h *server.HostDetail) (yes bool, say string)) {
	f.s.t.Helper()
	Until(f.s.t, limit, func() (bool, string) {
		for n := range f.Hosts {
			h, err := f.Host(n)
			if err != nil {
				return false, fmt.Sprintf("host %d: %v", n+1, err)
			}
			if yes, say := ok(n, &h); !yes {
				return false, fmt.Sprintf("host %d (%s, status %q): %s", n+1, h.Name, h.Status, say)
			}
		}
		return true, ""
	})
}

// WaitCompliant waits until every host has searched with the archive and the
// version of the rules, and lacks nothing that they allow. Versions must
// differ in what they say.
func (f *Fleet) WaitCompliant(limit time.Duration, archive waptwua.SHA256, version int) {
	f.s.t.Helper()
	digest := ""
	f.All(limit, func(_ int, h *server.HostDetail) (bool, string) {
		rules, scan := h.State.Rules, h.State.Scan
		taken := len(rules) == 1 && rules[0].Version == version && rules[0].Error == ""
		searched := scan.Archive == archive && (version == f.version || scan.RulesDigest != f.digest)
		digest = scan.RulesDigest
		return taken && searched && h.Compliant, fmt.Sprintf("archive %.8s, rules %+v, updates %v, last action %+v, scan error %q, %s",
			scan.Archive, rules, h.Updates, h.State.LastAction, h.ScanError, failures(h))
	})
	f.version, f.digest = version, digest
}

func failures(h *server.HostDetail) string {
	var out []string
	for _, u := range h.List {
		if u.Failure != nil {
			out = append(out, fmt.Sprintf("%s: %s", u.ID, u.Failure.Sentence))
		}
	}
	slices.Sort(out)
	return fmt.Sprint(out)
}

// Shown is the state of a host as the server shows it, in the agent's form.
func Shown(h *server.HostDetail) transport.State {
	st := h.State
	for _, u := range h.List {
		if st.Updates == nil {
			st.Updates = map[waptwua.UpdateID]waptwua.OnHost{}
		}
		st.Updates[u.ID] = u.OnHost
	}
	return st
}
