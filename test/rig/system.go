package rig

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"waptwua/internal/origin"
)

// System is a server with its origin and its administrator.
type System struct {
	t       testing.TB
	data    string
	shelf   string
	Dir     string // all but the server's data lies below it
	Bin     string
	Server  *Process
	Agents  string // https://…, the same over restarts
	Console string // http://…
	Token   string // of the API
	Admin   Admin  // the one that Fleets trust unless told otherwise
}

// New makes a server that fetches from microsoft, with the given options of
// waptserver.ini, and an administrator's key; the server is not started.
func New(t testing.TB, microsoft http.Handler, options map[string]string) *System {
	t.Helper()
	return NewAt(t, filepath.Join(t.TempDir(), "server"), microsoft, options)
}

// NewAt is New with the folder of the server's data.
func NewAt(t testing.TB, data string, microsoft http.Handler, options map[string]string) *System {
	t.Helper()
	front := httptest.NewServer(microsoft)
	t.Cleanup(func() {
		front.CloseClientConnections()
		front.Close()
	})
	s := &System{t: t, data: data, shelf: filepath.Join(data, "waptwua"), Dir: t.TempDir(), Bin: Programs(t)}
	t.Cleanup(func() { dump(t, s.log()) })
	args := []string{"init", "--data", s.Data(), "--json"}
	all := map[string]string{
		"console_listen": "127.0.0.1:0", "waptserver_port": strconv.Itoa(freePort(t)), "wapt_bind_interface": "127.0.0.1", "server_name": "127.0.0.1",
		"archive_url": "http://download.windowsupdate.com" + origin.ArchivePath, "upstream_url": front.URL,
	}
	for name, value := range options {
		all[name] = value
	}
	if folder := options["waptwua_folder"]; folder != "" {
		s.shelf = folder
	}
	for name, value := range all {
		args = append(args, "--set", name+"="+value)
	}
	s.Command("waptserver", args...)
	s.Token = s.NewToken("--kind", "api", "--role", "administrator")
	s.Admin = s.NewAdmin("admin")
	return s
}

// freePort is a port below those that systems give to connections, so that
// it stays free while a server is being restarted.
func freePort(t testing.TB) int {
	for range 100 {
		port := 20_000 + rand.IntN(10_000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return port
		}
	}
	t.Fatal("no free port from 20000 to 29999")
	return 0
}

// Data is the server's data directory.
func (s *System) Data() string { return s.data }

// Shelf is the folder that hosts are served from.
func (s *System) Shelf() string { return s.shelf }

// CA is the path of the server's CA certificate.
func (s *System) CA() string { return filepath.Join(s.Data(), "pki", "ca.crt") }

func (s *System) log() string { return filepath.Join(s.Dir, "server.log") }

// Log is what the server has logged, over all its starts.
func (s *System) Log() string {
	s.t.Helper()
	b, err := os.ReadFile(s.log())
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// Try runs one of the programs to its end and returns its output; the error
// holds what it wrote to standard error.
func (s *System) Try(program string, args ...string) ([]byte, error) {
	cmd := exec.Command(filepath.Join(s.Bin, program), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = errors.Join(err, errors.New(stderr.String()))
	}
	return out, err
}

// Command is Try for what must succeed.
func (s *System) Command(program string, args ...string) []byte {
	s.t.Helper()
	out, err := s.Try(program, args...)
	if err != nil {
		s.t.Fatalf("%s %v: %v\n%s", program, args, err, out)
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

// Start starts the server and waits until it is ready.
func (s *System) Start() {
	s.t.Helper()
	s.Launch()
	s.Ready()
}

// Launch starts the server without waiting for it.
func (s *System) Launch() {
	s.t.Helper()
	s.Server = Start(s.t, s.log(), filepath.Join(s.Bin, "waptserver"), "serve", "--data", s.Data(), "--json")
}

// Ready waits until the server has said its addresses.
func (s *System) Ready() {
	s.t.Helper()
	select {
	case line := <-s.Server.Lines:
		var at struct{ Agents, Console string }
		if err := json.Unmarshal([]byte(line), &at); err != nil {
			s.t.Fatalf("the server did not start: %q: %v", line, err)
		}
		s.Agents, s.Console = at.Agents, at.Console
	case <-time.After(time.Minute):
		s.t.Fatal("the server did not start within a minute")
	}
}

// Of makes the methods of a System that the test has put together itself
// report to t.
func (s *System) Of(t testing.TB) { s.t = t }
