package console

import (
	"net/http"
	"strings"
	"time"

	"waptwua/console/assets"
	"waptwua/console/text"
	"waptwua/server"
)

// liveSeconds is how often a page that shows something that moves is fetched anew.
const liveSeconds = "5"

// frame is what every page shows around its own content, and speaks in.
type frame struct {
	text.Texts
	Now      time.Time // when the page was made, in the zone of the times shown
	Actor    server.Actor
	SignedIn bool
	Here     string // path and query of this page, to come back to
	Assets   *assets.Set
	Notice   text.Key // what the action that led here did; 0: nothing
}

// frame makes the frame of a request.
func (c *console) frame(r *http.Request) frame {
	actor, ok := server.ActorOf(r.Context())
	f := frame{
		Texts: text.In(languageOf(r)), Now: c.now().In(c.location),
		Actor: actor, SignedIn: ok, Here: "/", Assets: c.assets,
	}
	if r.Method == http.MethodGet {
		q := r.URL.Query()
		f.Notice = notices[q.Get(noticeParam)]
		q.Del(noticeParam)
		f.Here = (&query{path: r.URL.Path, values: q}).with()
	}
	return f
}

// Allows tells whether who looks may do what needs the role.
func (f frame) Allows(need server.Role) bool { return f.SignedIn && f.Actor.Role.Allows(need) }

// noticeParam names the notice in the address after a redirect. It can only
// pick from the list below, so that nobody can put words into the console's mouth.
const noticeParam = "done"

var notices = map[string]text.Key{
	"fetch":    text.FetchAsked,
	"busy":     text.FetchRuns,
	"approved": text.HostApproved,
	"refused":  text.HostRefused,
	"password": text.PasswordChanged,
	"signout":  text.SignedOut,
	"uploaded": text.RulesUploaded,
	"removed":  text.RulesRemoved,
}

// languageCookie keeps the language that somebody chose.
const languageCookie = "waptwua_language"

// languageOf is the language chosen, else the one the browser asks for.
func languageOf(r *http.Request) text.Language {
	if c, err := r.Cookie(languageCookie); err == nil {
		if l, ok := text.Parse(c.Value); ok {
			return l
		}
	}
	return text.Negotiate(r.Header.Get("Accept-Language"))
}

// switchLanguage is POST /language.
func switchLanguage(q *request) (answer, error) {
	l, ok := text.Parse(q.FormValue("language"))
	if !ok {
		return answer{}, invalid("language %.20q", q.FormValue("language"))
	}
	cookie := &http.Cookie{ //nolint:gosec // Secure follows the connection: plain HTTP is for the loopback interface
		Name: languageCookie, Value: l.Tag(), Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: q.TLS != nil,
	}
	return answer{to: localPath(q.FormValue("back")), cookies: []*http.Cookie{cookie}}, nil
}

// localPath is p when it is a path of the console, else "/": a redirect must
// not lead to another site. Browsers take "\" for "/" and drop control characters.
func localPath(p string) string {
	if len(p) > 2000 || !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsFunc(p, oddInPath) {
		return "/"
	}
	return p
}

func oddInPath(r rune) bool { return r == '\\' || r < ' ' || r == 0x7f }
