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
	"time"

	"waptwua"
	"waptwua/applicability"
	"waptwua/internal/machines"
	"waptwua/internal/world"
	"waptwua/mirror"
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

// checkArchive looks at the archive of --archive as the server will, before
// anything is started or removed for it.
func (d *demo) checkArchive(ctx context.Context) (err error) {
	if d.archive == "" {
		return nil
	}
	if d.archive, err = filepath.Abs(d.archive); err != nil {
		return err
	}
	f, err := os.Open(d.archive)
	if err != nil {
		return fmt.Errorf("--archive: %w", err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return fmt.Errorf("--archive: %w", err)
	}
	if _, err := (mirror.Trust{AllowSHA1: true, Now: time.Now}).Inspect(ctx, f, fi.Size()); err != nil {
		return fmt.Errorf("--archive %s: the server would refuse it; give a scan archive (wsusscn2.cab) signed by Microsoft: %w", d.archive, err)
	}
	dir, err := filepath.Abs(d.dir)
	if err == nil && strings.HasPrefix(d.archive, dir+string(filepath.Separator)) {
		err = fmt.Errorf("--archive %s lies in --dir, whose content is removed first; move it elsewhere", d.archive)
	}
	return err
}

// givenArchive is a world of real computers of the archive's time; nothing of
// it can be downloaded.
func (d *demo) givenArchive() (*scenario, error) {
	var all []*applicability.Facts
	for _, name := range machines.Names() {
		f, err := machines.Facts(name)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return &scenario{
		archive: d.archive, allowSHA1: true, machine: func(n int) *applicability.Facts { return all[n%len(all)] },
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
