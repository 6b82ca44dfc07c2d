package console

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"waptwua"
	"waptwua/console/text"
	"waptwua/server"
)

// maxForm bounds a form but for uploads.
const maxForm = 64 << 10

// anyone marks routes that need no signing in.
const anyone server.Role = ""

// A route is a line of the table of routes.
type route struct {
	pattern string
	need    server.Role // the least that may; anyone: all
	own     bool        // one's own account: also before a first password was changed
	serve   handler
}

// handler answers a request. An error becomes an error page.
type handler func(q *request) (answer, error)

// routes is the table of routes.
func routes(d Deps) []route {
	return []route{
		{pattern: "GET /signin", need: anyone, serve: signInForm},
		{pattern: "POST /signin", need: anyone, serve: signIn(d.Sessions)},
		{pattern: "POST /signout", need: anyone, serve: signOut(d.Sessions)},
		{pattern: "POST /language", need: anyone, serve: switchLanguage},
		{pattern: "GET /password", need: server.Viewer, own: true, serve: passwordForm},
		{pattern: "POST /password", need: server.Viewer, own: true, serve: changePassword(d.Sessions)},

		{pattern: "GET /{$}", need: server.Viewer, serve: showOverview(d.Summaries, d.Hosts, d.Tasks)},
		{pattern: "GET /hosts", need: server.Viewer, serve: listHosts(d.Hosts, d.Summaries)},
		{pattern: "GET /hosts/{uuid}", need: server.Viewer, serve: showHost(d.Hosts, d.Summaries)},
		{pattern: "POST /hosts/{uuid}/standing", need: server.Operator, serve: setStanding(d.Standings)},
		{pattern: "GET /updates", need: server.Viewer, serve: listUpdates(d.Updates)},
		{pattern: "GET /updates/{id}", need: server.Viewer, serve: showUpdate(d.Details)},
		{pattern: "GET /downloads", need: server.Viewer, serve: listDownloads(d.Tasks)},
		{pattern: "GET /runs", need: server.Viewer, serve: listRuns(d.Tasks)},
		{pattern: "POST /fetch", need: server.Operator, serve: fetchNow(d.Jobs)},
		{pattern: "GET /rules", need: server.Viewer, serve: listRules(d.Rules)},
		{pattern: "POST /rules", need: server.Administrator, serve: uploadRules(d.Rules)},
		{pattern: "POST /rules/remove", need: server.Administrator, serve: removeRules(d.Rules)},

		{pattern: "/", need: anyone, serve: noSuchPage},
	}
}

// request is a request with what every page needs.
type request struct {
	*http.Request
	frame
}

// answer is what a handler wants sent: a page, or a redirect.
type answer struct {
	status  int // 0: 200, or 303 with to
	page    templ.Component
	to      string // a path of the console
	cookies []*http.Cookie
}

func show(page templ.Component) (answer, error) { return answer{page: page}, nil }

func goTo(path string) (answer, error) { return answer{to: path}, nil }

// serve makes a route a handler: it decides who may, then answers.
func (c *console) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rt.pattern != "POST /rules" { // which has a limit of its own
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		}
		q := &request{Request: r, frame: c.frame(r)}
		c.write(w, q, c.answer(q, rt))
	})
}

func (c *console) answer(q *request, rt route) answer {
	first, err := permit(q, rt)
	if first != "" {
		return answer{to: first}
	}
	var a answer
	if err == nil {
		a, err = rt.serve(q)
	}
	if err != nil {
		return c.failed(q, err)
	}
	return a
}

// permit decides whether who asks may use a route. first is where they have
// to go before.
func permit(q *request, rt route) (first string, err error) {
	switch {
	case rt.need == anyone:
		return "", nil
	case !q.SignedIn:
		return signInPath(q.Request), nil
	case q.Actor.MustChange && !rt.own:
		return "/password", nil
	case !q.Actor.Role.Allows(rt.need):
		return "", needRole{rt.need}
	}
	return "", nil
}

// signInPath leads to the sign-in page and, for pages, back.
func signInPath(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/" && r.URL.RawQuery == "" {
		return "/signin"
	}
	return "/signin?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
}

// needRole says that a role does not suffice.
type needRole struct{ role server.Role }

func (e needRole) Error() string { return fmt.Sprintf("this needs the role %s", e.role) }
func (e needRole) Unwrap() error { return server.ErrRole }

// errOrigin says that a request came from another site.
var errOrigin = fmt.Errorf("request from another site: %w", waptwua.ErrForbidden)

func refuseOrigin(*request) (answer, error) { return answer{}, errOrigin }

func noSuchPage(*request) (answer, error) { return answer{}, waptwua.ErrNotFound }

// failed is the page for an error. What is our own fault is logged, not told.
func (c *console) failed(q *request, err error) answer {
	p := errorPage{frame: q.frame}
	var role needRole
	status := http.StatusInternalServerError
	switch {
	case errors.As(err, &role):
		status, p.Lead, p.Help = http.StatusForbidden, q.Say(text.ErrorForbidden), q.Say(text.ErrorForbiddenHelp, role.role)
	case errors.Is(err, errOrigin):
		status, p.Lead, p.Help = http.StatusForbidden, q.Say(text.ErrorForbidden), q.Say(text.ErrorCrossOrigin)
	case errors.Is(err, server.ErrSignIn):
		return answer{to: signInPath(q.Request)}
	case errors.Is(err, waptwua.ErrForbidden):
		status, p.Lead, p.Help = http.StatusForbidden, q.Say(text.ErrorForbidden), err.Error()
	case errors.Is(err, waptwua.ErrNotFound):
		status, p.Lead, p.Help = http.StatusNotFound, q.Say(text.ErrorNotFound), q.Say(text.ErrorNotFoundHelp)
	case errors.Is(err, server.ErrInvalid):
		status, p.Lead, p.Help = http.StatusBadRequest, q.Say(text.ErrorInvalid), err.Error()
	default:
		c.log.ErrorContext(q.Context(), "page failed", "path", q.URL.Path, "err", err)
		p.Lead, p.Help = q.Say(text.ErrorServer), q.Say(text.ErrorServerHelp)
	}
	return answer{status: status, page: p.view()}
}

// write sends an answer. The page is made whole before the first byte goes,
// so that no half page is ever sent.
func (c *console) write(w http.ResponseWriter, q *request, a answer) {
	for _, cookie := range a.cookies {
		http.SetCookie(w, cookie)
	}
	w.Header().Set("Cache-Control", "no-store")
	if a.to != "" {
		http.Redirect(w, q.Request, a.to, http.StatusSeeOther)
		return
	}
	var b bytes.Buffer
	if err := a.page.Render(q.Context(), &b); err != nil {
		c.log.ErrorContext(q.Context(), "page not rendered", "path", q.URL.Path, "err", err)
		http.Error(w, q.Say(text.ErrorServer), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", q.Language().Tag())
	w.Header().Set("Vary", "Accept-Language, Cookie")
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	_, _ = w.Write(b.Bytes()) // the browser may have gone
}
