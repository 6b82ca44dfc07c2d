// Package api puts the server's services on HTTP, on two listeners that
// share nothing.
//
// # Agents
//
// [NewAgents] serves hosts (package transport says what they send):
//
//	POST /agent/v1/enrol     with a token; the only path without a certificate
//	POST /agent/v1/report
//	GET  /agent/v1/rules     ETag
//	GET  /agent/v1/release, /agent/v1/release/NAME   releases of the agent; ETag, Range
//	GET  /waptwua/NAME       Range, If-Range, ETag, Last-Modified, HEAD; flat names only
//
// TLS from 1.2 ([AgentTLS]); everything but enrolment needs a client
// certificate of the server's own authority, and a record of the host that
// has this very key. No other way to sign in exists there: no Basic, no
// NTLM, no Negotiate is ever offered or answered.
//
// # Administration
//
// [NewAdministration] serves people and programs: the API under /api/v1,
// described by /openapi.json, /metrics, and the console's pages. One signs in
// by a session (cookie, for browsers) or an API token ("Authorization: Bearer
// …"). Every route names the least [server.Role] in one table ([Administration.Routes]).
// Requests of other sites are refused by Sec-Fetch-Site and Origin.
//
// # Bodies
//
// A body is read whole, within a limit and only after the caller is known.
// Agents may compress theirs with gzip; the limit then holds before and after
// decompression.
//
// # Errors
//
// Errors are application/problem+json (RFC 9457). One table (statusOf) maps the
// services' errors to a status; what it does not know is logged and answered
// as 500 without details.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"waptwua"
	"waptwua/server"
)

// statusOf maps errors to statuses, the first match counts.
var statusOf = []struct {
	err    error
	status int
}{
	{server.ErrSignIn, http.StatusUnauthorized},
	{errTooMany, http.StatusTooManyRequests},
	{errBusy, http.StatusServiceUnavailable},
	{errMediaType, http.StatusUnsupportedMediaType},
	{waptwua.ErrForbidden, http.StatusForbidden},
	{waptwua.ErrNotFound, http.StatusNotFound},
	{waptwua.ErrLimit, http.StatusRequestEntityTooLarge},
	{waptwua.ErrNotTrusted, http.StatusUnprocessableEntity},
	{waptwua.ErrStale, http.StatusConflict},
	{waptwua.ErrConflict, http.StatusConflict},
	{server.ErrInvalid, http.StatusBadRequest},
	{context.Canceled, http.StatusServiceUnavailable},
	{context.DeadlineExceeded, http.StatusServiceUnavailable},
}

// status returns the status for err; 500 when the table does not know it.
func status(err error) int {
	for _, s := range statusOf {
		if errors.Is(err, s.err) {
			return s.status
		}
	}
	return http.StatusInternalServerError
}

// problem is an error as RFC 9457 writes it.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// newProblem describes err; what is our own fault is logged, not told.
func newProblem(ctx context.Context, log *slog.Logger, err error) problem {
	p := problem{Status: status(err), Detail: err.Error()}
	p.Title = http.StatusText(p.Status)
	if p.Status == http.StatusInternalServerError {
		log.ErrorContext(ctx, "request failed", "err", err)
		p.Detail = "the server could not do this; its log says why"
	}
	return p
}

// writeError answers with err.
func writeError(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	p := newProblem(r.Context(), log, err)
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		h.Set("Retry-After", "15")
	}
	w.WriteHeader(p.Status)
	// The client may have gone; there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(p)
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, r *http.Request, log *slog.Logger, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		writeError(w, r, log, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // the client may have gone
}
