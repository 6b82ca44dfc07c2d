package console

import (
	"errors"
	"net/http"
	"strings"

	"waptwua"
	"waptwua/console/text"
	"waptwua/server"
)

// passwordPage is /password: one's own, at the first sign-in or whenever one likes.
type passwordPage struct {
	frame
	Fault string
}

func passwordForm(q *request) (answer, error) { return show(passwordPage{frame: q.frame}.view()) }

func changePassword(sessions Sessions) handler {
	return func(q *request) (answer, error) {
		p := passwordPage{frame: q.frame}
		old, password := q.PostFormValue("old"), q.PostFormValue("new")
		if password != q.PostFormValue("again") {
			p.Fault = q.Say(text.PasswordDiffers)
			return answer{status: http.StatusBadRequest, page: p.view()}, nil
		}
		err := sessions.ChangePassword(q.Context(), old, password)
		switch {
		case err == nil:
			return goTo("/?" + noticeParam + "=password")
		case errors.Is(err, server.ErrInvalid):
			p.Fault = q.Say(text.PasswordRefused, reason(err, server.ErrInvalid))
			return answer{status: http.StatusBadRequest, page: p.view()}, nil
		case errors.Is(err, waptwua.ErrLimit):
			p.Fault = q.Say(text.SignInTooMany)
			return answer{status: http.StatusTooManyRequests, page: p.view()}, nil
		}
		return answer{}, err
	}
}

// reason is the text of err without that of the kind it wraps.
func reason(err, kind error) string { return strings.TrimSuffix(err.Error(), ": "+kind.Error()) }
