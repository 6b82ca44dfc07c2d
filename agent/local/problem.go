package local

import (
	"context"
	"errors"

	"waptwua"
	"waptwua/agent"
)

// ErrUpdateFailed says that an operation ran, but that not every update is
// well afterwards.
var ErrUpdateFailed = errors.New("an update failed; see: wapt-get waptwua-status")

// ErrUnreachable says that no service answers.
var ErrUnreachable = errors.New("the agent's service does not answer")

// Code names the kind of a failure across the endpoint.
type Code string

// Problem is the body of an answer that is not a success.
type Problem struct {
	Code  Code   `json:"code,omitempty"` // empty: any other failure
	Error string `json:"error"`          // a sentence
}

// codes is the one table between errors, codes and HTTP. The first that fits
// counts.
var codes = [...]struct {
	err    error
	code   Code
	status int
}{
	{waptwua.ErrForbidden, "forbidden", 403},
	{ErrUpdateFailed, "update_failed", 502},
	{agent.ErrNotRegistered, "not_registered", 409},
	{agent.ErrNotEnabled, "not_enabled", 409},
	{agent.ErrRestartFirst, "restart_first", 409},
	{agent.ErrWindowClosed, "window_closed", 409},
	{agent.ErrNoArchive, "no_archive", 409},
	{agent.ErrNotReported, "not_reported", 502},
	{agent.ErrBusy, "busy", 503},
	{waptwua.ErrUnchanged, "unchanged", 409},
	{waptwua.ErrNotTrusted, "not_trusted", 502},
	{waptwua.ErrLimit, "limit", 429},
	{waptwua.ErrNotFound, "not_found", 404},
	{context.Canceled, "canceled", 409},
	{context.DeadlineExceeded, "timeout", 504},
}

// codeOf returns the code and HTTP status of err.
func codeOf(err error) (Code, int) {
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return c.code, c.status
		}
	}
	return "", 500
}

// errorOf makes the error again: errors.Is finds the sentinel of the code.
func errorOf(code Code, text string) error {
	for _, c := range codes {
		if c.code == code {
			return &remoteError{text: text, is: c.err}
		}
	}
	return &remoteError{text: text}
}

// remoteError is an error that came over the endpoint.
type remoteError struct {
	text string
	is   error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.is }

// Err is the error that the task ended with, nil when it succeeded.
func (t Task) Err() error {
	switch t.State {
	case Canceled:
		return &remoteError{text: "the task was cancelled", is: context.Canceled}
	case Failed:
		return errorOf(t.Code, t.Error)
	case Done:
		if t.Code != "" {
			return errorOf(t.Code, "nothing has changed")
		}
	}
	return nil
}
