// Package console serves the administration pages: server-rendered HTML in
// English and French that works without JavaScript.
//
// # Pages
//
//	/signin /signout /password /language    the account
//	/                 overview: the fleet in figures, the archive, what needs attention
//	/hosts            hosts, filtered and sorted by the address
//	/hosts/{uuid}     one host: identity, agent, scan, settings, rules, its updates with the reason
//	/updates          the updates that hosts have or need, with "Downloaded on"
//	/updates/{id}     one update: description, files, hosts
//	/downloads        download tasks
//	/runs             runs of the server's jobs
//	/rules            signed rule packages; upload and removal
//
// Actions are POST requests that answer with a redirect (see routes). A
// filter, an order and a page of a list are all in the address, so that any
// view can be sent to a colleague. Every page says as of when it is.
//
// # Who may see and do what
//
// The console signs nobody in by itself: [Sessions] does, and whoever mounts
// the handler puts the actor into the request's context (server.ActorOf).
// The table of routes names the least role for each; a person who must
// change their password gets no other page than that.
//
// # What protects it
//
// All text is escaped by templ. The Content-Security-Policy allows the
// console's own style sheet, script and images only, and nothing inline.
// Requests that change something are refused when they come from another
// site (http.CrossOriginProtection), whatever the mounting server checks.
// Links to the outside are only those to http(s) addresses.
//
// # Limits
//
// Forms up to 64 KiB, rule packages up to 8 MiB, search text up to 200
// bytes, 50 rows a page; on a host's page 500 updates, the rest by filter.
package console

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"waptwua/console/assets"
	"waptwua/server"
)

// Deps are what the pages are made of. All but Location and Now are needed.
type Deps struct {
	Sessions  Sessions
	Summaries Summaries
	Hosts     Hosts
	Standings Standings
	Updates   Updates
	Details   UpdateDetails
	Tasks     Tasks
	Jobs      Jobs
	Rules     Rules
	Location  *time.Location   // the zone of times shown; nil: the machine's
	Now       func() time.Time // nil: the clock
	Log       *slog.Logger
}

// ForServer takes all roles but Sessions from one server.
func ForServer(srv *server.Server, sessions Sessions, log *slog.Logger) Deps {
	return Deps{
		Sessions: sessions, Summaries: srv.Fleet, Hosts: srv.Fleet, Standings: srv.Enrolment, Updates: srv.Fleet,
		Details: srv.Fleet, Tasks: srv.Fleet, Jobs: srv.Upkeep, Rules: srv.Rules, Log: log,
	}
}

// New returns the handler of all pages. It expects to be mounted at "/".
func New(d Deps) (http.Handler, error) {
	if d.Sessions == nil || d.Summaries == nil || d.Hosts == nil || d.Standings == nil || d.Updates == nil ||
		d.Details == nil || d.Tasks == nil || d.Jobs == nil || d.Rules == nil || d.Log == nil {
		return nil, errors.New("console: a dependency is missing")
	}
	if d.Location == nil {
		d.Location = time.Local
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	set, err := assets.Load()
	if err != nil {
		return nil, err
	}
	c := &console{assets: set, location: d.Location, now: d.Now, log: d.Log}
	mux := http.NewServeMux()
	mux.Handle("GET "+assets.Prefix, set)
	for _, rt := range routes(d) {
		mux.Handle(rt.pattern, c.serve(rt))
	}
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(c.serve(route{serve: refuseOrigin}))
	return headers(origin.Handler(mux)), nil
}

// console is what all pages share.
type console struct {
	assets   *assets.Set
	location *time.Location
	now      func() time.Time
	log      *slog.Logger
}

// policy is the Content-Security-Policy of every page.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// headers are the same for all answers.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
