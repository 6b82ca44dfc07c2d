package console

import (
	"context"

	"waptwua"
	"waptwua/server"
)

// Sessions signs people in and out. The session belongs to the request
// whose context is given.
type Sessions interface {
	// Login checks name and password and begins a session; from is the
	// peer's address. Wrong ones give server.ErrSignIn, too many attempts
	// waptwua.ErrLimit.
	Login(ctx context.Context, name, password, from string) (server.Actor, error)
	// Logout ends the session; without one it does nothing.
	Logout(ctx context.Context) error
	// ChangePassword sets the password of who is signed in, after checking
	// the old one; server.ErrInvalid says what is wrong.
	ChangePassword(ctx context.Context, old, password string) error
}

// Summaries counts the fleet.
type Summaries interface {
	Summary(ctx context.Context) (server.Summary, error)
}

// Hosts lists hosts and knows one; waptwua.ErrNotFound.
type Hosts interface {
	Hosts(ctx context.Context, f server.HostFilter) (server.List[server.HostView], error)
	Host(ctx context.Context, uuid string) (server.HostDetail, error)
}

// Standings approves and refuses hosts.
type Standings interface {
	SetStanding(ctx context.Context, uuid string, s server.Standing) error
}

// Updates lists the updates that hosts have or need.
type Updates interface {
	Updates(ctx context.Context, f server.UpdateFilter) (server.List[server.UpdateView], error)
	Facets(ctx context.Context) (server.Facets, error)
}

// UpdateDetails knows one update; waptwua.ErrNotFound.
type UpdateDetails interface {
	Update(ctx context.Context, id waptwua.UpdateID) (server.UpdateView, error)
	Files(ctx context.Context, id waptwua.UpdateID) ([]server.FileView, error)
	HostsOf(ctx context.Context, id waptwua.UpdateID, p server.Part) (server.List[server.HostUpdate], error)
}

// Tasks lists what the server does by itself, the latest first.
type Tasks interface {
	Downloads(ctx context.Context, state server.State, p server.Part) (server.List[server.DownloadView], error)
	Runs(ctx context.Context, job server.Job, p server.Part) (server.List[server.RunView], error)
}

// Jobs has the server do something now. A job that is queued or running
// already gives waptwua.ErrConflict.
type Jobs interface {
	Ask(ctx context.Context, job server.Job, force bool) error
}

// Rules keeps signed rule packages.
type Rules interface {
	List(ctx context.Context) ([]server.RuleView, error)
	Upload(ctx context.Context, envelope []byte) (server.RuleView, error)
	Remove(ctx context.Context, name string) error
}
