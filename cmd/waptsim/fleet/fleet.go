// Package fleet runs simulated Windows hosts in one process: each is the real
// agent (package agent) over the simulated Windows Update Agent (wua/sim),
// with its own folder, settings file, key, certificate and machine.
//
// A host lives in a folder of its own:
//
//	wapt-get.ini   its settings, read by the agent as on Windows
//	ssl/           the administrators' certificates it trusts
//	FACTS.json     the machine as it was at first, for people
//	machine/       the simulated Windows: what is installed, the install log
//	agent/         the agent's own files
//
// Everything survives a kill of the process, so that a fleet can be started
// again over the same folder and goes on. What the hosts are and have follows
// from Options.Machine and Options.Seed.
//
// A person at the keyboard is part of the simulation: a host that waits for
// a restart is restarted after Options.RestartAfter, with the agent stopped
// before and started after it.
package fleet

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"waptwua/applicability"
	"waptwua/wua/sim"
)

// Options describe a fleet. Dir, Server, CA, Machine and Hosts must be set.
type Options struct {
	Dir     string // one folder a host below it
	Server  string // https://host:port of the agents' listener
	CA      []byte // PEM of the server's CA
	Token   string // enrolment token; needed by hosts that have no certificate
	Admins  []byte // PEM of the administrators' certificates; may be empty
	Hosts   int
	Seed    uint64
	Machine func(n int) *applicability.Facts

	Roots     []*x509.Certificate // of the scan archive's signature; none: Microsoft's
	AllowSHA1 bool

	Settings        map[string]string // of [waptwua], over those of Demonstration
	RestartAfter    time.Duration     // 0: never restarted
	ScanDuration    time.Duration
	InstallDuration time.Duration
	Script          *sim.Script // what goes wrong; nil: nothing
	Log             *slog.Logger
}

// Demonstration returns the [waptwua] settings of a fleet in a hurry: all is
// looked for and installed within seconds.
func Demonstration() map[string]string {
	return map[string]string{
		"enabled":             "True",
		"offline":             "True",
		"default_allow":       "False",
		"download_scheduling": "3s",
		"install_scheduling":  "2s",
		"postboot_delay":      "0s",
	}
}

// Run brings the fleet up and keeps it running until ctx ends; then every
// host is stopped, and Run returns nil. A host that cannot be set up ends
// the fleet with an error; one that cannot reach the server keeps trying.
func Run(ctx context.Context, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	graphs := sim.NewGraphs(sim.GraphsOptions{Roots: o.Roots, AllowSHA1: o.AllowSHA1, Now: time.Now})
	g, ctx := errgroup.WithContext(ctx)
	for n := range o.Hosts {
		g.Go(func() error {
			h, err := newHost(o, n, graphs)
			if err != nil {
				return fmt.Errorf("host %d: %w", n+1, err)
			}
			return h.live(ctx)
		})
	}
	return g.Wait()
}

// HostDir is the folder of the n-th host.
func HostDir(dir string, n int) string { return filepath.Join(dir, fmt.Sprintf("%04d", n+1)) }

// MachineDir is the folder of the n-th host's simulated Windows, for
// sim.ReadLog.
func MachineDir(dir string, n int) string { return filepath.Join(HostDir(dir, n), "machine") }

// UUID is the identity of the n-th host of a fleet.
func UUID(seed uint64, n int) string {
	sum := sha256.Sum256([]byte("simulated host " + strconv.FormatUint(seed, 10) + " " + strconv.Itoa(n)))
	s := hex.EncodeToString(sum[:16])
	return s[:8] + "-" + s[8:12] + "-4" + s[13:16] + "-8" + s[17:20] + "-" + s[20:32]
}

// settingsFile writes the wapt-get.ini of the n-th host and what it names.
func (o Options) settingsFile(n int) (path string, err error) {
	dir := HostDir(o.Dir, n)
	if err := os.MkdirAll(filepath.Join(dir, "ssl"), 0o755); err != nil {
		return "", err
	}
	files := map[string][]byte{"server-ca.pem": o.CA, filepath.Join("ssl", "administrators.crt"): o.Admins, "wapt-get.ini": o.ini(n)}
	for name, b := range files {
		if len(b) == 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "wapt-get.ini"), nil
}
