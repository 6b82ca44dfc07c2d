package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"waptwua/server"
)

// accountRoutes are signing in, users and tokens.
func (a *Administration) accountRoutes() {
	operation(a, Route{Method: "POST", Path: "/api/v1/login"}, "login", "Sign in", a.login)
	operation(a, Route{Method: "POST", Path: "/api/v1/logout"}, "logout", "Sign out", a.logout)
	operation(a, Route{Method: "GET", Path: "/api/v1/me", Role: server.Viewer, Own: true}, "me", "Who is signed in", a.me)
	operation(a, Route{Method: "POST", Path: "/api/v1/password", Role: server.Viewer, Own: true}, "change-password", "Change one's own password", a.password)

	operation(a, Route{Method: "GET", Path: "/api/v1/users", Role: server.Administrator}, "list-users", "List users", a.users)
	operation(a, Route{Method: "POST", Path: "/api/v1/users", Role: server.Administrator}, "add-user", "Add a user", a.addUser, created)
	operation(a, Route{Method: "PATCH", Path: "/api/v1/users/{name}", Role: server.Administrator}, "set-user", "Change a user's role, or disable it", a.setUser)
	operation(a, Route{Method: "POST", Path: "/api/v1/users/{name}/password", Role: server.Administrator}, "set-password", "Give a user a password for one sign-in", a.setPassword)

	operation(a, Route{Method: "GET", Path: "/api/v1/tokens", Role: server.Operator}, "list-tokens", "List tokens, without their secrets", a.tokens)
	operation(a, Route{Method: "POST", Path: "/api/v1/tokens/enrol", Role: server.Operator}, "create-enrolment-token", "Make a token with which hosts enrol", a.enrolToken, created)
	operation(a, Route{Method: "POST", Path: "/api/v1/tokens/api", Role: server.Administrator}, "create-api-token", "Make a token for a program", a.apiToken, created)
	operation(a, Route{Method: "DELETE", Path: "/api/v1/tokens/{id}", Role: server.Administrator}, "revoke-token", "End a token", a.revokeToken)

	operation(a, Route{Method: "GET", Path: "/api/v1/audit", Role: server.Administrator}, "list-audit", "List changes, oldest first", a.audit)
}

func created(op *huma.Operation) { op.DefaultStatus = http.StatusCreated }

type loginInput struct {
	remote string
	Body   struct {
		User     string `json:"user" maxLength:"64"`
		Password string `json:"password" maxLength:"1024"`
	}
}

// Resolve notes where the request comes from.
func (l *loginInput) Resolve(ctx huma.Context) []error {
	l.remote = remote(&http.Request{RemoteAddr: ctx.RemoteAddr()})
	return nil
}

func (a *Administration) login(ctx context.Context, in *loginInput) (*body[server.Actor], error) {
	return reply(a.sessions.Login(ctx, in.Body.User, in.Body.Password, in.remote))
}

func (a *Administration) logout(ctx context.Context, _ *struct{}) (*none, error) {
	return done(a.sessions.Logout(ctx))
}

func (a *Administration) me(ctx context.Context, _ *struct{}) (*body[server.Actor], error) {
	actor, _ := server.ActorOf(ctx)
	return reply(actor, nil)
}

type passwordInput struct {
	Body struct {
		Old string `json:"old" maxLength:"1024"`
		New string `json:"new" maxLength:"1024"`
	}
}

func (a *Administration) password(ctx context.Context, in *passwordInput) (*none, error) {
	return done(a.sessions.ChangePassword(ctx, in.Body.Old, in.Body.New))
}

func (a *Administration) users(ctx context.Context, _ *struct{}) (*body[[]server.UserView], error) {
	return reply(a.srv.Accounts.Users(ctx))
}

type addUserInput struct {
	Body struct {
		Name     string      `json:"name" maxLength:"64"`
		Password string      `json:"password" maxLength:"1024" doc:"For the first sign-in; the user must change it"`
		Role     server.Role `json:"role" enum:"viewer,operator,administrator"`
	}
}

func (a *Administration) addUser(ctx context.Context, in *addUserInput) (*none, error) {
	return done(a.srv.Accounts.AddUser(ctx, in.Body.Name, in.Body.Password, in.Body.Role, true))
}

type setUserInput struct {
	Name string `path:"name"`
	Body struct {
		Role     server.Role `json:"role" enum:"viewer,operator,administrator"`
		Disabled bool        `json:"disabled,omitempty"`
	}
}

func (a *Administration) setUser(ctx context.Context, in *setUserInput) (*none, error) {
	return done(a.srv.Accounts.SetUser(ctx, in.Name, in.Body.Role, in.Body.Disabled))
}

type setPasswordInput struct {
	Name string `path:"name"`
	Body struct {
		Password string `json:"password" maxLength:"1024"`
	}
}

func (a *Administration) setPassword(ctx context.Context, in *setPasswordInput) (*none, error) {
	return done(a.srv.Accounts.SetPassword(ctx, in.Name, in.Body.Password, true))
}

func (a *Administration) tokens(ctx context.Context, _ *struct{}) (*body[[]server.TokenView], error) {
	return reply(a.srv.Accounts.Tokens(ctx))
}

// newToken is a token with its secret.
type newToken struct {
	server.TokenView
	Secret string `json:"secret" doc:"Shown only now"`
}

type enrolTokenInput struct {
	Body struct {
		Uses  int    `json:"uses,omitempty" minimum:"1" maximum:"100000" default:"1" doc:"How many hosts may enrol with it"`
		Hours int    `json:"hours,omitempty" minimum:"1" maximum:"87600" default:"24" doc:"How long it is valid"`
		Note  string `json:"note,omitempty" maxLength:"200"`
	}
}

func (a *Administration) enrolToken(ctx context.Context, in *enrolTokenInput) (*body[newToken], error) {
	return a.createToken(ctx, server.NewToken{Kind: server.KindEnrol, Uses: in.Body.Uses, Valid: hours(in.Body.Hours), Note: in.Body.Note})
}

type apiTokenInput struct {
	Body struct {
		Role  server.Role `json:"role" enum:"viewer,operator,administrator"`
		Hours int         `json:"hours,omitempty" minimum:"1" maximum:"87600" default:"8760" doc:"How long it is valid"`
		Note  string      `json:"note,omitempty" maxLength:"200"`
	}
}

func (a *Administration) apiToken(ctx context.Context, in *apiTokenInput) (*body[newToken], error) {
	return a.createToken(ctx, server.NewToken{Kind: server.KindAPI, Role: in.Body.Role, Valid: hours(in.Body.Hours), Note: in.Body.Note})
}

func (a *Administration) createToken(ctx context.Context, want server.NewToken) (*body[newToken], error) {
	view, secret, err := a.srv.Accounts.CreateToken(ctx, want)
	return reply(newToken{view, secret}, err)
}

func hours(n int) time.Duration { return time.Duration(n) * time.Hour }

type tokenInput struct {
	ID string `path:"id"`
}

func (a *Administration) revokeToken(ctx context.Context, in *tokenInput) (*none, error) {
	return done(a.srv.Accounts.RevokeToken(ctx, in.ID))
}

type auditInput struct {
	After int64 `query:"after" minimum:"0" doc:"Begin after this entry"`
	Limit int   `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (a *Administration) audit(ctx context.Context, in *auditInput) (*body[[]server.AuditView], error) {
	return reply(a.srv.Fleet.Audit(ctx, in.After, in.Limit))
}
