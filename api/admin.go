package api

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"waptwua/server"
)

// anyone marks routes that need no signing in.
const anyone server.Role = ""

// maxBody bounds the body of a request to the API but for uploads.
const maxBody = 1 << 20

// Route is a line of the table of routes.
type Route struct {
	Method string
	Path   string
	Role   server.Role // the least that may; empty: anyone
	Own    bool        // concerns only oneself: also before a first password was changed
}

// Administration serves people and programs.
type Administration struct {
	srv      *server.Server
	sessions *Sessions
	log      *slog.Logger
	mux      *http.ServeMux
	huma     huma.API
	routes   []Route
	handler  http.Handler
}

// NewAdministration returns the handler of the administration's listener.
// console, which may be nil, gets what is neither the API nor /metrics; who
// asks is in its context (server.ActorOf), and it decides itself.
func NewAdministration(srv *server.Server, sessions *Sessions, console http.Handler, version string, log *slog.Logger) *Administration {
	a := &Administration{srv: srv, sessions: sessions, log: log, mux: http.NewServeMux()}
	a.huma = humago.New(a.mux, humaConfig(version))
	a.accountRoutes()
	a.hostRoutes()
	a.updateRoutes()
	a.jobRoutes()
	a.ruleRoutes()
	a.plain("GET", "/metrics", server.Viewer, a.metrics())
	a.plain("GET", "/api/v1/events", server.Viewer, http.HandlerFunc(a.events))
	if console != nil {
		a.mux.Handle("/", console)
	}
	var h http.Handler = a.mux
	h = a.authenticate(h)
	h = sessions.manager.LoadAndSave(h)
	h = http.NewCrossOriginProtection().Handler(h)
	a.handler = securityHeaders(h)
	return a
}

func humaConfig(version string) huma.Config {
	c := huma.DefaultConfig("WAPT Windows Update administration", version)
	c.DocsPath = ""     // its viewer would come from the internet
	c.SchemasPath = ""  // all is in /openapi.json
	c.CreateHooks = nil // no $schema members in answers
	c.Info.Description = "Hosts, updates, downloads, rules and accounts of one server. Sign in by a session or by an API token."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "An API token, made by an administrator"},
		"session": {Type: "apiKey", In: "cookie", Name: cookieName, Description: "The cookie that /api/v1/login sets"},
	}
	return c
}

// ServeHTTP implements http.Handler.
func (a *Administration) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// Routes is the table of routes: what exists, and which role it needs.
func (a *Administration) Routes() []Route { return a.routes }

// OpenAPI is the description of the API as YAML.
func (a *Administration) OpenAPI() ([]byte, error) { return a.huma.OpenAPI().YAML() }

// securityHeaders are for all answers; the console's assets come from here only.
func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.Set("Cache-Control", "no-store")
		}
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// authenticate puts who asks into the context. A bad token is an error, no
// token and no session is nobody.
func (a *Administration) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, ok, err := a.who(r)
		if err != nil {
			writeError(w, r, a.log, err)
			return
		}
		if ok {
			r = r.WithContext(server.WithActor(r.Context(), actor))
		}
		next.ServeHTTP(w, r)
	})
}

func (a *Administration) who(r *http.Request) (server.Actor, bool, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return a.sessions.actor(r.Context())
	}
	secret, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return server.Actor{}, false, fmt.Errorf("only bearer tokens are taken: %w", server.ErrSignIn)
	}
	if err := a.sessions.failed.allow("token " + remote(r)); err != nil {
		return server.Actor{}, false, err
	}
	actor, err := a.srv.Accounts.AuthenticateToken(r.Context(), secret)
	if err != nil {
		a.sessions.failed.count("token " + remote(r))
		return server.Actor{}, false, err
	}
	return actor, true, nil
}

// permit decides whether who asks may use a route.
func permit(ctx context.Context, rt Route) error {
	if rt.Role == anyone {
		return nil
	}
	actor, ok := server.ActorOf(ctx)
	switch {
	case !ok:
		return fmt.Errorf("sign in, or give an API token: %w", server.ErrSignIn)
	case actor.MustChange && !rt.Own:
		return fmt.Errorf("change the first password before anything else: %w", server.ErrMustChange)
	case !actor.Role.Allows(rt.Role):
		return fmt.Errorf("this needs the role %s, %s has %s: %w", rt.Role, actor.Name, actor.Role, server.ErrRole)
	}
	return nil
}

// plain adds a route that is no operation of the OpenAPI description.
func (a *Administration) plain(method, path string, role server.Role, h http.Handler) {
	rt := Route{Method: method, Path: path, Role: role}
	a.routes = append(a.routes, rt)
	a.mux.HandleFunc(method+" "+path, func(w http.ResponseWriter, r *http.Request) {
		if err := permit(r.Context(), rt); err != nil && !(path == "/metrics" && local(r)) {
			writeError(w, r, a.log, err)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// local tells whether the request came from this machine.
func local(r *http.Request) bool {
	ip := net.ParseIP(remote(r))
	return ip != nil && ip.IsLoopback()
}

// operation adds an operation to the API. Its role is checked before its
// body is read, and its errors are those of the table.
func operation[I, O any](a *Administration, rt Route, id, summary string, h func(context.Context, *I) (*O, error), more ...func(*huma.Operation)) {
	op := huma.Operation{
		OperationID: id, Method: rt.Method, Path: rt.Path, Summary: summary, MaxBodyBytes: maxBody,
		Errors:   []int{400, 401, 403, 404, 409, 413, 422, 500},
		Security: []map[string][]string{{"token": {}}, {"session": {}}},
		Tags:     []string{tag(rt.Path)},
	}
	if rt.Role == anyone {
		op.Security = []map[string][]string{{}}
	} else {
		op.Description = "Needs the role " + string(rt.Role) + "."
	}
	op.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		if err := permit(ctx.Context(), rt); err != nil {
			p := newProblem(ctx.Context(), a.log, err)
			_ = huma.WriteErr(a.huma, ctx, p.Status, p.Detail)
			return
		}
		next(ctx)
	}}
	for _, m := range more {
		m(&op)
	}
	a.routes = append(a.routes, rt)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			p := newProblem(ctx, a.log, err)
			return nil, huma.NewError(p.Status, p.Detail)
		}
		return out, nil
	})
}

// tag groups operations by the word after /api/v1/.
func tag(path string) string {
	word, _, _ := strings.Cut(strings.TrimPrefix(path, "/api/v1/"), "/")
	return word
}

// body is an answer with a body.
type body[T any] struct{ Body T }

// reply wraps what a service returns.
func reply[T any](v T, err error) (*body[T], error) {
	if err != nil {
		return nil, err
	}
	return &body[T]{v}, nil
}

// none is an answer without a body.
type none struct{}

func done(err error) (*none, error) {
	if err != nil {
		return nil, err
	}
	return &none{}, nil
}

// Paging is what lists take.
type Paging struct {
	Limit  int `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"At most so many"`
	Offset int `query:"offset" minimum:"0" doc:"Pass over so many"`
}

func (p Paging) part() server.Part { return server.Part{Limit: p.Limit, Offset: p.Offset} }
