package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"waptwua"
	"waptwua/notify"
	"waptwua/store"
)

// The kinds of tokens.
const (
	KindEnrol = "enrol" // a host may enrol with it
	KindAPI   = "api"   // a program may use the administration API with it
)

// maxTokenUses bounds how many hosts one enrolment token may take in.
const maxTokenUses = 100_000

// NewToken is a wish for a token.
type NewToken struct {
	Kind  string        // KindEnrol or KindAPI
	Role  Role          // of an API token
	Note  string        // what it is for
	Uses  int           // of an enrolment token; 0: one
	Valid time.Duration // 0: 24 hours for an enrolment token, a year for an API token
}

// CreateToken makes a token and returns it with its secret, which is shown
// only now: the server keeps its digest.
func (a *Accounts) CreateToken(ctx context.Context, want NewToken) (TokenView, string, error) {
	t, err := a.newToken(ctx, &want)
	if err != nil {
		return TokenView{}, "", err
	}
	secret, err := newSecret(a.rand, "wapt"+want.Kind+"_")
	if err != nil {
		return TokenView{}, "", err
	}
	t.Digest = digest(secret)
	t.ID = t.Digest[:12]
	detail := fmt.Sprintf("kind %s, role %s, uses %d, until %s, note %s", t.Kind, t.Role, t.UsesLeft, t.ExpiresAt.Format(time.RFC3339), t.Note)
	err = a.audited(ctx, "token.create", t.ID, detail, func(tx store.Records) error { return tx.PutToken(ctx, t) })
	if err != nil {
		return TokenView{}, "", err
	}
	a.changed(ctx, notify.Accounts)
	return viewToken(t, a.now()), secret, nil
}

func (a *Accounts) newToken(ctx context.Context, want *NewToken) (store.Token, error) {
	actor, _ := ActorOf(ctx)
	t := store.Token{Kind: want.Kind, Note: clean(want.Note, 200), CreatedBy: actor.Name, CreatedAt: a.now(), UsesLeft: -1}
	valid := 24 * time.Hour
	switch want.Kind {
	case KindEnrol:
		t.UsesLeft = max(want.Uses, 1)
	case KindAPI:
		valid = 365 * 24 * time.Hour
		t.Role = string(want.Role)
		if want.Role.rank() == 0 {
			return t, fmt.Errorf("an API token needs a role: %s, %s or %s: %w", Viewer, Operator, Administrator, ErrInvalid)
		}
	default:
		return t, fmt.Errorf("token kind %q: want %s or %s: %w", want.Kind, KindEnrol, KindAPI, ErrInvalid)
	}
	if want.Valid != 0 {
		valid = want.Valid
	}
	if valid < 0 || t.UsesLeft > maxTokenUses {
		return t, fmt.Errorf("a token needs a positive validity and at most %d uses: %w", maxTokenUses, ErrInvalid)
	}
	t.ExpiresAt = t.CreatedAt.Add(valid)
	return t, nil
}

// findToken returns the token with the digest when it may be used now. Uses
// are left to the caller.
func findToken(ctx context.Context, tx store.Tokens, tokenDigest, kind string, now time.Time) (store.Token, error) {
	t, err := tx.TokenByDigest(ctx, tokenDigest)
	switch {
	case errors.Is(err, waptwua.ErrNotFound):
		return t, fmt.Errorf("the token is not known here: %w", ErrSignIn)
	case err != nil:
		return t, err
	case t.Kind != kind:
		return t, fmt.Errorf("the token is not for this purpose: %w", ErrSignIn)
	case !t.RevokedAt.IsZero():
		return t, fmt.Errorf("the token was revoked: %w", ErrSignIn)
	case !t.ExpiresAt.IsZero() && now.After(t.ExpiresAt):
		return t, fmt.Errorf("the token expired on %s; make a new one: %w", t.ExpiresAt.Format(time.RFC3339), ErrSignIn)
	}
	return t, nil
}

// AuthenticateToken recognises a program by its API token, or returns ErrSignIn.
func (a *Accounts) AuthenticateToken(ctx context.Context, secret string) (Actor, error) {
	now := a.now()
	t, err := findToken(ctx, a.store, digest(secret), KindAPI, now)
	if err != nil {
		return Actor{}, err
	}
	if now.Sub(t.LastUsed) > seenEvery {
		t.LastUsed = now
		if err := a.store.PutToken(ctx, t); err != nil {
			return Actor{}, err
		}
	}
	return Actor{Name: "token " + t.ID, Role: Role(t.Role)}, nil
}

// Tokens lists all tokens, the latest first.
func (a *Accounts) Tokens(ctx context.Context) ([]TokenView, error) {
	ts, err := a.store.ListTokens(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]TokenView, len(ts))
	for i, t := range ts {
		views[i] = viewToken(t, a.now())
	}
	return views, nil
}

// RevokeToken ends a token; hosts that enrolled with it stay.
func (a *Accounts) RevokeToken(ctx context.Context, id string) error {
	err := a.audited(ctx, "token.revoke", id, "", func(tx store.Records) error {
		ts, err := tx.ListTokens(ctx)
		if err != nil {
			return err
		}
		for _, t := range ts {
			if t.ID == id {
				t.RevokedAt = a.now()
				return tx.PutToken(ctx, t)
			}
		}
		return fmt.Errorf("token %s: %w", id, waptwua.ErrNotFound)
	})
	if err == nil {
		a.changed(ctx, notify.Accounts)
	}
	return err
}
