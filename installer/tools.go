package installer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// debianPackage names what to install for a program that is missing.
var debianPackage = map[string]string{"wixl": "wixl", "msibuild": "msitools", "osslsigncode": "osslsigncode"}

// ErrTool says that a program which builds packages is not installed; the
// error names the Debian package.
var ErrTool = errors.New("a program is missing")

// tool runs a program in dir and returns its standard output.
func tool(ctx context.Context, dir, name string, args ...string) (string, error) {
	out, warnings, err := run(ctx, dir, name, args...)
	if err == nil && warnings != "" {
		// wixl drops what it does not know with a warning and success.
		err = fmt.Errorf("%s warns, and then leaves something out: %s", name, warnings)
	}
	return out, err
}

func run(ctx context.Context, dir, name string, args ...string) (stdout, stderr string, err error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", "", fmt.Errorf("%s is needed and not there; install the Debian package %s: %w", name, debianPackage[name], ErrTool)
	}
	var out, warn bytes.Buffer
	c := exec.CommandContext(ctx, path, args...)
	c.Dir, c.Stdout, c.Stderr = dir, &out, &warn
	err = c.Run()
	stderr = strings.TrimSpace(warn.String())
	if ctx.Err() != nil {
		return "", "", fmt.Errorf("running %s: %w", name, ctx.Err())
	}
	if err != nil {
		return out.String(), stderr, fmt.Errorf("%s: %w: %s", name, err, lastLines(stderr+"\n"+out.String()))
	}
	return out.String(), stderr, nil
}

// lastLines keeps what a failed program said at its end.
func lastLines(s string) string {
	const keep = 2000
	s = strings.TrimSpace(s)
	if len(s) > keep {
		s = "…" + s[len(s)-keep:]
	}
	return s
}
