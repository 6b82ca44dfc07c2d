package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"waptwua/api"
	"waptwua/server"
)

// TestRoutesByRole tries every route of the table with every role. A role
// that suffices gets anything but "who are you" and "you may not".
func TestRoutesByRole(t *testing.T) {
	r := newRig(t)
	roles := []server.Role{"", server.Viewer, server.Operator, server.Administrator}
	tokens := map[server.Role]string{}
	for _, role := range roles[1:] {
		_, secret, err := r.Accounts.CreateToken(r.ctx, server.NewToken{Kind: server.KindAPI, Role: role})
		check(t, err)
		tokens[role] = secret
	}
	if len(r.api.Routes()) < 30 {
		t.Fatalf("only %d routes in the table", len(r.api.Routes()))
	}
	for _, rt := range r.api.Routes() {
		if rt.Path == "/api/v1/events" || rt.Path == "/metrics" {
			continue // a stream, and a page for this machine: tested by themselves
		}
		for _, role := range roles {
			t.Run(fmt.Sprintf("%s %s as %q", rt.Method, rt.Path, role), func(t *testing.T) {
				want := expected(rt, role)
				got := try(t, r, rt, tokens[role])
				if refused := got == 401 || got == 403; refused != (want != 0) || want != 0 && got != want {
					t.Errorf("got %d, want %d (0: let in)", got, want)
				}
			})
		}
	}
}

// expected is the status of a refusal, 0 where the role suffices.
func expected(rt api.Route, role server.Role) int {
	switch {
	case rt.Role == "" || role.Allows(rt.Role):
		return 0
	case role == "":
		return http.StatusUnauthorized
	}
	return http.StatusForbidden
}

// try calls a route with nothing sensible: what matters is who may.
func try(t *testing.T, r *rig, rt api.Route, token string) int {
	t.Helper()
	path := strings.NewReplacer("{uuid}", uuidA, "{id}", "none", "{name}", "nobody").Replace(rt.Path)
	var headers []string
	if token != "" {
		headers = append(headers, "Authorization: Bearer "+token)
	}
	got := send(t, r.browser(t), rt.Method, r.admin.URL+path, []byte("{}"), headers...).status
	if rt.Path == "/api/v1/login" && got == http.StatusUnprocessableEntity || rt.Path == "/api/v1/password" && got == http.StatusUnprocessableEntity {
		return 422 // let in, and told that the body lacks something
	}
	return got
}

// TestTableIsComplete finds routes of the description that the table lacks.
func TestTableIsComplete(t *testing.T) {
	r := newRig(t)
	resp := send(t, r.browser(t), "GET", r.admin.URL+"/openapi.json", nil)
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	check(t, json.Unmarshal(resp.body, &doc))
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s, want 3.1", doc.OpenAPI)
	}
	known := map[string]bool{}
	for _, rt := range r.api.Routes() {
		known[rt.Method+" "+rt.Path] = true
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			if !known[strings.ToUpper(method)+" "+path] {
				t.Errorf("%s %s is not in the table of routes", method, path)
			}
		}
	}
}

func TestSession(t *testing.T) {
	r := newRig(t)
	c := r.signedIn(t, server.Viewer)
	if resp := send(t, c, "GET", r.admin.URL+"/api/v1/me", nil); resp.status != 200 || !strings.Contains(string(resp.body), "user-viewer") {
		t.Fatalf("me: %d %s", resp.status, resp.body)
	}
	if resp := send(t, c, "GET", r.admin.URL+"/hosts", nil); string(resp.body) != "page for user-viewer" {
		t.Errorf("the console sees %q", resp.body)
	}
	if resp := send(t, c, "POST", r.admin.URL+"/api/v1/password", []byte(`{"old":"a good password","new":"a better password"}`)); resp.status != http.StatusNoContent {
		t.Fatalf("changing the password: %d %s", resp.status, resp.body)
	}
	if resp := send(t, c, "GET", r.admin.URL+"/api/v1/me", nil); resp.status != 200 {
		t.Errorf("the own session ended with the change: %d", resp.status)
	}
	other := r.browser(t)
	login(t, other, r.admin.URL, "user-viewer", "a better password")
	check(t, r.Accounts.SetPassword(r.ctx, "user-viewer", "set by somebody else", true))
	if resp := send(t, other, "GET", r.admin.URL+"/api/v1/me", nil); resp.status != http.StatusUnauthorized {
		t.Errorf("a session after the password was set by another: %d, want 401", resp.status)
	}
	login(t, c, r.admin.URL, "user-viewer", "set by somebody else")
	if resp := send(t, c, "GET", r.admin.URL+"/api/v1/hosts", nil); resp.status != http.StatusForbidden {
		t.Errorf("hosts before the first password was changed: %d, want 403", resp.status)
	}
	if resp := send(t, c, "POST", r.admin.URL+"/api/v1/logout", nil); resp.status != http.StatusNoContent {
		t.Errorf("signing out: %d %s", resp.status, resp.body)
	}
	if resp := send(t, c, "GET", r.admin.URL+"/api/v1/me", nil); resp.status != http.StatusUnauthorized {
		t.Errorf("after signing out: %d, want 401", resp.status)
	}
}

func TestCookie(t *testing.T) {
	r := newRig(t)
	check(t, r.Accounts.AddUser(r.ctx, "ada", "a good password", server.Viewer, false))
	h := login(t, r.browser(t), r.admin.URL, "ada", "a good password").header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(h, want) {
			t.Errorf("cookie %q lacks %s", h, want)
		}
	}
}

func TestLoginIsSlowedDown(t *testing.T) {
	r := newRig(t)
	check(t, r.Accounts.AddUser(r.ctx, "ada", "a good password", server.Viewer, false))
	c := r.browser(t)
	for range 5 {
		if resp := login(t, c, r.admin.URL, "ada", "guess"); resp.status != http.StatusUnauthorized {
			t.Fatalf("guessing: %d %s", resp.status, resp.body)
		}
	}
	if resp := login(t, c, r.admin.URL, "ada", "a good password"); resp.status != http.StatusTooManyRequests {
		t.Errorf("after five failures: %d, want 429", resp.status)
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	r := newRig(t)
	c := r.signedIn(t, server.Operator)
	for _, h := range []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: https://evil.example"} {
		if resp := send(t, c, "POST", r.admin.URL+"/api/v1/downloads/missing", nil, h); resp.status != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", h, resp.status)
		}
	}
	if resp := send(t, c, "POST", r.admin.URL+"/api/v1/downloads/missing", nil, "Sec-Fetch-Site: same-origin"); resp.status != http.StatusAccepted {
		t.Errorf("from the own page: %d %s", resp.status, resp.body)
	}
}

func TestSecurityHeaders(t *testing.T) {
	r := newRig(t)
	resp := send(t, r.browser(t), "GET", r.admin.URL+"/", nil)
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Content-Security-Policy": "default-src 'self'"} {
		if !strings.Contains(resp.header.Get(name), want) {
			t.Errorf("%s: %q", name, resp.header.Get(name))
		}
	}
}

func TestBearerTokens(t *testing.T) {
	r := newRig(t)
	_, enrol, err := r.Accounts.CreateToken(r.ctx, server.NewToken{Kind: server.KindEnrol})
	check(t, err)
	for _, h := range []string{"Authorization: Bearer " + enrol, "Authorization: Bearer x", "Authorization: Basic YTpi", "Authorization: Bearer "} {
		resp := send(t, r.browser(t), "GET", r.admin.URL+"/api/v1/hosts", nil, h)
		if resp.status != http.StatusUnauthorized || resp.header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %d", h, resp.status)
		}
	}
}

func TestMetrics(t *testing.T) {
	r := newRig(t)
	r.enrolled(t, uuidA)
	resp := send(t, r.browser(t), "GET", r.admin.URL+"/metrics", nil)
	if resp.status != 200 || !strings.Contains(string(resp.body), `waptwua_hosts{state="never_scanned"} 1`) {
		t.Errorf("metrics: %d %.2000s", resp.status, resp.body)
	}
}

func TestEvents(t *testing.T) {
	r := newRig(t)
	c := r.signedIn(t, server.Viewer)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req := must(http.NewRequestWithContext(ctx, "GET", r.admin.URL+"/api/v1/events", nil))(t)
	resp := must(c.Do(req))(t)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || lines.Text() != ": hello" {
		t.Fatalf("first line %q", lines.Text())
	}
	r.enrolled(t, uuidA)
	for lines.Scan() {
		if lines.Text() == "event: hosts" {
			return
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
}

func TestHostsAndTokens(t *testing.T) {
	r := newRig(t)
	r.enrolled(t, uuidA)
	c := r.signedIn(t, server.Administrator)
	var list server.List[server.HostView]
	resp := send(t, c, "GET", r.admin.URL+"/api/v1/hosts?search=PC&limit=5", nil)
	check(t, json.Unmarshal(resp.body, &list))
	if resp.status != 200 || list.Total != 1 || list.Items[0].UUID != uuidA || list.Items[0].Knowledge != "never_scanned" {
		t.Errorf("hosts: %d %s", resp.status, resp.body)
	}
	for path, want := range map[string]int{
		"/api/v1/hosts/" + uuidA: 200, "/api/v1/hosts/none": 404, "/api/v1/hosts?limit=100000": 422, "/api/v1/hosts?status=FINE": 422,
		"/api/v1/hosts?has=OK&update=x": 400, "/api/v1/updates": 200, "/api/v1/updates/x": 400, "/api/v1/downloads": 200, "/api/v1/runs": 200,
		"/api/v1/archive": 200, "/api/v1/audit": 200, "/api/v1/users": 200, "/api/v1/rules": 200, "/api/v1/summary": 200,
	} {
		if resp := send(t, c, "GET", r.admin.URL+path, nil); resp.status != want {
			t.Errorf("%s: %d %s, want %d", path, resp.status, resp.body, want)
		}
	}
	var tok struct {
		server.TokenView
		Secret string `json:"secret"`
	}
	resp = send(t, c, "POST", r.admin.URL+"/api/v1/tokens/enrol", []byte(`{"uses":3,"note":"room 7"}`))
	check(t, json.Unmarshal(resp.body, &tok))
	if resp.status != http.StatusCreated || tok.Secret == "" || tok.UsesLeft != 3 {
		t.Fatalf("token: %d %s", resp.status, resp.body)
	}
	if resp := send(t, c, "DELETE", r.admin.URL+"/api/v1/tokens/"+tok.ID, nil); resp.status != http.StatusNoContent {
		t.Errorf("revoking: %d %s", resp.status, resp.body)
	}
	if resp := send(t, c, "GET", r.admin.URL+"/api/v1/tokens", nil); strings.Contains(string(resp.body), tok.Secret) {
		t.Error("the list of tokens shows a secret")
	}
	if resp := send(t, c, "POST", r.admin.URL+"/api/v1/rules", []byte(`{"default_allow":true}`)); resp.status != http.StatusBadRequest {
		t.Errorf("unsigned rules: %d %s", resp.status, resp.body)
	}
	if resp := send(t, c, "POST", r.admin.URL+"/api/v1/users", make([]byte, 2<<20)); resp.status != http.StatusRequestEntityTooLarge {
		t.Errorf("an oversized body: %d %.200s", resp.status, resp.body)
	}
}
