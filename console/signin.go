package console

import (
	"errors"
	"net"
	"net/http"

	"waptwua"
	"waptwua/console/text"
	"waptwua/server"
)

// signInPage is /signin.
type signInPage struct {
	frame
	Name  string // as typed before
	Next  string // where to go afterwards
	Fault string // why it did not work
}

func signInForm(q *request) (answer, error) {
	next := localPath(q.URL.Query().Get("next"))
	if q.SignedIn {
		return goTo(next)
	}
	return show(signInPage{frame: q.frame, Next: next}.view())
}

func signIn(sessions Sessions) handler {
	return func(q *request) (answer, error) {
		p := signInPage{frame: q.frame, Name: q.PostFormValue("name"), Next: localPath(q.PostFormValue("next"))}
		actor, err := sessions.Login(q.Context(), p.Name, q.PostFormValue("password"), remote(q.Request))
		status := http.StatusUnauthorized
		switch {
		case err == nil && actor.MustChange:
			return goTo("/password")
		case err == nil:
			return goTo(p.Next)
		case errors.Is(err, server.ErrSignIn):
			p.Fault = q.Say(text.SignInWrong)
		case errors.Is(err, waptwua.ErrLimit):
			status, p.Fault = http.StatusTooManyRequests, q.Say(text.SignInTooMany)
		default:
			return answer{}, err
		}
		return answer{status: status, page: p.view()}, nil
	}
}

func signOut(sessions Sessions) handler {
	return func(q *request) (answer, error) {
		if err := sessions.Logout(q.Context()); err != nil {
			return answer{}, err
		}
		return goTo("/signin?" + noticeParam + "=signout")
	}
}

// remote is the address of the peer without its port.
func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
