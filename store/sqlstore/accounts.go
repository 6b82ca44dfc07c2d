package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"waptwua/store"
)

// TokenByDigest implements store.Tokens.
func (q *queries) TokenByDigest(ctx context.Context, digest string) (store.Token, error) {
	var t store.Token
	err := q.r.NewSelect().Model(&t).Where("digest = ?", digest).Scan(ctx)
	return t, found(err, "token with digest", digest)
}

// ListTokens implements store.Tokens.
func (q *queries) ListTokens(ctx context.Context) ([]store.Token, error) {
	var ts []store.Token
	if err := q.r.NewSelect().Model(&ts).OrderExpr("created_at DESC, id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("listing tokens: %w", err)
	}
	return ts, nil
}

// PutToken implements store.Tokens.
func (q *queries) PutToken(ctx context.Context, t store.Token) error {
	if _, err := q.w.NewInsert().Model(&t).On("CONFLICT (id) DO UPDATE").Exec(ctx); err != nil {
		return fmt.Errorf("writing token %s: %w", t.ID, err)
	}
	return nil
}

// DropTokens implements store.Tokens.
func (q *queries) DropTokens(ctx context.Context, before time.Time) (int, error) {
	before = utc(before)
	res, err := q.w.NewDelete().Table("tokens").Where("expires_at < ? OR revoked_at < ?", before, before).Exec(ctx)
	return removed(res, err, "tokens")
}

// User implements store.Accounts.
func (q *queries) User(ctx context.Context, name string) (store.User, error) {
	var u store.User
	err := q.r.NewSelect().Model(&u).Where("name = ?", name).Scan(ctx)
	return u, found(err, "user", name)
}

// ListUsers implements store.Accounts.
func (q *queries) ListUsers(ctx context.Context) ([]store.User, error) {
	var us []store.User
	if err := q.r.NewSelect().Model(&us).Order("name").Scan(ctx); err != nil {
		return nil, fmt.Errorf("listing users: %w", err)
	}
	return us, nil
}

// AddUser implements store.Accounts.
func (q *queries) AddUser(ctx context.Context, u store.User) error {
	res, err := q.w.NewInsert().Model(&u).On("CONFLICT (name) DO NOTHING").Exec(ctx)
	return added(res, err, "user", u.Name)
}

// PutUser implements store.Accounts.
func (q *queries) PutUser(ctx context.Context, u store.User) error {
	res, err := q.w.NewUpdate().Model(&u).WherePK().Exec(ctx)
	return changed(res, err, "user", u.Name)
}

// session is a signed-in browser.
type session struct {
	bun.BaseModel `bun:"table:sessions"`
	Digest        string    `bun:",pk"`
	Value         []byte    `bun:"value"`
	ExpiresAt     time.Time `bun:"expires_at"`
}

// FindSession implements store.Sessions.
func (q *queries) FindSession(ctx context.Context, digest string, now time.Time) ([]byte, error) {
	var s session
	err := q.r.NewSelect().Model(&s).Where("digest = ? AND expires_at > ?", digest, utc(now)).Scan(ctx)
	return s.Value, found(err, "session", "asked for")
}

// PutSession implements store.Sessions.
func (q *queries) PutSession(ctx context.Context, digest string, value []byte, expires time.Time) error {
	s := session{Digest: digest, Value: value, ExpiresAt: utc(expires)}
	if _, err := q.w.NewInsert().Model(&s).On("CONFLICT (digest) DO UPDATE").Exec(ctx); err != nil {
		return fmt.Errorf("writing a session: %w", err)
	}
	return nil
}

// DeleteSession implements store.Sessions.
func (q *queries) DeleteSession(ctx context.Context, digest string) error {
	if _, err := q.w.NewDelete().Table("sessions").Where("digest = ?", digest).Exec(ctx); err != nil {
		return fmt.Errorf("removing a session: %w", err)
	}
	return nil
}

// DropSessions implements store.Sessions.
func (q *queries) DropSessions(ctx context.Context, before time.Time) (int, error) {
	res, err := q.w.NewDelete().Table("sessions").Where("expires_at < ?", utc(before)).Exec(ctx)
	return removed(res, err, "sessions")
}
