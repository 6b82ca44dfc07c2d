package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"waptwua"
	"waptwua/console/text"
	"waptwua/server"
)

// maxUpload bounds a rule package with the form around it.
const maxUpload = 8 << 20

// rulesPage is /rules.
type rulesPage struct {
	frame
	List   []server.RuleView
	Fault  string // why an upload was refused
	Detail string // in the server's words
}

func listRules(rules Rules) handler {
	return func(q *request) (answer, error) {
		list, err := rules.List(q.Context())
		if err != nil {
			return answer{}, err
		}
		return show(rulesPage{frame: q.frame, List: list}.view())
	}
}

// uploadRules is POST /rules, with the envelope as file "envelope".
func uploadRules(rules Rules) handler {
	return func(q *request) (answer, error) {
		envelope, err := uploaded(q.Request)
		if err == nil {
			_, err = rules.Upload(q.Context(), envelope)
		}
		if err == nil {
			return goTo("/rules?" + noticeParam + "=uploaded")
		}
		p := rulesPage{frame: q.frame}
		var known bool
		if p.Fault, p.Detail, known = q.refusal(err); !known {
			return answer{}, err
		}
		if p.List, err = rules.List(q.Context()); err != nil {
			return answer{}, err
		}
		return answer{status: http.StatusUnprocessableEntity, page: p.view()}, nil
	}
}

// errNoFile says that the form came without a file.
var errNoFile = errors.New("no file was chosen")

// uploaded reads the file of the form.
func uploaded(r *http.Request) ([]byte, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxUpload)
	f, head, err := r.FormFile("envelope")
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, fmt.Errorf("more than %d bytes: %w", large.Limit, waptwua.ErrLimit)
	case errors.Is(err, http.ErrMissingFile) || err == nil && head.Size == 0:
		return nil, errNoFile
	case err != nil:
		return nil, fmt.Errorf("reading the form: %w: %w", server.ErrInvalid, err)
	}
	defer f.Close()
	defer r.MultipartForm.RemoveAll() //nolint:errcheck // temporary files; nothing depends on them
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("reading the uploaded file: %w", err)
	}
	return b, nil
}

// refusal explains why a rule package was not taken; known is false for
// errors that are the server's own.
func (f frame) refusal(err error) (lead, detail string, known bool) {
	for _, c := range []struct {
		kind error
		lead text.Key
	}{
		{errNoFile, text.RulesNoFile},
		{waptwua.ErrLimit, text.RulesRefusedLarge},
		{waptwua.ErrNotTrusted, text.RulesRefusedTrust},
		{waptwua.ErrStale, text.RulesRefusedOld},
		{server.ErrInvalid, text.RulesRefusedShape},
	} {
		if errors.Is(err, c.kind) {
			return f.Say(c.lead), reason(err, c.kind), true
		}
	}
	return "", "", false
}

// removeRules is POST /rules/remove.
func removeRules(rules Rules) handler {
	return func(q *request) (answer, error) {
		if err := rules.Remove(q.Context(), q.PostFormValue("name")); err != nil {
			return answer{}, err
		}
		return goTo("/rules?" + noticeParam + "=removed")
	}
}

// indented is JSON for reading.
func indented(raw json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return string(raw)
	}
	return b.String()
}
