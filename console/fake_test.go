package console_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/console"
	"waptwua/server"
)

// fleet plays every role with as little as the pages need: it returns what
// its fields say, err when that is set, and notes what it was asked for. The
// real services are under the pages in test/browser.
type fleet struct {
	err      error
	summary  server.Summary
	hosts    []server.HostView
	total    int
	detail   server.HostDetail
	updates  []server.UpdateView
	actor    server.Actor
	conflict bool

	hostFilter   server.HostFilter
	updateFilter server.UpdateFilter
	asked        []server.Job
	uploaded     string
	removed      string
	standing     server.Standing
	from         string
}

func (f *fleet) Login(_ context.Context, name, password, from string) (server.Actor, error) {
	f.from = from
	if f.err == nil && password != "right" {
		return server.Actor{}, server.ErrSignIn
	}
	return f.actor, f.err
}
func (f *fleet) Logout(context.Context) error                         { return f.err }
func (f *fleet) ChangePassword(context.Context, string, string) error { return f.err }
func (f *fleet) Summary(context.Context) (server.Summary, error)      { return f.summary, f.err }
func (f *fleet) Hosts(_ context.Context, hf server.HostFilter) (server.List[server.HostView], error) {
	f.hostFilter = hf
	return server.List[server.HostView]{Items: f.hosts, Total: max(f.total, len(f.hosts))}, f.err
}
func (f *fleet) Host(context.Context, string) (server.HostDetail, error) { return f.detail, f.err }
func (f *fleet) SetStanding(_ context.Context, _ string, s server.Standing) error {
	f.standing = s
	return f.err
}
func (f *fleet) Updates(_ context.Context, uf server.UpdateFilter) (server.List[server.UpdateView], error) {
	f.updateFilter = uf
	return server.List[server.UpdateView]{Items: f.updates, Total: len(f.updates)}, f.err
}
func (f *fleet) Facets(context.Context) (server.Facets, error) {
	return server.Facets{Severities: map[string]int{"Critical": 2, "None": 1}, Products: map[string]int{"Windows 11": 3}}, f.err
}
func (f *fleet) Update(context.Context, waptwua.UpdateID) (server.UpdateView, error) {
	if len(f.updates) == 0 {
		return server.UpdateView{}, waptwua.ErrNotFound
	}
	return f.updates[0], f.err
}
func (f *fleet) Files(context.Context, waptwua.UpdateID) ([]server.FileView, error) {
	return nil, f.err
}
func (f *fleet) HostsOf(context.Context, waptwua.UpdateID, server.Part) (server.List[server.HostUpdate], error) {
	return server.List[server.HostUpdate]{}, f.err
}
func (f *fleet) Downloads(context.Context, server.State, server.Part) (server.List[server.DownloadView], error) {
	return server.List[server.DownloadView]{}, f.err
}
func (f *fleet) Runs(context.Context, server.Job, server.Part) (server.List[server.RunView], error) {
	return server.List[server.RunView]{}, f.err
}
func (f *fleet) Ask(_ context.Context, j server.Job, _ bool) error {
	f.asked = append(f.asked, j)
	if f.conflict {
		return fmt.Errorf("job %s: %w", j, waptwua.ErrConflict)
	}
	return f.err
}
func (f *fleet) List(context.Context) ([]server.RuleView, error) { return nil, nil }
func (f *fleet) Upload(_ context.Context, envelope []byte) (server.RuleView, error) {
	f.uploaded = string(envelope)
	return server.RuleView{}, f.err
}
func (f *fleet) Remove(_ context.Context, name string) error {
	f.removed = name
	return f.err
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// pages are the console over f, for somebody of the role; "" is nobody.
func pages(t *testing.T, f *fleet, role server.Role) http.Handler {
	t.Helper()
	h, err := console.New(console.Deps{
		Sessions: f, Summaries: f, Hosts: f, Standings: f, Updates: f, Details: f, Tasks: f, Jobs: f, Rules: f,
		Location: time.UTC, Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if role != "" {
			r = r.WithContext(server.WithActor(r.Context(), server.Actor{Name: "ada", Role: role, MustChange: f.actor.MustChange, User: true}))
		}
		h.ServeHTTP(w, r)
	})
}

// response is an answer, read whole.
type response struct {
	status int
	header http.Header
	body   string
}

func get(t *testing.T, h http.Handler, path string, headers ...string) response {
	t.Helper()
	return send(t, h, httptest.NewRequest(http.MethodGet, path, nil), headers)
}

// post sends a form as a browser does from a page of the console.
func post(t *testing.T, h http.Handler, path string, form url.Values, headers ...string) response {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return send(t, h, r, headers)
}

func send(t *testing.T, h http.Handler, r *http.Request, headers []string) response {
	t.Helper()
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{w.Code, w.Header(), string(b)}
}

func (r response) to() string { return r.header.Get("Location") }
