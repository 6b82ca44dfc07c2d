package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/upgrade"
	"waptwua/transport/client"
)

// errUnwell says that this program found something wrong with itself.
var errUnwell = errors.New("this program cannot do its work here")

func (a *app) selfCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "self-check",
		Short: "Check that this program can do its work here",
		Long: `Reads the settings, opens the Windows Update Agent and asks the server, in
seconds and without changing anything. A new version of the agent is run with it
before it takes the place of the old one. Exit code 0 when all is well, 1
otherwise.`,
		Example: "  wapt-get self-check --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			h := a.health(c.Context())
			err := a.print(h, func(w io.Writer) error {
				for _, p := range h.Problems {
					fmt.Fprintln(w, "problem:", p)
				}
				_, err := fmt.Fprintf(w, "version %s, healthy: %v\n", h.Version, h.Healthy)
				return err
			})
			if err == nil && !h.Healthy {
				return errUnwell
			}
			return err
		},
	}
}

// health is what this program finds out about itself.
func (a *app) health(ctx context.Context) upgrade.Health {
	h := upgrade.Health{Version: version}
	err := a.askServer(ctx)
	switch {
	case err == nil:
		h.Healthy = true
	case client.Temporary(err):
		h.Offline = true
	}
	if err != nil {
		h.Problems = append(h.Problems, err.Error())
	}
	return h
}

func (a *app) askServer(ctx context.Context) error {
	ag, _, err := a.open()
	if err != nil {
		return err
	}
	defer ag.Close()
	_, err = released{ag}.Release(ctx)
	if errors.Is(err, waptwua.ErrNotFound) {
		return nil // it has answered
	}
	return err
}

// released are the server's releases, over a connection for each call.
type released struct{ agent *agent.Agent }

// Release implements upgrade.Source.
func (r released) Release(ctx context.Context) ([]byte, error) {
	c, err := r.agent.Connect()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Release(ctx)
}

// ReleaseFile implements upgrade.Source. Closing the client drops idle
// connections only: the file goes on.
func (r released) ReleaseFile(ctx context.Context, req client.FileRequest) (*client.FileResponse, error) {
	c, err := r.agent.Connect()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.ReleaseFile(ctx, req)
}

// checkTime bounds the check of a new program.
const checkTime = 2 * time.Minute

// checkProgram runs another program's self-check with these settings.
func (a *app) checkProgram(ctx context.Context, program string) (upgrade.Health, error) {
	config, err := filepath.Abs(a.config)
	if err != nil {
		return upgrade.Health{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "self-check", "--json", "--config", config).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return upgrade.Health{}, err
	}
	var h upgrade.Health
	if jsonErr := json.Unmarshal(out, &h); jsonErr != nil {
		return h, errors.Join(err, fmt.Errorf("what it says is no report: %w", jsonErr))
	}
	return h, nil
}
