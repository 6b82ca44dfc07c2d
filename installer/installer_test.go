package installer

import (
	"bytes"
	"crypto/x509"
	"debug/pe"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/internal/pki"
)

// needs skips a test where a program of Debian is missing, unless in CI.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing: %v", p, err)
			}
			t.Skipf("%s is not installed", p)
		}
	}
}

// tiny is a Windows program that holds a version, made with Go.
func tiny(t *testing.T, arch, version string) []byte {
	t.Helper()
	dir := t.TempDir()
	source := "package main\n\nvar version = \"dev\"\n\nfunc main() { println(version) }\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(dir, "tiny.exe")
	c := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+version, "-o", exe, "main.go")
	c.Dir, c.Env = dir, append(os.Environ(), "GOOS=windows", "GOARCH="+arch, "CGO_ENABLED=0", "GO111MODULE=off")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("building a program for Windows: %v\n%s", err, out)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var at = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func administrator(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	id, err := pki.NewAdministrator(name, pki.ECDSAP256, 24*time.Hour, at)
	if err != nil {
		t.Fatal(err)
	}
	return id.Leaf()
}

// export is a table of a package as msiinfo prints it, without its head.
func export(t *testing.T, msi, table string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "msiinfo", "export", msi, table).Output()
	if err != nil {
		t.Fatalf("table %s: %v", table, err)
	}
	lines := strings.SplitN(strings.ReplaceAll(string(out), "\r", ""), "\n", 4)
	return lines[len(lines)-1]
}

func TestBuild(t *testing.T) {
	needs(t, "wixl", "msibuild", "msiinfo", "msiextract")
	for _, c := range []struct {
		platform       Platform
		arch, template string
	}{{AMD64, "amd64", "x64;1033"}, {ARM64, "arm64", "Arm64;1033"}} {
		t.Run(c.arch, func(t *testing.T) {
			plan := Plan{
				Platform: c.platform, Program: tiny(t, c.arch, "1.4.2"), Version: "v1.4.2", Settings: "[global]\nwapt_server = https://wapt.example.org\n",
				CA: []*x509.Certificate{administrator(t, "server")}, Administrators: []*x509.Certificate{administrator(t, "alice $(x) & <b>")},
				Releases: []*x509.Certificate{administrator(t, "release")}, Token: "waptenrol_AbC-9_x",
			}
			out := t.TempDir()
			b, err := Build(t.Context(), plan, Signing{}, out, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkSummary(t, b, c.template)
			checkTables(t, b)
			checkContent(t, b, &plan)
			again, err := Build(t.Context(), plan, Signing{}, t.TempDir(), nil)
			if err != nil {
				t.Fatal(err)
			}
			checkSame(t, b, again)
			if left, err := os.ReadDir(out); err != nil || len(left) != 2 {
				t.Errorf("the folder holds %v, %v; want the package and the program", left, err)
			}
		})
	}
}

func checkSummary(t *testing.T, b *Built, template string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "msiinfo", "suminfo", b.Package).Output()
	if err != nil || !strings.Contains(string(out), "Template: "+template+"\n") {
		t.Errorf("summary, %v:\n%s\nwant template %s", err, out, template)
	}
}

func checkTables(t *testing.T, b *Built) {
	t.Helper()
	for table, want := range map[string][]string{
		"File":                   {"WaptGet\tWaptGet\twapt-get.exe\t", "\t1.4.2.0\t1033\t"},
		"Upgrade":                {"{" + UpgradeCode + "}\t\t1.4.2\t\t513\t\tWIX_UPGRADE_DETECTED", "{" + UpgradeCode + "}\t1.4.2\t\t\t2\t\tWIX_DOWNGRADE_DETECTED"},
		"CustomAction":           {"Configure\t11282\tWaptGet\tconfigure -c ", "GiveBack\t3154\t"},
		"InstallExecuteSequence": {"RemoveExistingProducts\t\t1501", "Configure\tNOT REMOVE=\"ALL\"\t5750", "GiveBack\tREMOVE=\"ALL\" AND NOT UPGRADINGPRODUCTCODE\t3450"},
		"Property": {"ProductVersion\t1.4.2\n", "ProductCode\t" + b.ProductCode, "UpgradeCode\t{" + UpgradeCode + "}", "MsiHiddenProperties\tTOKEN\n", "TOKEN\twaptenrol_AbC-9_x\n",
			"SecureCustomProperties\tWIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED;SERVER;REPO;TOKEN;CA_FINGERPRINT;WAPTWUA;SETTINGS;PURGE\n"},
		"RemoveFile":     {"Remove\tWaptGet\twapt-get.exe\tINSTALLDIR\t2", "Removeguard\tWaptGet\twapt-get.guard.exe\tINSTALLDIR\t2"},
		"ServiceInstall": {"\twaptwua\twaptwua agent\t16\t2\t1\t", "service run --scm --config \"[INSTALLDIR]wapt-get.ini\""},
	} {
		got := export(t, b.Package, table)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("table %s lacks %q:\n%s", table, w, got)
			}
		}
	}
	for _, line := range strings.Split(export(t, b.Package, "CustomAction"), "\n") {
		if f := strings.Split(line, "\t"); len(f) > 3 && len(f[3]) > 255 {
			t.Errorf("custom action %s: a command line of %d characters; the column has 255", f[0], len(f[3]))
		}
	}
	if upper := regexp.MustCompile(`\{[0-9A-F-]{36}\}`); len(upper.FindAllString(export(t, b.Package, "Component"), -1)) < 7 {
		t.Errorf("components without an identifier:\n%s", export(t, b.Package, "Component"))
	}
}

func checkContent(t *testing.T, b *Built, p *Plan) {
	t.Helper()
	dir := t.TempDir()
	c := exec.CommandContext(t.Context(), "msiextract", "-C", dir, b.Package)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("msiextract: %v\n%s", err, out)
	}
	root := filepath.Join(dir, "Program Files", "waptwua")
	if _, err := os.Stat(root); err != nil {
		root = filepath.Join(dir, "waptwua") // how msiextract names the folder differs between versions
	}
	var names []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(root, path)
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	admin, release := certificateFiles("SSLDIR", p.Administrators), certificateFiles("RELEASESDIR", p.Releases)
	want := []string{"install.ini", "releases/" + release[0].name, CAFile, "ssl/" + admin[0].name, "wapt-get.exe"}
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("files: %s", d)
	}
	installed, err := os.ReadFile(filepath.Join(root, "wapt-get.exe"))
	if err != nil {
		t.Fatal(err)
	}
	beside, err := os.ReadFile(b.Program)
	if err != nil || !bytes.Equal(installed, beside) {
		t.Errorf("the program beside the package is not the one inside it (%v)", err)
	}
	if _, err := pe.NewFile(bytes.NewReader(installed)); err != nil {
		t.Errorf("the stamped program: %v", err)
	}
}

// checkSame compares two packages made of the same plan.
func checkSame(t *testing.T, a, b *Built) {
	t.Helper()
	if a.ProductCode != b.ProductCode {
		t.Errorf("product codes %s and %s", a.ProductCode, b.ProductCode)
	}
	for _, table := range []string{"File", "Component", "Property", "Upgrade", "CustomAction", "InstallExecuteSequence", "Directory", "ServiceInstall"} {
		if d := cmp.Diff(export(t, a.Package, table), export(t, b.Package, table)); d != "" {
			t.Errorf("table %s differs: %s", table, d)
		}
	}
	one, err := os.ReadFile(a.Program)
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile(b.Program)
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("the programs differ (%v)", err)
	}
}

func TestOtherContentIsAnotherProduct(t *testing.T) {
	p := Plan{Platform: AMD64, Version: "1.0.0", Settings: "a"}
	q := p
	q.Settings = "b"
	if p.productCode() == q.productCode() {
		t.Error("two packages with different settings have the same product code: the second could not be installed over the first")
	}
}

func TestPlanThatCannotBeBuilt(t *testing.T) {
	amd64 := tiny(t, "amd64", "1.4.2")
	for name, c := range map[string]struct {
		plan  Plan
		wrong string
	}{
		"no platform":       {Plan{Program: amd64, Version: "1.4.2"}, "platform"},
		"other processor":   {Plan{Platform: ARM64, Program: amd64, Version: "1.4.2"}, "not for windows/arm64"},
		"not a program":     {Plan{Platform: AMD64, Program: []byte("#!/bin/sh"), Version: "1.4.2"}, "not a Windows program"},
		"other version":     {Plan{Platform: AMD64, Program: amd64, Version: "77.66.55"}, "does not hold the version"},
		"no version":        {Plan{Platform: AMD64, Program: amd64, Version: "dev"}, "MAJOR.MINOR.PATCH"},
		"too high":          {Plan{Platform: AMD64, Program: amd64, Version: "256.0.0"}, "at most"},
		"token with quotes": {Plan{Platform: AMD64, Program: amd64, Version: "1.4.2", Token: `x" --purge 1`}, "token"},
		"large settings":    {Plan{Platform: AMD64, Program: amd64, Version: "1.4.2", Settings: strings.Repeat("x", maxSettings+1)}, "settings"},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			_, err := Build(t.Context(), c.plan, Signing{}, out, nil)
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("error %v, want %q", err, c.wrong)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("something was made")
			}
		})
	}
}

func TestNumericVersion(t *testing.T) {
	for v, want := range map[string]string{
		"1.2.3": "1.2.3", "v1.2.3": "1.2.3", "v1.2.3-rc1": "1.2.3", "v1.2.3-4-gabcdef0": "1.2.3", "0.0.0": "0.0.0", "255.255.65535": "255.255.65535",
		"1.2": "", "1": "", "": "", "dev": "", "1.2.3.4": "", "256.0.0": "", "0.0.65536": "", "1.02.3": "",
	} {
		got, err := NumericVersion(v)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("NumericVersion(%q) = %q, %v; want %q", v, got, err, want)
		}
	}
}

func TestStampKeepsResources(t *testing.T) {
	program := tiny(t, "amd64", "1.4.2")
	first, err := Stamp(program, "1.4.2")
	if err != nil {
		t.Fatal(err)
	}
	second, err := Stamp(first, "1.5.0")
	if err != nil {
		t.Fatal(err)
	}
	back, err := Stamp(second, "1.4.2")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, back) {
		t.Error("a program that was stamped anew keeps something of its old version")
	}
}

func TestCertificates(t *testing.T) {
	id, err := pki.NewAdministrator("alice", pki.ECDSAP256, 24*time.Hour, at)
	if err != nil {
		t.Fatal(err)
	}
	key, err := pki.EncodeKey(id.Key, nil)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := pki.NewServerAuthority("ca", 24*time.Hour, at)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := pki.NewAuthority(authority, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	tls, err := ca.IssueServer(id.Key.Public(), []string{"wapt.example.org"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	good := pki.EncodeCertificates(id.Leaf())
	if _, err := SigningCertificates("alice.crt", good, at); err != nil {
		t.Errorf("an administrator's certificate: %v", err)
	}
	if _, err := SigningCertificates("alice.pem", append(key, good...), at); !errors.Is(err, waptwua.ErrForbidden) {
		t.Errorf("a file with a private key: %v, want ErrForbidden", err)
	}
	if _, err := SigningCertificates("alice.crt", good, at.AddDate(1, 0, 0)); err == nil {
		t.Error("a certificate that has ended was taken")
	}
	if _, err := SigningCertificates("server.crt", pki.EncodeCertificates(tls), at); err == nil {
		t.Error("a server's certificate was taken as an administrator's")
	}
	if _, err := CACertificates("server.crt", pki.EncodeCertificates(tls)); err == nil {
		t.Error("a server's certificate was taken as its CA")
	}
	if _, err := CACertificates("ca.crt", pki.EncodeCertificates(ca.Certificate())); err != nil {
		t.Errorf("the server's CA: %v", err)
	}
}

func TestWarningsAreErrors(t *testing.T) {
	dir := t.TempDir()
	for name, script := range map[string]string{"wixl": "echo dropped something >&2", "msibuild": "echo bad query >&2; exit 1", "osslsigncode": "exit 0"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	if _, err := tool(t.Context(), dir, "wixl"); err == nil || !strings.Contains(err.Error(), "dropped something") {
		t.Errorf("a warning of wixl: %v", err)
	}
	if _, err := tool(t.Context(), dir, "msibuild"); err == nil || !strings.Contains(err.Error(), "bad query") {
		t.Errorf("a failure of msibuild: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := tool(t.Context(), dir, "wixl"); !errors.Is(err, ErrTool) || !strings.Contains(err.Error(), "Debian package wixl") {
		t.Errorf("wixl is not there: %v, want ErrTool and the package's name", err)
	}
}
