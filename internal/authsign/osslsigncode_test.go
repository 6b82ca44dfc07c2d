package authsign

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/authenticode"
)

// TestOsslsigncodeAgrees has another program judge what Sign makes.
func TestOsslsigncodeAgrees(t *testing.T) {
	needOsslsigncode(t)
	a, other := authority(t), authority(t)
	for name, o := range map[string]Options{
		"token":            {Program: "Generated archive"},
		"countersignature": {Program: "Generated archive", Countersign: true},
		"no timestamp":     {NoTimestamp: true},
	} {
		t.Run(name, func(t *testing.T) {
			path := cabinet(t)
			sign(t, a, path, o)
			if out, err := osslsigncodeVerify(t, a, path); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if out, err := osslsigncodeVerify(t, other, path); err == nil {
				t.Errorf("accepted under a foreign root:\n%s", out)
			}
		})
	}
}

// TestOsslsigncodeIsRead has package authenticode judge what another
// program signs: also a cabinet that had no room for a signature before.
func TestOsslsigncodeIsRead(t *testing.T) {
	needOsslsigncode(t)
	a := authority(t)
	for _, tc := range []struct {
		name string
		hash string
		sha1 bool // allowed
		want error
	}{
		{"SHA-256", "sha256", false, nil},
		{"SHA-384", "sha384", false, nil},
		{"SHA-1 refused", "sha1", false, waptwua.ErrNotTrusted},
		{"SHA-1 allowed", "sha1", true, nil},
		{"MD5 refused", "md5", true, waptwua.ErrNotTrusted},
	} {
		t.Run(tc.name, func(t *testing.T) {
			signed := osslsigncodeSign(t, a, cabinetWith(t, nil), tc.hash)
			r, err := authenticode.Verify(bytes.NewReader(signed), int64(len(signed)),
				authenticode.Options{Roots: []*x509.Certificate{a.Root}, At: time.Now(), AllowSHA1: tc.sha1})
			if !errors.Is(err, tc.want) {
				t.Fatalf("error %v, want %v", err, tc.want)
			}
			if err == nil && (r.Program != "by another" || r.SHA1 != tc.sha1 || r.Timestamp == nil || !r.Timestamp.Chain.Anchored) {
				t.Errorf("verified as %+v", r)
			}
		})
	}
}

// TestOtherSignedFilesNamedCab: a program and an installer package that the
// trusted publisher signed are no cabinet, whatever their name and signature.
func TestOtherSignedFilesNamedCab(t *testing.T) {
	needOsslsigncode(t)
	a := authority(t)
	for kind, file := range map[string]func(*testing.T) string{"EXE": program, "MSI": installerPackage} {
		t.Run(kind, func(t *testing.T) {
			unsigned := file(t)
			signed := osslsigncodeSign(t, a, unsigned, "sha256")
			path := writeFile(t, "wsusscn2.cab", signed)
			if out, err := osslsigncodeVerify(t, a, path); err != nil {
				t.Fatalf("the file's own signature is not good: %v\n%s", err, out)
			}
			_, err := authenticode.Verify(bytes.NewReader(signed), int64(len(signed)), authenticode.Options{Roots: []*x509.Certificate{a.Root}, At: time.Now()})
			if !errors.Is(err, waptwua.ErrNotTrusted) || !strings.Contains(err.Error(), kind) {
				t.Errorf("error %v; want ErrNotTrusted that names %s", err, kind)
			}
		})
	}
}

// program compiles a Windows program.
func program(t *testing.T) string {
	t.Helper()
	const compiler = "x86_64-w64-mingw32-gcc"
	need(t, compiler, "gcc-mingw-w64-x86-64")
	path := filepath.Join(t.TempDir(), "program.exe")
	compile(t, compiler, "-o", path, writeFile(t, "program.c", []byte("int main(void) { return 0; }\n")))
	return path
}

// installerPackage makes a package of the Windows Installer.
func installerPackage(t *testing.T) string {
	t.Helper()
	need(t, "wixl", "wixl")
	path := filepath.Join(t.TempDir(), "package.msi")
	compile(t, "wixl", "-o", path, writeFile(t, "product.wxs", []byte(`<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
<Product Id="*" Name="Nothing" Version="1.0" Manufacturer="Nobody" Language="1033" UpgradeCode="2E0E6C1C-6D4F-4E9B-9A39-1C9E8B2B0C11">
<Package InstallerVersion="200" Compressed="yes"/><Directory Id="TARGETDIR" Name="SourceDir"/><Feature Id="F" Level="1"/>
</Product></Wix>`)))
	return path
}

func compile(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func needOsslsigncode(t *testing.T) {
	t.Helper()
	need(t, "osslsigncode", "osslsigncode")
}

// need skips the test without a program, but not in CI.
func need(t *testing.T, program, of string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed; the Debian package %s has it", program, of)
	}
	t.Skipf("%s is not installed", program)
}

func osslsigncodeVerify(t *testing.T, a *Authority, path string) ([]byte, error) {
	t.Helper()
	roots := writeFile(t, "roots.pem", a.RootPEM())
	return exec.Command("osslsigncode", "verify", "-CAfile", roots, "-TSA-CAfile", roots, "-in", path).CombinedOutput()
}

func osslsigncodeSign(t *testing.T, a *Authority, path, hash string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "signed.cab")
	args := []string{"sign", "-h", hash, "-n", "by another", "-in", path, "-out", out,
		"-certs", certificates(t, a.Signer.Certificate, a.Root), "-key", key(t, a.Signer),
		"-TSA-certs", certificates(t, a.TSA.Certificate, a.Root), "-TSA-key", key(t, a.TSA)}
	if text, err := exec.Command("osslsigncode", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func certificates(t *testing.T, certs ...*x509.Certificate) string {
	t.Helper()
	var b []byte
	for _, c := range certs {
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return writeFile(t, "certs.pem", b)
}

func key(t *testing.T, id Identity) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(id.Key)
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
