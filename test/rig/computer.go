package rig

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"waptwua/agent"
	"waptwua/cmd/waptsim/fleet"
)

// Computer is one simulated host on which somebody types wapt-get.
type Computer struct {
	s    *System
	dir  string
	UUID string
	set  map[string]map[string]string // section → option → value
}

// NewComputer makes the n-th machine of w a computer with these options of
// [waptwua]; it is not registered.
func (s *System) NewComputer(w *World, n int, options map[string]string) *Computer {
	s.t.Helper()
	c := &Computer{s: s, dir: s.t.TempDir(), UUID: fleet.UUID(w.seed+1, n)}
	c.set = map[string]map[string]string{
		"global": {
			"wapt_server": s.Agents, "uuid": c.UUID, "verify_cert": s.CA(), "dbdir": filepath.Join(c.dir, "agent"), "public_certs_dir": filepath.Join(c.dir, "ssl"),
		},
		"waptwua":   {"postboot_delay": "0s"},
		"simulator": {"machine": filepath.Join(c.dir, "facts.json"), "roots": w.Roots, "dir": filepath.Join(c.dir, "machine")},
	}
	maps.Copy(c.set["waptwua"], options)
	facts, err := json.Marshal(w.Machine(n))
	if err != nil {
		s.t.Fatal(err)
	}
	certificate, err := os.ReadFile(s.Admin.Certificate)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(c.dir, "ssl"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	c.write("facts.json", facts)
	c.write(filepath.Join("ssl", "admin.crt"), certificate)
	c.save()
	return c
}

// Set changes an option of wapt-get.ini.
func (c *Computer) Set(section, option, value string) {
	c.s.t.Helper()
	c.set[section][option] = value
	c.save()
}

func (c *Computer) save() {
	c.s.t.Helper()
	var b strings.Builder
	for _, section := range slices.Sorted(maps.Keys(c.set)) {
		fmt.Fprintf(&b, "[%s]\n", section)
		for _, option := range slices.Sorted(maps.Keys(c.set[section])) {
			fmt.Fprintf(&b, "%s = %s\n", option, c.set[section][option])
		}
	}
	c.write("wapt-get.ini", []byte(b.String()))
}

func (c *Computer) write(name string, b []byte) {
	c.s.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), b, 0o600); err != nil {
		c.s.t.Fatal(err)
	}
}

// Register enrols the computer with a token of its own.
func (c *Computer) Register() {
	c.s.t.Helper()
	token := c.s.file("token-"+c.UUID, c.s.NewToken("--uses", "1"))
	if code, text := c.Run("register", "--token-file", token); code != 0 {
		c.s.t.Fatalf("register: exit %d: %s", code, text)
	}
}

// Run runs wapt-get and returns its exit code and what it wrote.
func (c *Computer) Run(args ...string) (code int, text string) {
	c.s.t.Helper()
	args = append([]string{"--config", filepath.Join(c.dir, "wapt-get.ini")}, args...)
	out, err := exec.Command(filepath.Join(c.s.Bin, "wapt-get"), args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.s.t.Fatal(err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return code, string(out)
}

// Status is what `wapt-get waptwua-status` says.
func (c *Computer) Status() (st agent.Status) {
	c.s.t.Helper()
	code, text := c.Run("waptwua-status", "--json")
	if err := json.Unmarshal([]byte(text), &st); code != 0 || err != nil {
		c.s.t.Fatalf("waptwua-status: exit %d, %v: %s", code, err, text)
	}
	return st
}

// Forget removes the payload files from the agent's cache.
func (c *Computer) Forget() {
	c.s.t.Helper()
	if err := os.RemoveAll(filepath.Join(c.dir, "agent", "cache", "files")); err != nil {
		c.s.t.Fatal(err)
	}
}
