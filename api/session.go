package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"waptwua/server"
)

// The keys of a session.
const (
	keyUser  = "user"
	keyEpoch = "epoch"
)

// Sessions signs people in and out, for the API and the console alike.
type Sessions struct {
	manager  *scs.SessionManager
	accounts *server.Accounts
	failed   *failures
}

// NewSessions keeps sessions in accounts. With secure, browsers send the
// cookie over TLS only.
func NewSessions(accounts *server.Accounts, secure bool, now func() time.Time) *Sessions {
	m := scs.New()
	m.Store = sessionStore{accounts}
	m.Lifetime = accounts.SessionLifetime()
	m.Cookie.Name = "waptwua"
	m.Cookie.HttpOnly = true
	m.Cookie.Secure = secure
	m.Cookie.SameSite = http.SameSiteStrictMode
	m.Cookie.Persist = false
	return &Sessions{manager: m, accounts: accounts, failed: newFailures(5, 12*time.Second, now)}
}

// Login signs in; from is the peer's address. After five failures of an
// address or a name, one more attempt each twelve seconds.
func (s *Sessions) Login(ctx context.Context, name, password, from string) (server.Actor, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if err := s.failed.allow("ip "+from, "name "+name); err != nil {
		return server.Actor{}, err
	}
	actor, err := s.accounts.Login(ctx, name, password)
	if err != nil {
		if errors.Is(err, server.ErrSignIn) {
			s.failed.count("ip "+from, "name "+name)
		}
		return server.Actor{}, err
	}
	return actor, s.begin(ctx, actor.Name)
}

// begin makes a new session for the user: the one from before signing in
// could have been put there by somebody else.
func (s *Sessions) begin(ctx context.Context, name string) error {
	epoch, _, err := s.accounts.Epoch(ctx, name)
	if err != nil {
		return err
	}
	if err := s.manager.RenewToken(ctx); err != nil {
		return fmt.Errorf("beginning a session: %w", err)
	}
	s.manager.Put(ctx, keyUser, name)
	s.manager.Put(ctx, keyEpoch, epoch)
	return nil
}

// Logout ends the session.
func (s *Sessions) Logout(ctx context.Context) error {
	if err := s.manager.Destroy(ctx); err != nil {
		return fmt.Errorf("ending the session: %w", err)
	}
	return nil
}

// ChangePassword sets the password of the person who is signed in. Their
// other sessions end, this one stays.
func (s *Sessions) ChangePassword(ctx context.Context, old, password string) error {
	actor, ok := server.ActorOf(ctx)
	if !ok || !actor.User {
		return fmt.Errorf("only a person who signed in has a password: %w", server.ErrSignIn)
	}
	key := "password " + actor.Name
	if err := s.failed.allow(key); err != nil {
		return err
	}
	err := s.accounts.ChangePassword(ctx, actor.Name, old, password)
	if errors.Is(err, server.ErrSignIn) {
		s.failed.count(key)
		return fmt.Errorf("the present password is wrong: %w", server.ErrInvalid)
	}
	if err != nil {
		return err
	}
	return s.begin(ctx, actor.Name)
}

// actor returns who is signed in; ok is false when nobody is.
func (s *Sessions) actor(ctx context.Context) (actor server.Actor, ok bool, err error) {
	name := s.manager.GetString(ctx, keyUser)
	if name == "" {
		return actor, false, nil
	}
	epoch, actor, err := s.accounts.Epoch(ctx, name)
	if errors.Is(err, server.ErrSignIn) || err == nil && epoch != s.manager.GetInt64(ctx, keyEpoch) {
		return server.Actor{}, false, s.manager.Destroy(ctx)
	}
	return actor, err == nil, err
}

// sessionStore is a scs.CtxStore over the accounts.
type sessionStore struct{ accounts *server.Accounts }

var _ scs.CtxStore = sessionStore{}

func (s sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	return s.accounts.FindSession(ctx, token)
}

func (s sessionStore) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	return s.accounts.SaveSession(ctx, token, b, expiry)
}

func (s sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return s.accounts.DropSession(ctx, token)
}

// The forms without a context are part of the interface but never called.

func (s sessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s sessionStore) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

func (s sessionStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
