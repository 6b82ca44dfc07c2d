// Package machine is the simulated Windows of a Wine prefix: what the double
// of the Windows Update Agent (test/windows/double) and the programs in place
// of Windows' own (test/windows/tool) work on, and what a test on Linux looks
// at beside them.
//
// A machine is described by one file at a fixed place (ConfigPath), since
// services do not inherit a test's environment, and lives in one folder:
//
//	state.json, install.log   what the simulated host remembers (package sim)
//	services.json             the scan package services that are registered
//	held/PID                  there while the process PID holds references to
//	                          the double's objects: left behind, it names a
//	                          process that was killed or has leaked one
//	double.log                what could not be done, and why
//	tools.log                 each call of a program in place of Windows' own
//	packages                  what dism.exe has installed, as it lists it
//	restart-wanted            there when shutdown.exe was called
//
// Both systems open the same folder, the one as C:\…, the other below the
// prefix. The locks of the two do not exclude each other: the Linux side
// changes a machine (Restart, a new script) only while no Wine process of the
// prefix runs. Imported by tests only.
package machine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"waptwua/applicability"
	"waptwua/internal/pki"
	"waptwua/wua/sim"
)

// ConfigPath is where the programs under Wine find a machine's Config.
const ConfigPath = `C:\waptwua-double.json`

// The files in a machine's folder.
const (
	ServicesFile = "services.json"
	HeldDir      = "held"
	LogFile      = "double.log"
	ToolsFile    = "tools.log"
	PackagesFile = "packages"
	RestartFile  = "restart-wanted"
)

// ExitCodeProgram is the name under which the tool keeps exit codes.
const ExitCodeProgram = "exitcode.exe"

// ToolCall is a line of tools.log.
type ToolCall struct {
	Program string   `json:"program"` // dism, wusa, shutdown
	Args    []string `json:"args"`
	Exit    uint32   `json:"exit"`
}

// Config describes a machine. Paths are those of the system that reads it.
type Config struct {
	Dir       string          `json:"dir"`              // the machine's folder
	Facts     string          `json:"facts"`            // recorded machine (FACTS.json)
	Roots     string          `json:"roots,omitempty"`  // PEM file with the roots of the archives' signatures; empty: Microsoft's
	AllowSHA1 bool            `json:"allow_sha1"`       // take archives that are signed with SHA-1
	Script    json.RawMessage `json:"script,omitempty"` // what goes wrong (package sim)
	Seed      uint64          `json:"seed"`             // decides what the archive leaves to chance
	// ScanDuration and InstallDuration slow searches and the installation of
	// each update down, in milliseconds.
	ScanDuration    int `json:"scan_ms,omitempty"`
	InstallDuration int `json:"install_ms,omitempty"`
}

// Read reads the description at path.
func Read(path string) (*Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &Config{}
	if err := json.Unmarshal(b, c); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if c.Dir == "" || c.Facts == "" {
		return nil, fmt.Errorf("read %s: dir and facts must be set", path)
	}
	return c, nil
}

// Write writes the description to path.
func (c *Config) Write(path string) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

// Open opens the machine.
func (c *Config) Open() (*sim.Host, error) {
	o := sim.Options{
		Dir: c.Dir, Seed: c.Seed, Now: time.Now,
		ScanDuration:    time.Duration(c.ScanDuration) * time.Millisecond,
		InstallDuration: time.Duration(c.InstallDuration) * time.Millisecond,
	}
	facts, err := os.ReadFile(c.Facts)
	if err == nil {
		o.Machine, err = applicability.ParseFacts(facts)
	}
	if err == nil && len(c.Script) > 0 {
		o.Script, err = sim.ParseScript(c.Script)
	}
	if err == nil {
		o.Graphs, err = c.graphs()
	}
	if err != nil {
		return nil, fmt.Errorf("open the machine in %s: %w", c.Dir, err)
	}
	return sim.Open(o)
}

func (c *Config) graphs() (*sim.Graphs, error) {
	o := sim.GraphsOptions{AllowSHA1: c.AllowSHA1, Now: time.Now}
	if c.Roots != "" {
		b, err := os.ReadFile(c.Roots)
		if err != nil {
			return nil, err
		}
		if o.Roots, err = pki.DecodeCertificates(b); err != nil {
			return nil, err
		}
	}
	return sim.NewGraphs(o), nil
}

// Archive is the path of the scan archive that was registered last
// (services.json, which package comtest writes).
func (c *Config) Archive() (string, error) {
	b, err := os.ReadFile(filepath.Join(c.Dir, ServicesFile))
	var services struct {
		Services []struct{ Path string }
	}
	if err == nil {
		err = json.Unmarshal(b, &services)
	}
	if err != nil {
		return "", fmt.Errorf("look for the scan archive: %w", err)
	}
	if n := len(services.Services); n == 1 {
		return services.Services[0].Path, nil
	}
	return "", fmt.Errorf("look for the scan archive: %d are registered, want one", len(services.Services))
}

// ToolCalls are the calls of tools.log, the oldest first.
func (c *Config) ToolCalls() (calls []ToolCall, err error) {
	b, err := os.ReadFile(filepath.Join(c.Dir, ToolsFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for line := range bytes.Lines(b) {
		var call ToolCall
		if err := json.Unmarshal(line, &call); err != nil {
			return nil, fmt.Errorf("read %s: %w", ToolsFile, err)
		}
		calls = append(calls, call)
	}
	return calls, err
}

// Log appends a line to a file of the machine's folder.
func (c *Config) Log(name, text string) error {
	f, err := os.OpenFile(filepath.Join(c.Dir, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text + "\n")
	return errors.Join(err, f.Close())
}
