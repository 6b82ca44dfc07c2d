package agent_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"waptwua/agent"
	"waptwua/agent/agenttest"
)

func (r *rig) tokenIsGone() bool {
	_, err := os.Stat(filepath.Join(r.dir, "private", "enrol.json"))
	return errors.Is(err, os.ErrNotExist)
}

// leave leaves a token as an installation does, and the CA where the
// settings say.
func (r *rig) leave(token agent.EnrolToken) {
	r.t.Helper()
	ca := filepath.Join(r.dir, "server-ca.pem")
	if err := os.WriteFile(ca, r.server.CAPEM(), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.global += "verify_cert = " + ca + "\n"
	if err := agent.KeepToken(r.dir, token); err != nil {
		r.t.Fatal(err)
	}
}

func TestServiceRegistersWithTheTokenThatWasLeft(t *testing.T) {
	r := newRig(t)
	r.leave(agent.EnrolToken{Token: agenttest.Token})
	r.serve(time.Minute)
	if !agent.Registered(r.dir) || r.held() == nil {
		t.Error("the host is not registered")
	}
	if !r.tokenIsGone() {
		t.Error("the token is still readable")
	}
}

func TestTokenWaitsForTheServer(t *testing.T) {
	r := newRig(t)
	r.leave(agent.EnrolToken{Token: agenttest.Token})
	r.server.Refuse(func(http.ResponseWriter, *http.Request) int { return http.StatusServiceUnavailable })
	r.serve(10 * time.Minute)
	if agent.Registered(r.dir) || r.tokenIsGone() {
		t.Fatal("the token was given up although the server was only busy")
	}
	r.server.Refuse(nil)
	r.serve(10 * time.Minute)
	if !agent.Registered(r.dir) || !r.tokenIsGone() {
		t.Error("the host is not registered once the server answers")
	}
}

func TestRefusedTokenIsRemoved(t *testing.T) {
	r := newRig(t)
	r.leave(agent.EnrolToken{Token: "used-up"})
	r.serve(time.Minute)
	if agent.Registered(r.dir) {
		t.Error("registered with a token that the server refused")
	}
	if !r.tokenIsGone() {
		t.Error("a token that can never serve is still there")
	}
}

func TestRegisteredHostDropsTheToken(t *testing.T) {
	r := newRig(t)
	r.register()
	r.server.Requests() // what was asked so far does not count
	r.leave(agent.EnrolToken{Token: agenttest.Token})
	r.serve(time.Minute)
	if !r.tokenIsGone() {
		t.Error("the token is still there")
	}
	for _, q := range r.server.Requests() {
		if q == "POST /agent/v1/enrol" {
			t.Error("a registered host has used up the token")
		}
	}
}

// TestForcedTokenRegistersAnew: the installer gave the host to another server.
func TestForcedTokenRegistersAnew(t *testing.T) {
	r := newRig(t)
	r.register()
	cert, err := os.ReadFile(filepath.Join(r.dir, "private", "host.crt"))
	if err != nil {
		t.Fatal(err)
	}
	r.leave(agent.EnrolToken{Token: agenttest.Token, Force: true})
	r.serve(time.Minute)
	now, err := os.ReadFile(filepath.Join(r.dir, "private", "host.crt"))
	if err != nil || string(now) == string(cert) || !r.tokenIsGone() {
		t.Errorf("not registered anew (%v), or the token is still there", err)
	}
}
