package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"waptwua"
	"waptwua/applicability"
	"waptwua/internal/machines"
	"waptwua/internal/world"
	"waptwua/wua/sim"
)

// scenario is the world in which a fleet lives.
type scenario struct {
	archive       string // path
	payloads      []world.Payload
	machine       func(n int) *applicability.Facts
	roots         []*x509.Certificate
	allowSHA1     bool
	serverOptions map[string]string
	rules         map[string]any // of the rule package, as waptwua_rules.json
	payloadsExist bool
}

func (d *demo) newScenario(ctx context.Context) (*scenario, error) {
	if d.archive != "" {
		return d.givenArchive()
	}
	fmt.Fprintf(d.out, "generating a scan archive of %d updates\n", d.updates)
	w, err := world.New(world.Options{Updates: d.updates, Seed: d.seed, Real: true})
	if err != nil {
		return nil, err
	}
	s := &scenario{archive: filepath.Join(d.dir, "origin", "wsusscn2.cab"), machine: w.Machine, payloadsExist: true}
	rootFile := filepath.Join(d.dir, "origin", "authority.pem")
	if s.roots, err = writeSigned(ctx, w, s.archive, rootFile, world.WriteOptions{Workers: runtime.NumCPU()}); err != nil {
		return nil, err
	}
	s.serverOptions = map[string]string{"archive_roots": rootFile}
	s.payloads = slices.SortedFunc(maps.Values(w.Payloads()), func(a, b world.Payload) int { return strings.Compare(a.URL, b.URL) })
	s.rules = map[string]any{
		"allowed_classifications":   []string{"Security Updates", "Critical Updates", "Update Rollups", "Updates"},
		"forbidden_classifications": []string{"Service Packs"},
	}
	return s, nil
}

// givenArchive is a world of real computers of the archive's time; nothing of
// it can be downloaded.
func (d *demo) givenArchive() (*scenario, error) {
	if _, err := os.Stat(d.archive); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(d.archive)
	if err != nil {
		return nil, err
	}
	var all []*applicability.Facts
	for _, name := range machines.Names() {
		f, err := machines.Facts(name)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return &scenario{
		archive: path, allowSHA1: true, machine: func(n int) *applicability.Facts { return all[n%len(all)] },
		serverOptions: map[string]string{"archive_allow_sha1": "True"},
		rules:         map[string]any{"default_allow": true, "allowed_severities": []waptwua.Severity{waptwua.Critical, waptwua.Important, waptwua.Moderate, waptwua.Low}},
	}, nil
}

// mishaps are what goes wrong on the hosts of a demonstration: now and then
// an installation fails and succeeds when it is tried again.
func mishaps() (*sim.Script, error) {
	return sim.NewScript(sim.Fault{Call: "install", Update: "*", First: 1, Last: 1, Rate: 0.05, Code: "0x80070643"})
}

func (d *demo) adminFile(name string) string { return filepath.Join(d.dir, "administrator", name) }

// permit does what an administrator does: makes a key, signs rules with it,
// and gives them to the server. The key stays outside the server's directory.
func (d *demo) permit(ctx context.Context) error {
	rules, err := json.MarshalIndent(d.scenario.rules, "", "  ")
	if err != nil {
		return err
	}
	token := d.adminFile("api-token.txt")
	for path, b := range map[string][]byte{d.adminFile("waptwua_rules.json"): rules, token: []byte(d.child.token)} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			return err
		}
	}
	envelope := d.adminFile("demo.dsse.json")
	for _, args := range [][]string{
		{"create-keycert", "--name", "demo", "--dir", filepath.Dir(envelope)},
		{"sign", "--type", "rules", "--name", "demo", "--version", "1", "--cert", d.adminFile("demo.crt"), "--key", d.adminFile("demo.pem"), "--out", envelope, d.adminFile("waptwua_rules.json")},
		{"upload-rules", "--server", d.child.Console, "--token-file", token, envelope},
	} {
		out, err := exec.CommandContext(ctx, d.agentProgram(), args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("wapt-get %s: %w: %s", args[0], err, out)
		}
	}
	return nil
}

// agentProgram is wapt-get beside waptserver.
func (d *demo) agentProgram() string {
	ext := filepath.Ext(d.server)
	return filepath.Join(filepath.Dir(d.server), "wapt-get"+ext)
}
