//go:build !windows

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gopkg.in/ini.v1"

	"waptwua/agent/settings"
	"waptwua/applicability"
	"waptwua/internal/pki"
	"waptwua/inventory"
	"waptwua/wua/native"
	"waptwua/wua/native/nativesim"
	"waptwua/wua/sim"
)

// openHost makes the simulated Windows of the section [simulator]:
//
//	machine     recorded machine (FACTS.json); required
//	roots       PEM file with the roots of the scan archive's signature; none: Microsoft's
//	allow_sha1  take archives that are signed with SHA-1
//	on_battery  the machine runs on its battery
//	metered     its network is paid by volume
//	dir         folder of the machine's state (default: simulator)
//	script      what goes wrong, as JSON
//	seed        number that decides what the archive leaves to chance
func openHost(config string, _ *settings.Settings) (*windowsHost, error) {
	read, err := openSimulator(config)
	if err != nil {
		return nil, err
	}
	h := &windowsHost{}
	o := sim.Options{Now: time.Now}
	facts := read.file("machine")
	roots := read.file("roots")
	script := read.file("script")
	o.Dir = read.path("dir", "simulator")
	o.Seed = read.number("seed")
	h.allowSHA1 = read.number("allow_sha1") != 0
	h.power = simulatedPower{battery: read.number("on_battery") != 0, metered: read.number("metered") != 0}
	if read.err != nil {
		return nil, read.err
	}
	if o.Machine, err = applicability.ParseFacts(facts); err != nil {
		return nil, fmt.Errorf("[simulator] machine: %w", err)
	}
	if len(roots) > 0 {
		if h.roots, err = pki.DecodeCertificates(roots); err != nil {
			return nil, fmt.Errorf("[simulator] roots: %w", err)
		}
	}
	if len(script) > 0 {
		if o.Script, err = sim.ParseScript(script); err != nil {
			return nil, fmt.Errorf("[simulator] %w", err)
		}
	}
	o.Graphs = sim.NewGraphs(sim.GraphsOptions{Roots: h.roots, AllowSHA1: h.allowSHA1, Now: time.Now})
	h.native, h.folder = simulatedNative(read), filepath.Join(o.Dir, "windows")
	machine, err := sim.Open(o)
	if err != nil {
		return nil, err
	}
	h.wua, h.packages = machine, machine
	h.booted, err = machine.Booted(context.Background())
	return h, err
}

// openNative is the simulated host's services and registry.
func openNative(config string) (native.System, error) {
	read, err := openSimulator(config)
	if err != nil {
		return nil, err
	}
	return simulatedNative(read), nil
}

func simulatedNative(read *reader) native.System {
	return nativesim.Open(filepath.Join(read.path("dir", "simulator"), "native.json"))
}

// simulatedPower is what the section [simulator] says of supply and network.
type simulatedPower struct{ battery, metered bool }

// OnBattery implements agent.Conditions.
func (p simulatedPower) OnBattery(context.Context) (bool, error) { return p.battery, nil }

// Metered implements agent.Conditions.
func (p simulatedPower) Metered(context.Context) (bool, error) { return p.metered, nil }

// openSimulator reads the section [simulator].
func openSimulator(config string) (*reader, error) {
	file, err := ini.LoadSources(ini.LoadOptions{Insensitive: true, IgnoreInlineComment: true, AllowPythonMultilineValues: true}, config)
	if err != nil {
		return nil, fmt.Errorf("reading [simulator]: %w", err)
	}
	section, err := file.GetSection("simulator")
	if err != nil {
		return nil, errors.New("there is no Windows here: give a recorded machine in wapt-get.ini, [simulator] machine = FACTS.json")
	}
	return &reader{dir: filepath.Dir(config), section: section}, nil
}

// openInventory is the recorded machine given, or the one of [simulator].
func openInventory(config, machine string) (h inventory.Host, name string, closeHost func(), err error) {
	if machine == "" {
		read, err := openSimulator(config)
		if err != nil {
			return h, "", nil, fmt.Errorf("%w; or use --machine", err)
		}
		if machine = read.path("machine", ""); machine == "" {
			return h, "", nil, errors.New("[simulator] machine is not set: give a FACTS.json there or with --machine")
		}
	}
	return recordedMachine(machine)
}

// reader reads the options of [simulator] and keeps the first error.
type reader struct {
	dir     string
	section *ini.Section
	err     error
}

func (r *reader) path(name, def string) string {
	v := r.section.Key(name).Value()
	if v == "" {
		v = def
	}
	if v == "" || filepath.IsAbs(v) {
		return v
	}
	return filepath.Join(r.dir, v)
}

func (r *reader) file(name string) []byte {
	p := r.path(name, "")
	if p == "" || r.err != nil {
		return nil
	}
	b, err := os.ReadFile(p)
	if err != nil {
		r.err = fmt.Errorf("[simulator] %s: %w", name, err)
	}
	return b
}

// number reads a number; true counts as 1, false and nothing as 0.
func (r *reader) number(name string) uint64 {
	v := r.section.Key(name).Value()
	if b, err := strconv.ParseBool(v); err == nil {
		if b {
			return 1
		}
		return 0
	}
	if v == "" {
		return 0
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("[simulator] %s: %q is not a number", name, v)
	}
	return n
}
