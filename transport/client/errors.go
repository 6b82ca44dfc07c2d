package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"waptwua"
)

// ErrUnreachable says that no answer came: no route, no name, refused,
// timed out, or the connection broke. It is the condition for
// allow_direct_download. A server that answers with the wrong certificate
// is not unreachable but waptwua.ErrNotTrusted.
var ErrUnreachable = errors.New("the server cannot be reached")

// StatusError is an answer of the server that is not a success.
type StatusError struct {
	Op      string // method and path
	Code    int    // HTTP status
	Message string // the server's words, shortened; may be empty
	After   time.Duration
}

// Error says what was asked and what the server said.
func (e *StatusError) Error() string {
	s := fmt.Sprintf("%s: the server answers %d %s", e.Op, e.Code, http.StatusText(e.Code))
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// Unwrap gives the sentinel that stands for the status, or nil.
func (e *StatusError) Unwrap() error {
	switch e.Code {
	case http.StatusNotModified:
		return waptwua.ErrUnchanged
	case http.StatusNotFound, http.StatusGone:
		return waptwua.ErrNotFound
	case http.StatusConflict:
		return waptwua.ErrConflict
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return waptwua.ErrForbidden
	case http.StatusRequestEntityTooLarge:
		return waptwua.ErrLimit
	}
	return nil
}

// Temporary tells whether the same call may succeed later without anybody
// changing anything.
func Temporary(err error) bool {
	var s *StatusError
	if errors.As(err, &s) {
		return s.Code == http.StatusTooManyRequests || s.Code == http.StatusRequestTimeout || s.Code >= 500
	}
	return errors.Is(err, ErrUnreachable)
}

// RetryAfter is how long the server asks to be left alone; zero when it
// does not say.
func RetryAfter(err error) time.Duration {
	var s *StatusError
	if errors.As(err, &s) {
		return s.After
	}
	return 0
}

// maxRetryAfter bounds what a server can ask for.
const maxRetryAfter = 24 * time.Hour

// maxMessage bounds what is kept of an error answer, in bytes.
const maxMessage = 4 << 10

func statusError(r *http.Request, resp *http.Response) error {
	e := &StatusError{Op: r.Method + " " + r.URL.Path, Code: resp.StatusCode}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
		e.After = min(time.Duration(n)*time.Second, maxRetryAfter)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage))
	if err == nil {
		e.Message = message(text, resp.Header.Get("Content-Type"))
	}
	return e
}

// message takes the words out of a JSON answer ("detail" of RFC 9457, or
// "error"); HTML pages are of no use to people.
func message(text []byte, contentType string) string {
	if strings.Contains(contentType, "json") {
		var v struct{ Detail, Error, Title string }
		if json.Unmarshal(text, &v) == nil {
			for _, s := range []string{v.Detail, v.Error, v.Title} {
				if s != "" {
					return printable(s)
				}
			}
		}
	}
	if strings.HasPrefix(contentType, "text/plain") {
		return printable(string(text))
	}
	return ""
}

// printable makes foreign words safe for a terminal and a log.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return strings.TrimSpace(s[:min(len(s), 300)])
}

// networkError classifies a request that got no answer.
func networkError(r *http.Request, err error) error {
	op := r.Method + " " + r.URL.Redacted()
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var verify *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errRedirect):
		return fmt.Errorf("%s: %w: %w", op, waptwua.ErrNotTrusted, err)
	case errors.Is(err, waptwua.ErrNotTrusted):
		return fmt.Errorf("%s: %w", op, err)
	case errors.As(err, &verify), errors.As(err, &invalid), errors.As(err, &unknown), errors.As(err, &host):
		return fmt.Errorf("%s: the server's certificate is not the one this host trusts: %w: %w", op, waptwua.ErrNotTrusted, err)
	case r.Context().Err() != nil && !errors.Is(context.Cause(r.Context()), errStalled) && !errors.Is(r.Context().Err(), context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", op, r.Context().Err())
	}
	return fmt.Errorf("%s: %w: %w", op, ErrUnreachable, err)
}
