package server_test

import (
	"testing"
	"time"

	"waptwua"
	"waptwua/server"
	"waptwua/store"
)

func TestAccounts(t *testing.T) {
	r := newRig(t)
	ctx := r.ctx
	check(t, r.Accounts.AddUser(ctx, "Ada", "correct horse", server.Administrator, true))
	wantError(t, "the name again", r.Accounts.AddUser(ctx, "ada", "correct horse", server.Viewer, true), waptwua.ErrConflict)
	actor := must(r.Accounts.Login(ctx, "ADA ", "correct horse"))(t)
	if actor.Name != "ada" || !actor.MustChange || actor.Role != server.Administrator {
		t.Errorf("signed in as %+v", actor)
	}
	before, _, err := r.Accounts.Epoch(ctx, "ada")
	check(t, err)
	wantError(t, "changing to the same", r.Accounts.ChangePassword(ctx, "ada", "correct horse", "correct horse"), server.ErrInvalid)
	wantError(t, "changing with a wrong old one", r.Accounts.ChangePassword(ctx, "ada", "wrong horse!", "battery staple"), server.ErrSignIn)
	check(t, r.Accounts.ChangePassword(ctx, "ada", "correct horse", "battery staple"))
	after, actor, err := r.Accounts.Epoch(ctx, "ada")
	check(t, err)
	if after == before || actor.MustChange {
		t.Errorf("older sessions stay good after a change of password: %d, %+v", after, actor)
	}
	_, err = r.Accounts.Login(ctx, "ada", "correct horse")
	wantError(t, "the old password", err, server.ErrSignIn)
	_, err = r.Accounts.Login(ctx, "nobody", "battery staple")
	wantError(t, "nobody", err, server.ErrSignIn)

	wantError(t, "demoting the last administrator", r.Accounts.SetUser(ctx, "ada", server.Viewer, false), waptwua.ErrConflict)
	wantError(t, "disabling the last administrator", r.Accounts.SetUser(ctx, "ada", server.Administrator, true), waptwua.ErrConflict)
	check(t, r.Accounts.AddUser(ctx, "bob", "battery staple", server.Administrator, false))
	check(t, r.Accounts.SetUser(ctx, "ada", server.Administrator, true))
	_, err = r.Accounts.Login(ctx, "ada", "battery staple")
	wantError(t, "a disabled user", err, server.ErrSignIn)
	_, _, err = r.Accounts.Epoch(ctx, "ada")
	wantError(t, "a disabled user's session", err, server.ErrSignIn)
}

func TestUserRefusals(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name, user, password string
		role                 server.Role
	}{
		{"short password", "ada", "short", server.Viewer},
		{"the name as password", "ada.lovelace", "Ada.Lovelace", server.Viewer},
		{"no name", "", "battery staple", server.Viewer},
		{"a path as name", "../ada", "battery staple", server.Viewer},
		{"no role", "ada", "battery staple", ""},
		{"a role nobody knows", "ada", "battery staple", "root"},
		{"an endless password", "ada", string(make([]byte, 5000)), server.Viewer},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantError(t, "adding", r.Accounts.AddUser(r.ctx, c.user, c.password, c.role, false), server.ErrInvalid)
		})
	}
}

func TestAPITokens(t *testing.T) {
	r := newRig(t)
	view, secret, err := r.Accounts.CreateToken(r.ctx, server.NewToken{Kind: server.KindAPI, Role: server.Operator, Valid: time.Hour})
	check(t, err)
	if a := must(r.Accounts.AuthenticateToken(t.Context(), secret))(t); a.Role != server.Operator || a.User {
		t.Errorf("the token is %+v", a)
	}
	_, err = r.Accounts.AuthenticateToken(t.Context(), r.token(t, 1))
	wantError(t, "an enrolment token", err, server.ErrSignIn)
	_, err = r.Accounts.AuthenticateToken(t.Context(), secret+"x")
	wantError(t, "nearly the token", err, server.ErrSignIn)
	_, _, err = r.Accounts.CreateToken(r.ctx, server.NewToken{Kind: server.KindAPI})
	wantError(t, "a token without a role", err, server.ErrInvalid)
	check(t, r.Accounts.RevokeToken(r.ctx, view.ID))
	_, err = r.Accounts.AuthenticateToken(t.Context(), secret)
	wantError(t, "a revoked token", err, server.ErrSignIn)
	for _, tok := range must(r.Accounts.Tokens(t.Context()))(t) {
		if tok.ID == view.ID && tok.Usable {
			t.Errorf("shown as usable: %+v", tok)
		}
	}
}

func TestAudit(t *testing.T) {
	r := newRig(t)
	check(t, r.Accounts.AddUser(r.ctx, "ada", "correct horse", server.Administrator, true))
	r.enrolled(t, uuidA)
	check(t, r.Enrolment.Delete(r.ctx, uuidA))
	n, head, err := r.Upkeep.VerifyAudit(t.Context())
	check(t, err)
	if last := lastAudit(t, r); n != 4 || head != last.Hash || last.Actor != "ada" || last.Action != "host.delete" {
		t.Errorf("%d entries, head %s, last %+v", n, head, last)
	}
	// What somebody with the database in hand might do:
	e := must(r.db.ListAudit(t.Context(), 0, 1))(t)[0]
	e.Seq, e.Prev, e.Actor = n+1, head, "mallory"
	check(t, r.db.AppendAudit(t.Context(), e))
	_, _, err = r.Upkeep.VerifyAudit(t.Context())
	wantError(t, "an entry with a foreign digest", err, waptwua.ErrDigest)
	if err := r.Upkeep.Expire(t.Context(), "test"); err == nil {
		t.Error("the hourly check says nothing about the broken audit")
	}
	if run := r.lastRun(t, server.JobExpiry); run.State != store.Failed {
		t.Errorf("run: %+v", run)
	}
}

func TestAskOnDemand(t *testing.T) {
	r := newRig(t)
	check(t, r.Upkeep.Ask(r.ctx, server.JobFiles, false))
	if len(r.queue.runs) != 1 || lastAudit(t, r).Subject != string(server.JobFiles) {
		t.Errorf("queued %v, audit %+v", r.queue.runs, lastAudit(t, r))
	}
	r.queue.err = waptwua.ErrConflict
	wantError(t, "asking while one runs", r.Upkeep.Ask(r.ctx, server.JobFiles, false), waptwua.ErrConflict)
}
