//go:build !windows

package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua/agent/agenttest"
	"waptwua/internal/fixture"
	"waptwua/internal/pki"
	"waptwua/internal/winetest"
	"waptwua/signing"
)

// crasher answers as an agent that is well, but its service ends at once.
const crasher = `package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "self-check" {
		fmt.Println("{\"version\": \"1.2.0\", \"healthy\": true}")
		return
	}
	os.Exit(3)
}
`

// wineHost is a Wine prefix with the agent in a folder of its own.
type wineHost struct {
	t      *testing.T
	prefix string
	server *agenttest.Server
	key    pki.Identity
}

func (w *wineHost) file(name string) string {
	return filepath.Join(w.prefix, "drive_c", "waptwua-selfupdate", name)
}

// run runs a Windows program and returns its output and exit code (its low
// eight bits).
func (w *wineHost) run(args ...string) (string, int) {
	w.t.Helper()
	out, code := winetest.Run(w.t, w.prefix, nil, args...)
	return strings.TrimSpace(out), code
}

// keepAlive keeps the prefix up: Wine ends services when no other process
// is left.
func (w *wineHost) keepAlive() {
	w.t.Helper()
	c := exec.CommandContext(context.WithoutCancel(w.t.Context()), "wine", "cmd")
	c.Env = append(os.Environ(), "WINEPREFIX="+w.prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")
	in, err := c.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = in.Close(); _ = c.Wait() })
}

func (w *wineHost) build(version string) []byte {
	w.t.Helper()
	exe := filepath.Join(w.t.TempDir(), "wapt-get.exe")
	c := exec.CommandContext(w.t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+version, "-o", exe, "./cmd/wapt-get")
	return w.built(c, fixture.Root(w.t), exe)
}

func (w *wineHost) buildCrasher() []byte {
	w.t.Helper()
	dir := w.t.TempDir()
	w.write(filepath.Join(dir, "main.go"), []byte(crasher))
	exe := filepath.Join(dir, "crasher.exe")
	return w.built(exec.CommandContext(w.t.Context(), "go", "build", "-trimpath", "-o", exe, "main.go"), dir, exe)
}

func (w *wineHost) built(c *exec.Cmd, dir, exe string) []byte {
	w.t.Helper()
	c.Dir, c.Env = dir, append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		w.t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *wineHost) write(path string, b []byte) {
	w.t.Helper()
	if err := os.WriteFile(path, b, 0o700); err != nil {
		w.t.Fatal(err)
	}
}

// offer has the server offer a program as a version.
func (w *wineHost) offer(version string, program []byte) {
	w.t.Helper()
	name := "wapt-get-" + version + ".exe"
	rel := signing.Release{Product: signing.ProductAgent, Version: version, Created: time.Now(), NotAfter: time.Now().AddDate(0, 1, 0),
		Files: []signing.ReleaseFile{{Platform: "windows/amd64", Name: name, Size: int64(len(program)), SHA256: sha256.Sum256(program)}}}
	payload, err := rel.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := signing.NewSigner(w.key)
	if err != nil {
		w.t.Fatal(err)
	}
	env, err := signing.Sign(signing.TypeRelease, payload, s)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := env.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	w.server.SetFile(name, program)
	w.server.SetRelease(text)
}

func (w *wineHost) wantRunning(version string) {
	w.t.Helper()
	if out, _ := w.run(w.file("wapt-get.exe"), "version"); out != version {
		w.t.Errorf("version %s is there, want %s", out, version)
	}
	if out, code := w.run(w.file("wapt-get.exe"), "service", "status"); code != 0 {
		w.t.Errorf("the service does not run: %s", out)
	}
}

// TestSelfUpdateUnderWine lets the real agent replace itself by a newer one,
// and go back from one whose service ends at once, under the service control
// manager of Wine.
func TestSelfUpdateUnderWine(t *testing.T) {
	prefix := winetest.Prefix(t)
	key, err := pki.NewAdministrator("releases", pki.ECDSAP256, 24*time.Hour, time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	w := &wineHost{t: t, prefix: prefix, server: agenttest.NewServer(t), key: key}
	if err := os.MkdirAll(w.file("releases"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.keepAlive()
	t.Cleanup(func() {
		w.run(w.file("wapt-get.exe"), "service", "uninstall")
		_ = os.RemoveAll(w.file(""))
	})
	w.write(w.file("wapt-get.exe"), w.build("1.0.0"))
	w.write(w.file("releases/releases.crt"), pki.EncodeCertificates(key.Leaf()))
	w.write(w.file("ca.pem"), w.server.CAPEM())
	w.write(w.file("wapt-get.ini"), fmt.Appendf(nil, "[global]\nwapt_server = %s\nverify_cert = ca.pem\n", w.server.URL))
	for _, args := range [][]string{{"register", "--token", agenttest.Token}, {"service", "install", "--start"}} {
		if out, code := w.run(append([]string{w.file("wapt-get.exe")}, args...)...); code != 0 && code != exitNotReported {
			t.Fatalf("%v: exit code %d\n%s", args, code, out)
		}
	}
	w.offer("1.1.0", w.build("1.1.0"))
	if out, code := w.run(w.file("wapt-get.exe"), "self-update"); code != 0 {
		t.Fatalf("self-update: exit code %d\n%s", code, out)
	}
	w.wantRunning("1.1.0")

	w.offer("1.2.0", w.buildCrasher())
	if out, code := w.run(w.file("wapt-get.exe"), "self-update"); code != exitFailed {
		t.Errorf("self-update to a version that ends at once: exit code %d\n%s", code, out)
	}
	w.wantRunning("1.1.0")
	if out, _ := w.run(w.file("wapt-get.exe"), "self-update", "--check"); !strings.Contains(out, "1.2.0 failed here") {
		t.Errorf("the failure is not told:\n%s", out)
	}
}
