package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waptwua/server"
)

// release runs `agent release` and returns its output.
func (b *builder) release(args ...string) (string, error) {
	b.t.Helper()
	return b.command(append([]string{"agent", "release"}, args...)...)
}

func (b *builder) mustRelease(args ...string) string {
	b.t.Helper()
	out, err := b.release(args...)
	if err != nil {
		b.t.Fatalf("%v: %v", args, err)
	}
	return out
}

// TestAgentRelease goes the way of a release: the key is made, a program is
// signed, published, listed and withdrawn.
func TestAgentRelease(t *testing.T) {
	b := newBuilder(t)
	password := filepath.Join(b.dir, "pw.txt")
	b.write(password, []byte("correct horse\n"))
	b.mustRelease("create-key", "--name", "releases", "--dir", b.dir, "--password-file", password)
	cert, key := filepath.Join(b.dir, "releases.crt"), filepath.Join(b.dir, "releases.pem")
	if text, err := os.ReadFile(key); err != nil || !bytes.Contains(text, []byte("ENCRYPTED PRIVATE KEY")) {
		t.Errorf("the key is not encrypted (%v)", err)
	}
	if _, err := b.release("create-key", "--name", "releases", "--dir", b.dir); err == nil {
		t.Error("a key was overwritten")
	}
	sign := []string{"sign", "--version", "v1.4.2", "--cert", cert, "--key", key}
	if _, err := b.release(append(sign, b.program)...); err == nil || !strings.Contains(err.Error(), "--password-file") {
		t.Errorf("signed without the key's password: %v", err)
	}
	sign = append(sign, "--password-file", password)
	if _, err := b.release(append(sign, "--version", "9.9.9", b.program)...); err == nil || !strings.Contains(err.Error(), "9.9.9") {
		t.Errorf("a program of another version was signed: %v", err)
	}
	if _, err := b.release(append(sign, b.adminCert)...); err == nil {
		t.Error("something that is no program was signed")
	}
	b.mustRelease(append(sign, b.program)...)
	file := filepath.Join(b.dir, "wapt-get-1.4.2.release.json")
	if _, err := b.release("publish", "--data", b.data, "--programs", t.TempDir(), file); err == nil || !strings.Contains(err.Error(), "--programs") {
		t.Errorf("published without the program: %v", err)
	}
	b.mustRelease("publish", "--data", b.data, file)
	if _, err := b.release("publish", "--data", b.data, file); err == nil {
		t.Error("published twice")
	}
	var list []server.ReleaseView
	if err := json.Unmarshal([]byte(b.mustRelease("list", "--data", b.data, "--json")), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].Version != "1.4.2" || !list[0].Current || list[0].Signer != "releases" || list[0].Files[0].Platform != "windows/amd64" {
		t.Errorf("list %+v", list)
	}
	if out := b.mustRelease("withdraw", "--data", b.data, "1.4.2", "--json"); out != "{\"withdrawn\":\"1.4.2\"}\n" {
		t.Errorf("withdraw --json prints %s", out)
	}
	if out := b.mustRelease("list", "--data", b.data, "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("after the withdrawal: %s", out)
	}
}
