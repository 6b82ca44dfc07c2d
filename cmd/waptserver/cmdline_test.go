package main

import (
	"strings"
	"testing"

	"waptwua/internal/cmdline"
)

func TestWrongCommandLines(t *testing.T) {
	for _, line := range []string{
		"frobnicate", "archive verfy x", "token bogus", "catalog bogus", "rules bogus", "user bogus", "agent release bogus",
		"archive verify", "archive info a b", "serve", "serve --data d --no-such-flag", "init --data d --set x",
		"token create --data d --expires soon", "catalog evaluate --machine m --machines d",
	} {
		status, stdout, stderr := cli(t, strings.Fields(line)...)
		if status != cmdline.ExitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit status %d, printed %q and %q; want 2 and one line of error", line, status, stdout, stderr)
		}
	}
}
