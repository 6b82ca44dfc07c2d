package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"waptwua"
	"waptwua/agent/journal"
)

// fileToken, below private/, is the token that an installation has left for
// the service to register with.
const fileToken = "enrol.json" //nolint:gosec // a file name

// EnrolToken is what an installation leaves for the service: the host
// registers as soon as the server can be reached, and the token is removed.
type EnrolToken struct {
	Token string `json:"token"`
	// Force registers a host anew that is registered: it has been given to
	// another server.
	Force bool `json:"force,omitempty"`
}

// KeepToken leaves t in the agent's folder dir. Of two the later one counts.
func KeepToken(dir string, t EnrolToken) error {
	if err := os.MkdirAll(filepath.Join(dir, "private"), 0o700); err != nil {
		return fmt.Errorf("keeping the token: %w", err)
	}
	return journal.Save(filepath.Join(dir, "private", fileToken), t)
}

// Registered tells whether the agent of the folder dir has a certificate.
func Registered(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "private", fileCert))
	return err == nil
}

// registration is when the service registers with a token that was left:
// now, while there is one.
func (a *Agent) registration(start time.Time) time.Time {
	if _, err := os.Stat(a.path("private", fileToken)); err != nil {
		return time.Time{}
	}
	return start
}

// registerLeft registers with the token that was left. It is removed once it
// has served, or can never serve: when the server refuses it.
func (a *Agent) registerLeft(ctx context.Context) error {
	var t EnrolToken
	err := journal.Load(a.path("private", fileToken), &t)
	if errors.Is(err, waptwua.ErrDigest) {
		return errors.Join(err, a.dropToken())
	}
	if err != nil {
		return err
	}
	err = a.Register(ctx, RegisterOptions{Token: t.Token, Force: t.Force})
	switch {
	case err == nil, errors.Is(err, ErrNotReported):
		return err // Register has removed it
	case errors.Is(err, waptwua.ErrUnchanged):
		return errors.Join(err, a.dropToken())
	case errors.Is(err, waptwua.ErrForbidden):
		return errors.Join(fmt.Errorf("the token of the installation is used up, ran out or was revoked; register with a new one: wapt-get register --token-file FILE: %w", err), a.dropToken())
	}
	return err
}

func (a *Agent) dropToken() error {
	if err := os.Remove(a.path("private", fileToken)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the token of the installation: %w", err)
	}
	return nil
}
