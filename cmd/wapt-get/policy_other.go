//go:build !windows

package main

import (
	"errors"

	"waptwua/internal/shutdownscript"
)

// policyMachine is an error: there is no group policy here.
func policyMachine() (shutdownscript.Machine, error) {
	return shutdownscript.Machine{}, errors.New("there are no shutdown scripts of a group policy here: they are for Windows; let the init system run: wapt-get waptexit --silent")
}
