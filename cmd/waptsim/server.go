package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"waptwua/server"
)

// child is a waptserver that runs as a process of its own, as it does in
// earnest.
type child struct {
	program  string // path of waptserver
	data     string
	log      *os.File
	cmd      *exec.Cmd
	exited   chan error
	Agents   string `json:"agents"`  // https://…
	Console  string `json:"console"` // http://…
	password string // of the first administrator, for one sign-in
	token    string // of the API
}

// tell runs waptserver with args and decodes the JSON it prints.
func (c *child) tell(ctx context.Context, into any, args ...string) error {
	out, err := exec.CommandContext(ctx, c.program, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return fmt.Errorf("waptserver %s: %w: %s", args[0], err, exit.Stderr)
		}
		return fmt.Errorf("waptserver %s: %w", args[0], err)
	}
	return json.Unmarshal(out, into)
}

// init makes the data directory with the given options of waptserver.ini.
func (c *child) init(ctx context.Context, options map[string]string) error {
	args := []string{"init", "--data", c.data, "--json"}
	for name, value := range options {
		args = append(args, "--set", name+"="+value)
	}
	var made struct {
		Password string `json:"password"`
	}
	if err := c.tell(ctx, &made, args...); err != nil {
		return err
	}
	c.password = made.Password
	var err error
	c.token, err = c.newToken(ctx, "--kind", "api", "--role", "administrator", "--note", "demonstration")
	return err
}

func (c *child) newToken(ctx context.Context, args ...string) (string, error) {
	var made struct {
		Secret string `json:"secret"`
	}
	err := c.tell(ctx, &made, append([]string{"token", "create", "--data", c.data, "--json"}, args...)...)
	return made.Secret, err
}

// start starts the server and returns when it is ready.
func (c *child) start(ctx context.Context) (err error) {
	if c.log, err = os.OpenFile(filepath.Join(filepath.Dir(c.data), "server.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return err
	}
	c.cmd = exec.Command(c.program, "serve", "--data", c.data, "--json")
	c.cmd.Stderr = c.log
	c.cmd.SysProcAttr = childAttributes() // Ctrl-C is for us; we stop the server when the fleet has stopped
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("starting the server: %w", err)
	}
	line, err := bufio.NewReader(io.LimitReader(stdout, 64<<10)).ReadBytes('\n')
	c.exited = make(chan error, 1)
	go func() { c.exited <- c.cmd.Wait() }()
	if err != nil {
		return fmt.Errorf("the server did not start; see %s: %w", c.log.Name(), errors.Join(err, ctx.Err()))
	}
	return json.Unmarshal(line, c)
}

// stop asks the server to stop and waits for it.
func (c *child) stop() error {
	if c.cmd == nil || c.cmd.Process == nil || c.exited == nil {
		return nil
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-c.exited:
		c.exited <- err
		return errors.Join(err, c.log.Close())
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("the server did not stop within 30 seconds and was killed"), c.cmd.Process.Kill())
	}
}

// summary asks the server how the fleet is.
// archiveError is why the server could not refresh its archive; "" when it
// could, or has not tried yet.
func (c *child) archiveError(ctx context.Context) (string, error) {
	var a server.ArchiveView
	err := c.get(ctx, "/api/v1/archive", &a)
	return a.LastError, err
}

func (c *child) summary(ctx context.Context) (server.Summary, error) {
	var s server.Summary
	return s, c.get(ctx, "/api/v1/summary", &s)
}

// maxAnswer bounds an answer of the API, in bytes.
const maxAnswer = 64 << 20

func (c *child) get(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Console+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: the server answered %s", path, resp.Status)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(into)
}
