package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua/internal/pki"
	"waptwua/server"
	"waptwua/signing"
)

// builder is a data directory, an administrator and a Windows program, made
// with Go and small.
type builder struct {
	t               *testing.T
	data, dir       string
	program         string
	adminCert, both string // a file with the certificate, one with the key, too
}

func newBuilder(t *testing.T) *builder {
	t.Helper()
	for _, p := range []string{"wixl", "msibuild", "msiinfo"} {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skipf("%s is not installed", p)
		}
	}
	dir := t.TempDir()
	b := &builder{t: t, dir: dir, data: filepath.Join(dir, "data"), program: filepath.Join(dir, "tiny.exe"),
		adminCert: filepath.Join(dir, "alice.crt"), both: filepath.Join(dir, "both.pem")}
	if _, err := initSite(t.Context(), b.data, []string{"server_name=wapt.example.org"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	id, err := pki.NewAdministrator("alice", pki.ECDSAP256, 24*time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := id.Save(b.adminCert, filepath.Join(dir, "alice.pem"), nil); err != nil {
		t.Fatal(err)
	}
	key, err := pki.EncodeKey(id.Key, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.write(b.both, append(key, pki.EncodeCertificates(id.Leaf())...))
	b.write(filepath.Join(dir, "main.go"), []byte("package main\n\nvar version = \"1.4.2\"\n\nfunc main() { println(version) }\n"))
	c := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", b.program, "main.go")
	c.Dir, c.Env = dir, append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0", "GO111MODULE=off")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("building a program for Windows: %v\n%s", err, out)
	}
	return b
}

func (b *builder) write(path string, content []byte) {
	b.t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// build runs `agent build` and returns its output.
func (b *builder) build(args ...string) (string, error) {
	b.t.Helper()
	return b.command(append([]string{"agent", "build", "--out", filepath.Join(b.dir, "out"), "--program", b.program, "--version", "1.4.2"}, args...)...)
}

// command runs waptserver and returns its output.
func (b *builder) command(args ...string) (string, error) {
	b.t.Helper()
	var out bytes.Buffer
	cmd := newRootCommand()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err := cmd.ExecuteContext(b.t.Context())
	return out.String(), err
}

func TestAgentBuild(t *testing.T) {
	b := newBuilder(t)
	text, err := b.build("--data", b.data, "--admin-cert", b.adminCert, "--waptwua", "manage", "--set", "waptwua.install_delay=7d",
		"--set", "waptwua.download_scheduling=2h", "--new-token", "--uses", "25", "--expires", "3d", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var made builtAgents
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(made.Packages) != 1 || made.Server != "https://wapt.example.org:8443" || made.Token == nil || made.Token.UsesLeft != 25 {
		t.Errorf("made %+v", made)
	}
	if strings.Contains(text, "waptenrol_") {
		t.Error("the token's secret is printed; it is in the package")
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "msiextract", "-C", dir, made.Packages[0].Package).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*", "waptwua", "install.ini"))
	if len(found) == 0 && err == nil { // how msiextract names the folder differs between versions
		found, err = filepath.Glob(filepath.Join(dir, "waptwua", "install.ini"))
	}
	if err != nil || len(found) != 1 {
		t.Fatalf("install.ini: %v, %v", found, err)
	}
	ini, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"wapt_server = https://wapt.example.org:8443\n", "verify_cert = server-ca.pem\n", "enabled = true\n", "install_delay = 7d\n", "download_scheduling = 2h\n"} {
		if !strings.Contains(string(ini), want) {
			t.Errorf("install.ini lacks %q:\n%s", want, ini)
		}
	}
	ca, err := os.ReadFile(filepath.Join(filepath.Dir(found[0]), "server-ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if own, err := os.ReadFile(filepath.Join(b.data, "pki", "ca.crt")); err != nil || !bytes.Equal(ca, own) {
		t.Errorf("the CA is not the server's (%v)", err)
	}
	if certs, err := filepath.Glob(filepath.Join(filepath.Dir(found[0]), "ssl", "alice-*.crt")); err != nil || len(certs) != 1 {
		t.Errorf("administrators' certificates: %v, %v", certs, err)
	} else if text, err := os.ReadFile(certs[0]); err != nil {
		t.Error(err)
	} else if _, err := signing.LoadTrust(text); err != nil {
		t.Errorf("the agent could not read it: %v", err)
	}
}

func TestAgentBuildRefuses(t *testing.T) {
	b := newBuilder(t)
	for name, c := range map[string]struct {
		args  []string
		wrong string
	}{
		"private key":          {[]string{"--data", b.data, "--admin-cert", b.both}, "private key"},
		"no CA as CA":          {[]string{"--ca", filepath.Join(b.data, "pki", "server.crt")}, "not that of a CA"},
		"misspelled option":    {[]string{"--set", "waptwua.instal_delay=7d"}, "misspelled"},
		"value without sense":  {[]string{"--set", "waptwua.install_delay=soon"}, "install_delay"},
		"insecure address":     {[]string{"--server", "http://wapt.example.org"}, "only https"},
		"unknown choice":       {[]string{"--waptwua", "perhaps"}, "manage, disable or leave"},
		"token without data":   {[]string{"--new-token"}, "--data"},
		"two tokens":           {[]string{"--data", b.data, "--new-token", "--token", "x"}, "not both"},
		"version":              {[]string{"--version", "dev"}, "MAJOR.MINOR.PATCH"},
		"other architecture":   {[]string{"--data", b.data, "--arch", "arm64"}, "no wapt-get.exe for arm64"},
		"one of two":           {[]string{"--data", b.data, "--arch", "amd64,arm64"}, "no wapt-get.exe for arm64"},
		"no such architecture": {[]string{"--data", b.data, "--arch", "amd64,foo"}, `"foo"`},
		"the program twice":    {[]string{"--data", b.data, "--program", b.program}, "second program"},
		"not a program":        {[]string{"--data", b.data, "--program", b.adminCert}, "not a Windows program"},
		"certificate, no key":  {[]string{"--data", b.data, "--sign-cert", b.adminCert}, "certificate and its key"},
		"no server":            {nil, "give --data, or --server and --ca"},
		"no CA":                {[]string{"--server", "https://wapt.example.org"}, "--ca"},
		"two addresses":        {[]string{"--data", b.data, "--server", "https://a.example.org", "--set", "global.wapt_server=https://b.example.org"}, "contradicts --server"},
		"two modes":            {[]string{"--data", b.data, "--waptwua", "disable", "--set", "waptwua.enabled=true"}, "contradicts --waptwua disable"},
		"uses of no token":     {[]string{"--data", b.data, "--uses", "7"}, "--new-token"},
		"end of no token":      {[]string{"--data", b.data, "--expires", "7d"}, "--new-token"},
		"token for nobody":     {[]string{"--data", b.data, "--new-token", "--uses", "0"}, "at least one"},
		"token and file":       {[]string{"--data", b.data, "--token", "x", "--token-file", b.adminCert}, "not both"},
		"no such certificates": {[]string{"--admin-cert", filepath.Join(b.dir, "absent.crt")}, "absent.crt"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := b.build(c.args...); err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("error %v, want %q", err, c.wrong)
			}
		})
	}
}

// TestAgentBuildTakesTokenBack: a build that fails leaves no token that is good.
func TestAgentBuildTakesTokenBack(t *testing.T) {
	b := newBuilder(t)
	if out, err := b.build("--data", b.data, "--admin-cert", b.adminCert, "--new-token", "--sign-cert", b.adminCert); err == nil {
		t.Fatalf("built without the key that signs:\n%s", out)
	}
	var tokens []server.TokenView
	out, err := b.command("token", "list", "--data", b.data, "--json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(out), &tokens); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(tokens) != 1 || tokens[0].Usable || tokens[0].Revoked.IsZero() {
		t.Errorf("tokens after the failed build: %+v", tokens)
	}
}

// TestAgentBuildWithoutServer: address and trust may also be options.
func TestAgentBuildWithoutServer(t *testing.T) {
	b := newBuilder(t)
	out, err := b.build("--set", "global.wapt_server=https://wapt.example.org:8443", "--set", "global.verify_cert=C:\\ca.pem")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"server   https://wapt.example.org:8443\n", "warning: no administrator's certificate"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not said:\n%s", want, out)
		}
	}
}

func TestPrintBuilt(t *testing.T) {
	for uses, want := range map[int]string{1: "good for 1 host until", 2: "good for 2 hosts until"} {
		var out strings.Builder
		if err := printBuilt(&out, builtAgents{Token: &server.TokenView{ID: "t", UsesLeft: uses}}); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%d uses: %v\n%s", uses, err, &out)
		}
	}
}
