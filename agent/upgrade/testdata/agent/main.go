// Command agent is a small agent for the tests of package upgrade: a real
// program that is built in several versions, replaces itself, and is killed.
//
// It keeps its folder in ./dir and takes releases from ./source, trusting
// ./release.crt, all in the working folder. KILL_AT names the step at which
// it kills itself, HOURS moves its clock, LIMIT is the guard's patience.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"waptwua/agent/upgrade"
	"waptwua/signing"
	"waptwua/transport/client"
)

// Set by the linker. kind is "" (good), crash (its service ends at once),
// mute (its service never reaches the server), unwell or offline (its check).
var version, kind string

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(command string) error {
	switch command {
	case "version":
		fmt.Println(version)
		return nil
	case "check":
		return json.NewEncoder(os.Stdout).Encode(upgrade.Health{Version: version, Healthy: kind != "unwell" && kind != "offline", Offline: kind == "offline", Problems: []string{kind}})
	case "update":
		return update()
	case "guard":
		g := upgrade.Guard{Dir: "dir", Program: program(), Service: service{}, Limit: limit(), Poll: 20 * time.Millisecond, Now: now, Sleep: sleep, Reached: reached}
		return g.Run(context.Background())
	case "service":
		return serve()
	}
	return errors.New("unknown command")
}

// limit is how long a guard waits: $LIMIT, or longer than any test takes.
func limit() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("LIMIT")); err == nil {
		return d
	}
	return time.Minute
}

func program() string { p, _ := filepath.Abs("agent"); return p }

func now() time.Time {
	hours, _ := strconv.Atoi(os.Getenv("HOURS"))
	return time.Now().Add(time.Duration(hours) * time.Hour)
}

func sleep(_ context.Context, d time.Duration) error { time.Sleep(d); return nil }

func reached(step string) {
	if os.Getenv("KILL_AT") == step {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		time.Sleep(time.Hour)
	}
}

func upgrader() (*upgrade.Upgrader, error) {
	return upgrade.New(upgrade.Options{
		Dir: "dir", Program: program(), Version: version, Platform: "test/test", Now: now, Reached: reached, Source: folder{},
		Trust: func() (*signing.Trust, error) {
			text, err := os.ReadFile("release.crt")
			if err != nil {
				return nil, err
			}
			return signing.LoadTrust(text)
		},
		Check: func(ctx context.Context, program string) (upgrade.Health, error) {
			var h upgrade.Health
			out, err := exec.CommandContext(ctx, program, "check").Output()
			if err != nil {
				return h, err
			}
			return h, json.Unmarshal(out, &h)
		},
	})
}

// folder hands out ./source, as a server does.
type folder struct{}

func (folder) Release(context.Context) ([]byte, error) { return os.ReadFile("source/release.json") }

func (folder) ReleaseFile(_ context.Context, req client.FileRequest) (*client.FileResponse, error) {
	f, err := os.Open(filepath.Join("source", req.Name))
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	_, err = f.Seek(req.Offset, 0)
	return &client.FileResponse{Body: f, Offset: req.Offset, Size: fi.Size()}, err
}

// update takes a release and is its own guard's parent.
func update() error {
	up, err := upgrader()
	if err != nil {
		return err
	}
	o, err := up.Look(context.Background())
	if err != nil {
		return err
	}
	guard, err := up.Prepare(context.Background(), o)
	if err != nil {
		return err
	}
	c := exec.Command(guard, "guard")
	c.Stderr = os.Stderr
	return c.Run()
}

// serve is the service: it begins, confirms and stays until it is ended.
func serve() error {
	up, err := upgrader()
	if err != nil {
		return err
	}
	unconfirmed, err := up.Begin()
	if err != nil {
		return err
	}
	if kind == "crash" {
		return errors.New("crash")
	}
	if unconfirmed && kind != "mute" {
		if err := up.Confirm(context.Background()); err != nil {
			return err
		}
	}
	if err := os.WriteFile("running", []byte(version), 0o600); err != nil {
		return err
	}
	for {
		time.Sleep(time.Hour)
	}
}

// service is the agent's service by way of its process id.
type service struct{}

func pid() int {
	text, err := os.ReadFile("pid")
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(string(text))
	return n
}

func (service) Start(context.Context) error {
	c := exec.Command(program(), "service")
	c.Env = append(os.Environ(), "KILL_AT=")
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return err
	}
	go func() { _ = c.Wait() }() // no zombie: it would count as running
	return os.WriteFile("pid", []byte(strconv.Itoa(c.Process.Pid)), 0o600)
}

func (service) Running() (bool, error) {
	p := pid()
	if p == 0 || syscall.Kill(p, 0) != nil {
		return false, nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p))
	return err == nil && len(stat) > 0, nil // a zombie has none
}

func (s service) Stop(ctx context.Context) error {
	for {
		running, err := s.Running()
		if err != nil || !running {
			return err
		}
		_ = syscall.Kill(pid(), syscall.SIGKILL)
		_ = sleep(ctx, 10*time.Millisecond)
	}
}
