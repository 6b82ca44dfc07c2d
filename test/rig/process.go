package rig

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// Process is a child that can be stopped or killed.
type Process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error         // of the end; read after exited
	Lines  <-chan string // its output line by line, closed at its end
}

// maxLines is how many lines of output wait to be read; more block the child.
const maxLines = 10_000

// Start starts a program; its standard error is appended to the file log,
// whose end is shown when the test fails.
func Start(t testing.TB, log, program string, args ...string) *Process {
	t.Helper()
	f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, maxLines)
	p := &Process{cmd: exec.Command(program, args...), exited: make(chan struct{}), Lines: lines}
	p.cmd.Stderr = f
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(errors.Join(err, f.Close()))
	}
	go func() {
		defer close(p.exited)
		send(lines, out)
		p.err = errors.Join(p.cmd.Wait(), f.Close())
	}()
	t.Cleanup(func() { p.Kill() })
	return p
}

func send(to chan<- string, from io.Reader) {
	defer close(to)
	for s := bufio.NewScanner(from); s.Scan(); {
		to <- s.Text()
	}
}

// Pid is the number of the process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Kill ends the process as a power cut would, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // gone already is fine
	for range p.Lines {
	}
	<-p.exited
}

// Stop asks the process to end (SIGTERM) and returns how it did; one that has
// not ended within a minute is killed.
func (p *Process) Stop() error { return p.end(syscall.SIGTERM) }

// Interrupt is Ctrl-C.
func (p *Process) Interrupt() error { return p.end(os.Interrupt) }

func (p *Process) end(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	ended, _ := Within(time.Minute, p.gone)
	if !ended {
		p.Kill()
		return errors.New("it did not stop within a minute and was killed")
	}
	return p.err
}

func (p *Process) gone() (bool, string) {
	select {
	case <-p.exited:
		return true, ""
	default:
		return false, "still running"
	}
}

// Wait waits for the end and returns it.
func (p *Process) Wait(t testing.TB, limit time.Duration) error {
	t.Helper()
	Until(t, limit, p.gone)
	return p.err
}
