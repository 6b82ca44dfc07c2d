package server

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"waptwua"
)

// Role is what somebody may do. A higher role includes the lower ones.
type Role string

// The roles, rising.
const (
	Viewer        Role = "viewer"        // sees everything but secrets
	Operator      Role = "operator"      // starts jobs, approves hosts, makes enrolment tokens
	Administrator Role = "administrator" // changes rules, users and API tokens
)

// ParseRole reads a role.
func ParseRole(s string) (Role, error) {
	r := Role(strings.ToLower(strings.TrimSpace(s)))
	if r.rank() == 0 {
		return "", fmt.Errorf("role %q: want %s, %s or %s: %w", s, Viewer, Operator, Administrator, ErrInvalid)
	}
	return r, nil
}

// Allows tells whether the role includes need.
func (r Role) Allows(need Role) bool { return r.rank() >= need.rank() && r.rank() > 0 }

func (r Role) rank() int {
	switch r {
	case Viewer:
		return 1
	case Operator:
		return 2
	case Administrator:
		return 3
	}
	return 0
}

// Actor is who asks: a user, an API token, a command on the server itself.
type Actor struct {
	Name       string `json:"name"` // for the audit, e.g. "ada", "token 3f2a", "command line"
	Role       Role   `json:"role"`
	MustChange bool   `json:"must_change"` // the password, before anything else
	User       bool   `json:"user"`        // a person who signed in; Name is the account
}

type actorKey struct{}

// WithActor returns a context in which a acts.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf returns who acts; ok is false when nobody was named.
func ActorOf(ctx context.Context) (a Actor, ok bool) {
	a, ok = ctx.Value(actorKey{}).(Actor)
	return a, ok
}

// CommandLine is the actor of commands run beside the server's data.
func CommandLine() Actor { return Actor{Name: "command line", Role: Administrator} }

// The errors of this package; they wrap those of package waptwua where they are kinds of them.
var (
	// ErrInvalid says that what the caller gave makes no sense; the error says what does.
	ErrInvalid = errors.New("invalid request")
	// ErrSignIn says that name and password, or a token, were not accepted, or are needed.
	ErrSignIn = fmt.Errorf("not signed in: %w", waptwua.ErrForbidden)
	// ErrRole says that somebody's role does not suffice.
	ErrRole = fmt.Errorf("role does not suffice: %w", waptwua.ErrForbidden)
	// ErrMustChange says that the first password was not changed yet.
	ErrMustChange = fmt.Errorf("password must be changed: %w", waptwua.ErrForbidden)
)
