package main

import "syscall"

// childAttributes put a child into a process group of its own, and have it
// asked to stop when we are killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
