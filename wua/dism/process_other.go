//go:build !windows

package dism

import (
	"os/exec"
	"syscall"
)

// group is a process group of its own.
type group struct{}

func newGroup() (*group, error) { return &group{}, nil }

func (*group) prepare(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func (*group) add(*exec.Cmd) error { return nil }

// kill ends the program and its children.
func (*group) kill(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

func (*group) close() {}
