package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"testing"
)

// admin is a browser or program that uses the administration.
type admin struct {
	http  http.Client
	base  string
	token string
}

// signedIn signs a user in.
func signedIn(t *testing.T, r *running, user, password string) *admin {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &admin{http: http.Client{Jar: jar, Transport: &http.Transport{}}, base: r.Console}
	t.Cleanup(a.http.CloseIdleConnections)
	if status, text := a.call(t, "POST", "/api/v1/login", map[string]string{"user": user, "password": password}); status != http.StatusOK {
		t.Fatalf("signing in: %d %s", status, text)
	}
	return a
}

// call returns status and body.
func (a *admin) call(t *testing.T, method, path string, in any) (int, []byte) {
	t.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, a.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, text
}
