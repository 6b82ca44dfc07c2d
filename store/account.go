package store

import (
	"context"
	"time"
)

// Token lets its bearer do one thing: enrol a host, or use the
// administration API in a role. The secret itself is not kept.
type Token struct {
	ID        string    `bun:",pk"`    // public, for lists
	Digest    string    `bun:"digest"` // SHA-256 of the secret, hexadecimal
	Kind      string    `bun:"kind"`   // enrol or api
	Role      string    `bun:"role"`   // of an api token
	Note      string    `bun:"note"`
	CreatedBy string    `bun:"created_by"`
	CreatedAt time.Time `bun:"created_at,nullzero"`
	ExpiresAt time.Time `bun:"expires_at,nullzero"` // zero: never
	UsesLeft  int       `bun:"uses_left"`           // -1: without limit
	LastUsed  time.Time `bun:"last_used,nullzero"`
	RevokedAt time.Time `bun:"revoked_at,nullzero"`
}

// Tokens remembers tokens.
type Tokens interface {
	// TokenByDigest returns the token with this digest, revoked or not.
	TokenByDigest(ctx context.Context, digest string) (Token, error)
	// ListTokens returns all, the latest first.
	ListTokens(ctx context.Context) ([]Token, error)
	// PutToken makes or replaces the token t.ID.
	PutToken(ctx context.Context, t Token) error
	// DropTokens forgets tokens that ended (expired or revoked) before the time given.
	DropTokens(ctx context.Context, before time.Time) (int, error)
}

// User is a person who may sign in.
type User struct {
	Name       string    `bun:",pk"`      // lower case
	Password   string    `bun:"password"` // argon2id in its encoded form
	Role       string    `bun:"role"`
	MustChange bool      `bun:"must_change"` // the password, before anything else
	Disabled   bool      `bun:"disabled"`
	CreatedAt  time.Time `bun:"created_at,nullzero"`
	LastLogin  time.Time `bun:"last_login,nullzero"`
	Epoch      int64     `bun:"epoch"` // grows with every change of password, role or Disabled: older sessions end
}

// Accounts remembers users.
type Accounts interface {
	// User returns the user of this name.
	User(ctx context.Context, name string) (User, error)
	// ListUsers returns all in the order of names.
	ListUsers(ctx context.Context) ([]User, error)
	// AddUser makes a user; waptwua.ErrConflict when the name is taken.
	AddUser(ctx context.Context, u User) error
	// PutUser replaces a user; waptwua.ErrNotFound.
	PutUser(ctx context.Context, u User) error
}

// Sessions remembers signed-in browsers. Values are opaque here.
type Sessions interface {
	// FindSession returns the value of an unexpired session, or waptwua.ErrNotFound.
	FindSession(ctx context.Context, digest string, now time.Time) ([]byte, error)
	// PutSession makes or replaces a session.
	PutSession(ctx context.Context, digest string, value []byte, expires time.Time) error
	// DeleteSession removes a session; none is no error.
	DeleteSession(ctx context.Context, digest string) error
	// DropSessions forgets sessions that expired before the time given.
	DropSessions(ctx context.Context, before time.Time) (int, error)
}
