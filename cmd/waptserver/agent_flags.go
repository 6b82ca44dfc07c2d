package main

import (
	"errors"
	"fmt"
	"slices"

	"waptwua/agent/settings"
	"waptwua/internal/cmdline"
)

// check refuses flags of `agent build` that contradict each other, or that
// would have no effect. given tells whether a flag stands on the command line.
func (o *buildFlags) check(given func(flag string) bool) error {
	if err := o.checkToken(given); err != nil {
		return err
	}
	for _, arch := range o.arch {
		if arch != "amd64" && arch != "arm64" {
			return fmt.Errorf("--arch %q: agents are built for amd64 and arm64", arch)
		}
	}
	return o.checkTwice()
}

func (o *buildFlags) checkToken(given func(flag string) bool) error {
	switch {
	case o.newToken && (o.token != "" || o.tokenFile != ""):
		return errors.New("give a token, or --new-token, not both")
	case o.token != "" && o.tokenFile != "":
		return errors.New("give --token, or --token-file, not both")
	case o.newToken && o.data == "":
		return errors.New("--new-token needs --data: the server must know the token")
	case o.newToken && o.uses < 1:
		return fmt.Errorf("--uses %d: a token is for at least one host", o.uses)
	}
	for _, flag := range []string{"uses", "expires"} {
		if given(flag) && !o.newToken {
			return fmt.Errorf("--%s is of the token that --new-token makes; give that, too", flag)
		}
	}
	return nil
}

// checkTwice refuses an option that has a flag of its own and that --set
// sets to something else.
func (o *buildFlags) checkTwice() error {
	mode, err := settings.Mode(o.waptwua)
	if err != nil {
		return fmt.Errorf("--waptwua: %w", err)
	}
	for _, text := range o.set {
		a, err := settings.ParseAssignment(text)
		if err != nil {
			return fmt.Errorf("--set: %w", err)
		}
		switch a.Section + "." + a.Name {
		case settings.Global + ".wapt_server":
			if o.server != "" && a.Value != o.server {
				return fmt.Errorf("--set %s contradicts --server %s", text, o.server)
			}
		case settings.WaptWUA + ".enabled":
			if mode.Value != "" && a.Value != mode.Value {
				return fmt.Errorf("--set %s contradicts --waptwua %s", text, o.waptwua)
			}
		}
	}
	return nil
}

// connectable returns the server's address, and refuses options with which no
// host could reach and believe a server.
func connectable(options []settings.Assignment) (server string, err error) {
	value := func(name string) string {
		i := slices.IndexFunc(options, func(a settings.Assignment) bool { return a.Section == settings.Global && a.Name == name })
		if i < 0 {
			return ""
		}
		return options[i].Value
	}
	switch {
	case value("wapt_server") == "":
		return "", cmdline.Usagef("hosts would not know their server; give --data, or --server and --ca")
	case value("verify_cert") == "" && value("server_fingerprint") == "":
		return "", cmdline.Usagef("hosts would believe no server; give --data, or the server's CA with --ca")
	}
	return value("wapt_server"), nil
}
