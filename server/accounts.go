package server

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"waptwua"
	"waptwua/notify"
	"waptwua/store"
)

// Accounts are people and programs that may use the administration.
type Accounts struct {
	*base
	hasher *hasher
}

func newAccounts(b *base) *Accounts { return &Accounts{base: b, hasher: newHasher(b.rand)} }

var userName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{0,63}$`)

// AddUser makes a user. With mustChange the password is good for one thing:
// to set another.
func (a *Accounts) AddUser(ctx context.Context, name, password string, role Role, mustChange bool) error {
	name = strings.ToLower(strings.TrimSpace(name))
	if !userName.MatchString(name) {
		return fmt.Errorf("user name %.80q: want 1 to 64 letters, digits, '.', '_', '@' or '-': %w", name, ErrInvalid)
	}
	if role.rank() == 0 {
		return fmt.Errorf("role %q: want %s, %s or %s: %w", role, Viewer, Operator, Administrator, ErrInvalid)
	}
	hash, err := a.newPassword(ctx, name, password)
	if err != nil {
		return err
	}
	u := store.User{Name: name, Password: hash, Role: string(role), MustChange: mustChange, CreatedAt: a.now(), Epoch: 1}
	err = a.audited(ctx, "user.add", name, "role "+string(role), func(tx store.Records) error { return tx.AddUser(ctx, u) })
	if err == nil {
		a.changed(ctx, notify.Accounts)
	}
	return err
}

func (a *Accounts) newPassword(ctx context.Context, name, password string) (string, error) {
	if n := len([]rune(password)); n < a.set.MinPasswordLength {
		return "", fmt.Errorf("the password has %d characters; want at least %d: %w", n, a.set.MinPasswordLength, ErrInvalid)
	}
	if strings.EqualFold(password, name) {
		return "", fmt.Errorf("the password is the user's name: %w", ErrInvalid)
	}
	return a.hasher.hash(ctx, password)
}

// RandomPassword makes a password that is worth typing once.
func (a *Accounts) RandomPassword() (string, error) {
	s, err := newSecret(a.rand, "")
	if err != nil {
		return "", err
	}
	return s[:20], nil
}

// Login checks name and password. Whatever is wrong, the error is ErrSignIn
// and takes as long.
func (a *Accounts) Login(ctx context.Context, name, password string) (Actor, error) {
	u, err := a.store.User(ctx, strings.ToLower(strings.TrimSpace(name)))
	if err != nil && !errors.Is(err, waptwua.ErrNotFound) {
		return Actor{}, err
	}
	ok, err := a.hasher.verify(ctx, password, u.Password)
	if err != nil {
		return Actor{}, err
	}
	if !ok || u.Disabled {
		return Actor{}, fmt.Errorf("user name or password is wrong: %w", ErrSignIn)
	}
	u.LastLogin = a.now()
	if err := a.store.PutUser(ctx, u); err != nil {
		return Actor{}, err
	}
	return actorOfUser(u), nil
}

func actorOfUser(u store.User) Actor {
	return Actor{Name: u.Name, Role: Role(u.Role), MustChange: u.MustChange, User: true}
}

// SetPassword sets another user's password, or one's own after old was checked.
func (a *Accounts) SetPassword(ctx context.Context, name, password string, mustChange bool) error {
	hash, err := a.newPassword(ctx, name, password)
	if err != nil {
		return err
	}
	return a.changeUser(ctx, "user.password", name, "", func(u *store.User) {
		u.Password, u.MustChange = hash, mustChange
	})
}

// ChangePassword sets one's own password. Older sessions end.
func (a *Accounts) ChangePassword(ctx context.Context, name, old, password string) error {
	if _, err := a.Login(ctx, name, old); err != nil {
		return err
	}
	if old == password {
		return fmt.Errorf("the new password is the old one: %w", ErrInvalid)
	}
	return a.SetPassword(ctx, name, password, false)
}

// SetUser changes a user's role and whether it is disabled. The last
// administrator can be neither demoted nor disabled (waptwua.ErrConflict).
func (a *Accounts) SetUser(ctx context.Context, name string, role Role, disabled bool) error {
	if role.rank() == 0 {
		return fmt.Errorf("role %q: want %s, %s or %s: %w", role, Viewer, Operator, Administrator, ErrInvalid)
	}
	detail := fmt.Sprintf("role %s, disabled %t", role, disabled)
	return a.changeUser(ctx, "user.set", name, detail, func(u *store.User) { u.Role, u.Disabled = string(role), disabled })
}

func (a *Accounts) changeUser(ctx context.Context, action, name, detail string, change func(*store.User)) error {
	err := a.audited(ctx, action, name, detail, func(tx store.Records) error {
		u, err := tx.User(ctx, strings.ToLower(name))
		if err != nil {
			return err
		}
		administered := administers(u)
		change(&u)
		u.Epoch++
		if err := tx.PutUser(ctx, u); err != nil || !administered || administers(u) {
			return err
		}
		return needAdministrator(ctx, tx)
	})
	if err == nil {
		a.changed(ctx, notify.Accounts)
	}
	return err
}

// administers tells whether a user may do everything.
func administers(u store.User) bool { return Role(u.Role) == Administrator && !u.Disabled }

func needAdministrator(ctx context.Context, tx store.Accounts) error {
	us, err := tx.ListUsers(ctx)
	if err != nil {
		return err
	}
	for _, u := range us {
		if administers(u) {
			return nil
		}
	}
	return fmt.Errorf("this would leave no administrator: %w", waptwua.ErrConflict)
}

// Users lists all users in the order of names.
func (a *Accounts) Users(ctx context.Context) ([]UserView, error) {
	us, err := a.store.ListUsers(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]UserView, len(us))
	for i, u := range us {
		views[i] = viewUser(u)
	}
	return views, nil
}

// Epoch returns the number that a session must carry to be the user's, and
// the user as actor. A user who is gone or disabled gives ErrSignIn.
func (a *Accounts) Epoch(ctx context.Context, name string) (int64, Actor, error) {
	u, err := a.store.User(ctx, name)
	if errors.Is(err, waptwua.ErrNotFound) || err == nil && u.Disabled {
		return 0, Actor{}, fmt.Errorf("user %s may not sign in: %w", name, ErrSignIn)
	}
	return u.Epoch, actorOfUser(u), err
}

// FindSession returns what SaveSession kept; ok is false when there is
// none, or it expired. The store holds only the digest of the secret.
func (a *Accounts) FindSession(ctx context.Context, secret string) (value []byte, ok bool, err error) {
	v, err := a.store.FindSession(ctx, digest(secret), a.now())
	if errors.Is(err, waptwua.ErrNotFound) {
		return nil, false, nil
	}
	return v, err == nil, err
}

// SaveSession keeps value under the secret until expires.
func (a *Accounts) SaveSession(ctx context.Context, secret string, value []byte, expires time.Time) error {
	return a.store.PutSession(ctx, digest(secret), value, expires)
}

// DropSession forgets a session.
func (a *Accounts) DropSession(ctx context.Context, secret string) error {
	return a.store.DeleteSession(ctx, digest(secret))
}

// SessionLifetime is how long a session lasts.
func (a *Accounts) SessionLifetime() time.Duration { return a.set.SessionLifetime }
