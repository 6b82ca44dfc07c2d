package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua/authenticode"
	"waptwua/internal/authsign"
)

func TestArchiveIsSigned(t *testing.T) {
	dir := t.TempDir()
	signDir := filepath.Join(dir, "authority")
	tests := map[string]struct {
		args []string
		root string
	}{
		"fresh authority":  {nil, filepath.Join(dir, "fresh authority.cab.pem")},
		"stored authority": {[]string{"--sign-dir", signDir}, filepath.Join(signDir, authsign.CertificateFile)},
		"the same again":   {[]string{"--sign-dir", signDir}, filepath.Join(signDir, authsign.CertificateFile)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(dir, name+".cab")
			said := waptsim(t, 0, append([]string{"archive", "--updates", "60", "--real-payloads", out}, tt.args...)...)
			if !strings.Contains(said, "60 updates") || !strings.Contains(said, tt.root) {
				t.Errorf("it said %q", said)
			}
			verify(t, out, tt.root)
		})
	}
}

func TestArchiveUnsigned(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "1.cab"), filepath.Join(dir, "2.cab")
	waptsim(t, 0, "archive", "--updates", "60", "--unsigned", "--seed", "5", first)
	waptsim(t, 0, "archive", "--updates", "60", "--unsigned", "--seed", "5", "--workers", "1", second)
	if a, b := sha256.Sum256(read(t, first)), sha256.Sum256(read(t, second)); a != b {
		t.Error("the same options gave different archives")
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 2 {
		t.Errorf("it left %v", names)
	}
}

func TestArchiveRefuses(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "a.cab")
	for name, args := range map[string][]string{
		"too few updates":     {"archive", "--updates", "3", out},
		"no such directory":   {"archive", "--updates", "60", "--unsigned", filepath.Join(dir, "none", "a.cab")},
		"a broken authority":  {"archive", "--updates", "60", "--sign-dir", brokenAuthority(t), out},
		"a directory as file": {"archive", "--updates", "60", "--unsigned", dir},
	} {
		t.Run(name, func(t *testing.T) {
			if said := waptsim(t, 1, args...); !strings.HasPrefix(said, "waptsim: ") {
				t.Errorf("it said %q", said)
			}
		})
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 0 {
		t.Errorf("it left %v", names)
	}
}

func brokenAuthority(t *testing.T) string {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, authsign.CertificateFile), []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// waptsim runs the program, expects the exit status, and returns what it
// said.
func waptsim(t *testing.T, status int, args ...string) string {
	t.Helper()
	var said bytes.Buffer
	if got := run(t.Context(), args, &said, &said); got != status {
		t.Fatalf("waptsim %v: exit status %d, want %d\n%s", args, got, status, &said)
	}
	return said.String()
}

func verify(t *testing.T, path, rootFile string) {
	t.Helper()
	block, _ := pem.Decode(read(t, rootFile))
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, path)
	if _, err := authenticode.Verify(bytes.NewReader(b), int64(len(b)), authenticode.Options{Roots: []*x509.Certificate{root}, At: time.Now()}); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
