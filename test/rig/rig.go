// Package rig sets up whole systems for tests: the programs as they are
// built, an origin in Microsoft's place, a server and fleets as processes
// that can be killed, all on the loopback interface and below a folder of the
// test.
package rig

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"waptwua/internal/fixture"
	"waptwua/internal/origin"
)

// Programs builds the programs once for a test binary and returns their
// folder.
func Programs(t testing.TB) string {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatalf("building the programs: %v", err)
	}
	return dir
}

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "waptwua-programs-")
	if err != nil {
		return "", err
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./cmd/...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return dir, nil
})

// Remove removes the built programs; call it at the end of TestMain.
func Remove() {
	if dir, err := build(); err == nil {
		os.RemoveAll(dir)
	}
}

// Process is a child that can be killed.
type Process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error
	first  chan []byte // its first line of output
}

// Start starts a program; its standard error is appended to the file log.
func Start(t testing.TB, log, program string, args ...string) *Process {
	t.Helper()
	f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{cmd: exec.Command(program, args...), exited: make(chan struct{}), first: make(chan []byte, 1)}
	p.cmd.Stderr = f
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		r := bufio.NewReader(out)
		line, _ := r.ReadBytes('\n')
		p.first <- line
		_, _ = io.Copy(io.Discard, r)
		p.err = p.cmd.Wait()
		f.Close()
	}()
	t.Cleanup(p.Kill)
	return p
}

// Kill ends the process as a power cut would, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // gone already is fine
	<-p.exited
}

// Stop asks the process to end and returns how it did.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.exited
	return p.err
}

// System is a server with its origin.
type System struct {
	t       testing.TB
	Dir     string
	Bin     string
	Origin  *origin.Origin
	Server  *Process
	Agents  string // https://…
	Console string // http://…
	Token   string // of the API
	CA      string // path
	Admin   string // path of the administrator's certificate
}

// New makes a server over o, with the given options of waptserver.ini, and an
// administrator's key; the server is not started.
func New(t testing.TB, o *origin.Origin, options map[string]string) *System {
	t.Helper()
	front := httptest.NewServer(o)
	t.Cleanup(front.Close)
	s := &System{t: t, Dir: t.TempDir(), Bin: Programs(t), Origin: o}
	s.CA = filepath.Join(s.Data(), "pki", "ca.crt")
	args := []string{"init", "--data", s.Data(), "--json"}
	all := map[string]string{
		"console_listen": "127.0.0.1:0", "waptserver_port": "0", "wapt_bind_interface": "127.0.0.1", "server_name": "127.0.0.1",
		"archive_url": "http://download.windowsupdate.com" + origin.ArchivePath, "upstream_url": front.URL,
	}
	for name, value := range options {
		all[name] = value
	}
	for name, value := range all {
		args = append(args, "--set", name+"="+value)
	}
	s.Command("waptserver", args...)
	s.Token = s.NewToken("--kind", "api", "--role", "administrator")
	s.Command("wapt-get", "create-keycert", "--name", "admin", "--dir", s.Dir)
	s.Admin = filepath.Join(s.Dir, "admin.crt")
	return s
}

// Data is the server's data directory.
func (s *System) Data() string { return filepath.Join(s.Dir, "server") }

// Command runs one of the programs to its end and returns its output.
func (s *System) Command(program string, args ...string) []byte {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(s.Bin, program), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("%s %v: %v\n%s%s", program, args, err, out, stderr.Bytes())
	}
	return out
}

// NewToken makes a token and returns its secret.
func (s *System) NewToken(args ...string) string {
	s.t.Helper()
	out := s.Command("waptserver", append([]string{"token", "create", "--data", s.Data(), "--json"}, args...)...)
	var made struct {
		Secret string `json:"secret"`
	}
	if err := json.Unmarshal(out, &made); err != nil {
		s.t.Fatal(err)
	}
	return made.Secret
}

// Start starts the server and waits until it is ready. The port for hosts
// stays the same over restarts.
func (s *System) Start() {
	s.t.Helper()
	s.Server = Start(s.t, filepath.Join(s.Dir, "server.log"), filepath.Join(s.Bin, "waptserver"), "serve", "--data", s.Data(), "--json")
	select {
	case line := <-s.Server.first:
		if err := json.Unmarshal(line, s); err != nil {
			b, _ := os.ReadFile(filepath.Join(s.Dir, "server.log"))
			s.t.Fatalf("the server did not start: %q: %v\n%s", line, err, tail(b))
		}
	case <-time.After(time.Minute):
		s.t.Fatal("the server did not start within a minute")
	}
}

func tail(b []byte) []byte { return b[max(0, len(b)-4000):] }

// Rules signs rules as the administrator and uploads them.
func (s *System) Rules(version int, rules string) {
	s.t.Helper()
	file, token, envelope := filepath.Join(s.Dir, "rules.json"), filepath.Join(s.Dir, "api-token"), filepath.Join(s.Dir, "rules.dsse.json")
	for path, text := range map[string]string{file: rules, token: s.Token} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	s.Command("wapt-get", "sign", "--name", "test", "--version", strconv.Itoa(version), "--cert", s.Admin, "--key", filepath.Join(s.Dir, "admin.pem"), "--out", envelope, file)
	s.Command("wapt-get", "upload-rules", "--server", s.Console, "--token-file", token, envelope)
}

// Get asks the administration API; into may be nil.
func (s *System) Get(path string, into any) error { return s.call(http.MethodGet, path, into) }

// Post asks the administration API to do something.
func (s *System) Post(path string, into any) error { return s.call(http.MethodPost, path, into) }

func (s *System) call(method, path string, into any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.Console+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, b)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(b, into)
}

// Until calls done every 50 ms until it is true, and fails the test with what
// it said last when that takes longer than limit.
func Until(t testing.TB, limit time.Duration, done func() (bool, string)) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		ok, said := done()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", limit, said)
		}
	}
}

// RealArchive is the path of Microsoft's archive of 2011, or skips the test.
func RealArchive(t testing.TB) string {
	return fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab")
}
