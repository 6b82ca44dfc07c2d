package server_test

import (
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/pki"
	"waptwua/server"
)

func TestEnrol(t *testing.T) {
	r := newRig(t)
	key := newKey(t)
	req := request(t, r.token(t, 1), uuidA, key)
	got := must(r.Enrolment.Enrol(t.Context(), req, "192.0.2.1"))(t)
	cert := must(pki.DecodeCertificates([]byte(got.Certificate)))(t)[0]
	if uuid := must(r.Enrolment.Authenticate(t.Context(), cert))(t); uuid != uuidA {
		t.Errorf("the certificate is host %s, want %s", uuid, uuidA)
	}
	if got.CA == "" || got.Signing == "" {
		t.Error("the answer lacks what the host must trust")
	}

	t.Run("the answer was lost, so again", func(t *testing.T) {
		_, err := r.Enrolment.Enrol(t.Context(), req, "192.0.2.1")
		check(t, err)
	})
	t.Run("replayed by another host", func(t *testing.T) {
		_, err := r.Enrolment.Enrol(t.Context(), request(t, req.Token, uuidB, newKey(t)), "192.0.2.2")
		wantError(t, "used-up token", err, server.ErrSignIn)
	})
	t.Run("the UUID with another key", func(t *testing.T) {
		other := newKey(t)
		_, err := r.Enrolment.Enrol(t.Context(), request(t, r.token(t, 1), uuidA, other), "192.0.2.2")
		wantError(t, "cloned host", err, waptwua.ErrConflict)
		if got := lastAudit(t, r); got.Action != "host.refused" || !strings.Contains(got.Detail, "192.0.2.2") {
			t.Errorf("the attempt was not recorded: %+v", got)
		}
		check(t, r.Enrolment.Delete(r.ctx, uuidA))
		_, err = r.Enrolment.Authenticate(t.Context(), cert)
		wantError(t, "certificate of a deleted host", err, waptwua.ErrForbidden)
		_, err = r.Enrolment.Enrol(t.Context(), request(t, r.token(t, 1), uuidA, other), "192.0.2.2")
		check(t, err)
		_, err = r.Enrolment.Authenticate(t.Context(), cert)
		wantError(t, "certificate of the key before", err, waptwua.ErrForbidden)
	})
}

func lastAudit(t *testing.T, r *rig) server.AuditView {
	t.Helper()
	all := must(r.Fleet.Audit(t.Context(), 0, 1000))(t)
	if len(all) == 0 {
		t.Fatal("the audit is empty")
	}
	return all[len(all)-1]
}

func TestEnrolRefusals(t *testing.T) {
	r := newRig(t)
	_, api, err := r.Accounts.CreateToken(r.ctx, server.NewToken{Kind: server.KindAPI, Role: server.Administrator})
	check(t, err)
	revoked, revokedSecret, err := r.Accounts.CreateToken(r.ctx, server.NewToken{Kind: server.KindEnrol})
	check(t, err)
	check(t, r.Accounts.RevokeToken(r.ctx, revoked.ID))
	good := request(t, r.token(t, 100), uuidA, newKey(t))
	for _, c := range []struct {
		name   string
		change func(t *testing.T) (token, uuid, csr string, version int)
		want   error
	}{
		{"no token", func(*testing.T) (string, string, string, int) { return "", uuidA, good.CSR, 1 }, server.ErrSignIn},
		{"guessed token", func(*testing.T) (string, string, string, int) { return "waptenrol_x", uuidA, good.CSR, 1 }, server.ErrSignIn},
		{"an API token", func(*testing.T) (string, string, string, int) { return api, uuidA, good.CSR, 1 }, server.ErrSignIn},
		{"revoked token", func(*testing.T) (string, string, string, int) { return revokedSecret, uuidA, good.CSR, 1 }, server.ErrSignIn},
		{"no UUID", func(*testing.T) (string, string, string, int) { return good.Token, "", good.CSR, 1 }, server.ErrInvalid},
		{"path as UUID", func(*testing.T) (string, string, string, int) { return good.Token, "../../etc/passwd", good.CSR, 1 }, server.ErrInvalid},
		{"upper-case UUID", func(*testing.T) (string, string, string, int) {
			return good.Token, strings.ToUpper(uuidA), good.CSR, 1
		}, server.ErrInvalid},
		{"request of another host", func(t *testing.T) (string, string, string, int) {
			return good.Token, uuidA, request(t, "", uuidB, newKey(t)).CSR, 1
		}, server.ErrInvalid},
		{"no request", func(*testing.T) (string, string, string, int) { return good.Token, uuidA, "hello", 1 }, server.ErrInvalid},
		{"a version of tomorrow", func(*testing.T) (string, string, string, int) { return good.Token, uuidA, good.CSR, 2 }, server.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := good
			req.Token, req.Host.UUID, req.CSR, req.Version = c.change(t)
			_, err := r.Enrolment.Enrol(t.Context(), req, "192.0.2.9")
			wantError(t, "enrolling", err, c.want)
		})
	}
	r.now = r.now.Add(25 * time.Hour)
	_, err = r.Enrolment.Enrol(t.Context(), good, "192.0.2.9")
	wantError(t, "expired token", err, server.ErrSignIn)
	if hosts := must(r.Fleet.Hosts(t.Context(), server.HostFilter{}))(t); hosts.Total != 0 {
		t.Errorf("%d hosts got in", hosts.Total)
	}
}

func TestTokenUses(t *testing.T) {
	r := newRig(t)
	token := r.token(t, 2)
	for i, uuid := range []string{uuidA, uuidB, "00000000-0000-0000-0000-00000000000c"} {
		_, err := r.Enrolment.Enrol(t.Context(), request(t, token, uuid, newKey(t)), "192.0.2.1")
		if i < 2 {
			check(t, err)
		} else {
			wantError(t, "third host of a token for two", err, server.ErrSignIn)
		}
	}
}

func TestApproval(t *testing.T) {
	r := newRig(t, func(p *server.Parts) { p.Settings.ApproveHosts = true })
	got := must(r.Enrolment.Enrol(t.Context(), request(t, r.token(t, 1), uuidA, newKey(t)), "192.0.2.1"))(t)
	cert := must(pki.DecodeCertificates([]byte(got.Certificate)))(t)[0]
	_, err := r.Enrolment.Authenticate(t.Context(), cert)
	wantError(t, "before approval", err, waptwua.ErrForbidden)
	check(t, r.Enrolment.SetStanding(r.ctx, uuidA, server.Enrolled))
	must(r.Enrolment.Authenticate(t.Context(), cert))(t)
	check(t, r.Enrolment.SetStanding(r.ctx, uuidA, server.Refused))
	_, err = r.Enrolment.Authenticate(t.Context(), cert)
	wantError(t, "after refusal", err, waptwua.ErrForbidden)
	wantError(t, "a standing that cannot be set", r.Enrolment.SetStanding(r.ctx, uuidA, server.Awaiting), server.ErrInvalid)
	wantError(t, "an unknown host", r.Enrolment.SetStanding(r.ctx, uuidB, server.Enrolled), waptwua.ErrNotFound)
}
