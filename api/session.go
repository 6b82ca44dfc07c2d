package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"waptwua/server"
)

const cookieName = "waptwua"

// The keys of a session; all values are text.
const (
	keyUser  = "user"
	keyEpoch = "epoch" // see server.Accounts.Epoch
)

// Sessions signs people in and out, for the API and the console alike.
type Sessions struct {
	manager  *scs.SessionManager
	accounts *server.Accounts
	failed   *failures
}

// NewSessions keeps sessions in accounts. With secure, browsers send the
// cookie over TLS only.
func NewSessions(accounts *server.Accounts, secure bool, log *slog.Logger, now func() time.Time) *Sessions {
	m := &scs.SessionManager{ // scs.New would start a store in memory, with a goroutine that nothing ends
		Store: sessionStore{accounts}, Codec: jsonCodec{}, Lifetime: accounts.SessionLifetime(),
		Cookie:    scs.SessionCookie{Name: cookieName, Path: "/", HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode},
		ErrorFunc: func(w http.ResponseWriter, r *http.Request, err error) { writeError(w, r, log, err) },
	}
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
	s.manager.Put(ctx, keyEpoch, strconv.FormatInt(epoch, 10))
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
	if errors.Is(err, server.ErrSignIn) || err == nil && strconv.FormatInt(epoch, 10) != s.manager.GetString(ctx, keyEpoch) {
		return server.Actor{}, false, s.manager.Destroy(ctx)
	}
	return actor, err == nil, err
}

// jsonCodec writes a session as JSON.
type jsonCodec struct{}

// content is a session in the store.
type content struct {
	Until  time.Time      `json:"until"`
	Values map[string]any `json:"values"`
}

// Encode implements scs.Codec.
func (jsonCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	return json.Marshal(content{deadline, values})
}

// Decode implements scs.Codec.
func (jsonCodec) Decode(b []byte) (time.Time, map[string]any, error) {
	var c content
	err := json.Unmarshal(b, &c)
	if c.Values == nil {
		c.Values = map[string]any{}
	}
	return c.Until, c.Values, err
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
