// Package client is the agent's half of package transport: enrolment,
// reports, rules and files over TLS.
//
// # Promises
//
//   - The server is believed only when its certificate leads to the trust
//     that was given ([Trust]): the server's CA, or a fingerprint that an
//     administrator has compared. The machine's own roots never count.
//   - The proxy is the one given. Environment variables and the settings of
//     users are not looked at.
//   - No credentials but the host's TLS certificate are ever sent: a server
//     or proxy that asks for Basic, NTLM or Negotiate gets an error, not an
//     answer.
//   - Redirects are followed only within the same scheme, host and port.
//   - Answers are bounded by the limits of package transport; a connection
//     on which nothing moves for [Config.Stall] is given up.
//
// # Errors
//
// A server that could not be reached gives [ErrUnreachable]; one that
// answers with a refusal gives a *[StatusError], which wraps the matching
// sentinel of package waptwua (404 ErrNotFound, 409 ErrConflict, 401 and 403
// ErrForbidden). [Temporary] tells whether trying again later makes sense,
// and [RetryAfter] how long the server wants to be left alone. The client
// itself never repeats a call.
package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"waptwua"
	"waptwua/transport"
)

// Config says whom to talk to, and how. It is copied by New.
type Config struct {
	Server *url.URL // https, without path
	// Repositories are folders that have the files, all with the same ones;
	// at most MaxRepositories; none: Server + transport.PathFiles. Of several
	// the one that answers first is asked first, the others when it fails,
	// breaks off, lacks a file or has a wrong one. The first is found again
	// every hour.
	Repositories []*url.URL
	Trust        Trust            // whose certificates count
	Identity     *tls.Certificate // the host's; nil before enrolment
	Proxy        *url.URL         // for the server; nil: none
	RepoProxy    *url.URL         // for a repository on another host; nil: none
	UserAgent    string           // "" : waptwua
	Stall        time.Duration    // longest silence on a connection; 0: one minute
	Now          func() time.Time // nil: time.Now
}

// defaultStall is the longest silence on a connection that still counts as
// slow rather than dead.
const defaultStall = time.Minute

// callTimeout bounds a call that is not a file, as a whole.
const callTimeout = 2 * time.Minute

// Client talks to one server and one repository. It is safe for concurrent
// use. Close it when done.
type Client struct {
	cfg  Config
	http *http.Client
	tr   *http.Transport

	repos repositories
}

// New checks cfg and makes a client; it opens no connection.
func New(cfg Config) (*Client, error) {
	if err := checkURL("server", cfg.Server); err != nil {
		return nil, err
	}
	if len(cfg.Repositories) == 0 {
		cfg.Repositories = []*url.URL{cfg.Server.JoinPath(transport.PathFiles)}
	}
	if len(cfg.Repositories) > MaxRepositories {
		return nil, fmt.Errorf("%d repositories, at most %d: %w", len(cfg.Repositories), MaxRepositories, waptwua.ErrLimit)
	}
	for _, u := range cfg.Repositories {
		if err := checkURL("repository", u); err != nil {
			return nil, err
		}
	}
	if cfg.Stall <= 0 {
		cfg.Stall = defaultStall
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "waptwua"
	}
	tlsConfig, err := cfg.Trust.config(cfg.Identity, cfg.Server.Hostname())
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, repos: repositories{now: cfg.Now, order: slices.Clone(cfg.Repositories)}}
	c.tr = newTransport(tlsConfig, c.proxy)
	c.http = &http.Client{Transport: c.tr, CheckRedirect: sameHost}
	return c, nil
}

// Close drops idle connections.
func (c *Client) Close() { c.tr.CloseIdleConnections() }

// newTransport keeps few connections: thousands of agents live in one
// process when a fleet is simulated.
func newTransport(t *tls.Config, proxy func(*http.Request) (*url.URL, error)) *http.Transport {
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  proxy,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        t,
		TLSHandshakeTimeout:    15 * time.Second,
		ResponseHeaderTimeout:  time.Minute,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        20 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

func (c *Client) proxy(r *http.Request) (*url.URL, error) {
	if r.URL.Host == c.cfg.Server.Host {
		return c.cfg.Proxy, nil
	}
	return c.cfg.RepoProxy, nil
}

// maxRedirects bounds a chain of redirects.
const maxRedirects = 5

var errRedirect = errors.New("redirect refused")

// sameHost lets a server move a file within itself, nothing else: what an
// agent loads comes from where its administrator pointed it.
func sameHost(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if r.URL.Scheme != first.Scheme || !strings.EqualFold(r.URL.Host, first.Host) {
		return fmt.Errorf("%w: %s sends to another host, %s; set repo_url to the right address", errRedirect, first.Host, r.URL.Host)
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: more than %d in a row", errRedirect, maxRedirects)
	}
	return nil
}

func checkURL(what string, u *url.URL) error {
	switch {
	case u == nil || u.Host == "":
		return fmt.Errorf("no address of the %s; set it in wapt-get.ini, for example https://wapt.example.org", what)
	case u.Scheme != "https":
		return fmt.Errorf("address of the %s %s: only https is allowed", what, u.Redacted())
	case u.User != nil:
		return fmt.Errorf("address of the %s %s: it must not hold a user name or password", what, u.Redacted())
	}
	return nil
}

// call makes one request whose answer is read as a whole.
func (c *Client) call(ctx context.Context, r *http.Request, read func(*http.Response) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	resp, err := c.do(r.WithContext(ctx))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return read(resp)
}

func (c *Client) do(r *http.Request) (*http.Response, error) {
	return send(c.http, r, c.cfg.UserAgent)
}

// send turns everything but an answer of the class 2xx into an error; the
// body is then closed.
func send(h *http.Client, r *http.Request, userAgent string) (*http.Response, error) {
	r.Header.Set("User-Agent", userAgent)
	resp, err := h.Do(r)
	if err != nil {
		return nil, networkError(r, err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, statusError(r, resp)
}
