package upgrade

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"waptwua"
	"waptwua/internal/filelock"
	"waptwua/signing"
)

// Begin is called by the service before it begins to work: it finishes what
// a killed guard left. unconfirmed says that this is a new version, which
// calls Confirm as soon as its server has answered. The error wraps
// ErrRolledBack when the old program was put back: the process then ends, so
// that it is started.
func (u *Upgrader) Begin() (unconfirmed bool, err error) {
	lock, err := filelock.Try(filepath.Join(u.opt.Dir, lockName))
	guarded := errors.Is(err, filelock.ErrLocked)
	if err != nil && !guarded {
		return false, err
	}
	if !guarded {
		defer func() { err = errors.Join(err, lock.Unlock()) }()
	}
	r, err := load(u.opt.Dir)
	if err != nil {
		return false, err
	}
	switch {
	case r.Pending == nil:
		return false, u.settle(&r, guarded)
	case guarded:
		return r.Pending.To == u.opt.Version, nil
	case r.Pending.To == u.opt.Version:
		return u.alone(&r)
	}
	r.fail(r.Pending.To, "the exchange was cut off", false, u.opt.Now())
	u.tidy()
	return false, r.save(u.opt.Dir)
}

// settle notes the version that runs without any exchange, for example
// installed from a package, and removes what exchanges have left.
func (u *Upgrader) settle(r *record, guarded bool) error {
	if signing.CompareVersions(u.opt.Version, r.Highest) > 0 {
		r.well(u.opt.Version)
		if err := r.save(u.opt.Dir); err != nil {
			return err
		}
	}
	if !guarded {
		u.tidy()
	}
	return nil
}

// alone is a new version without its guard: it counts its starts.
func (u *Upgrader) alone(r *record) (unconfirmed bool, err error) {
	p := r.Pending
	p.Starts++
	if p.Starts <= maxStarts {
		return true, r.save(u.opt.Dir)
	}
	if err := restore(u.opt.Program, p); err != nil {
		return true, err // better this one than none
	}
	r.fail(p.To, fmt.Sprintf("version %s was started %d times without reaching its server", p.To, maxStarts), true, u.opt.Now())
	return false, errors.Join(r.save(u.opt.Dir), ErrRolledBack)
}

// Confirm asks the server and, when it answers, notes that this version does
// its work. Repeated calls do no harm.
func (u *Upgrader) Confirm(ctx context.Context) error {
	if _, err := u.opt.Source.Release(ctx); err != nil && !errors.Is(err, waptwua.ErrNotFound) {
		return fmt.Errorf("confirming version %s: %w", u.opt.Version, err)
	}
	r, err := load(u.opt.Dir)
	if err != nil {
		return err
	}
	r.well(u.opt.Version)
	u.opt.Reached("confirming")
	return r.save(u.opt.Dir)
}

// tidy removes what an exchange needs no more. A file that is in use stays
// for the next time.
func (u *Upgrader) tidy() {
	for _, word := range []string{"new", "old", "guard", "aside"} {
		_ = remove(beside(u.opt.Program, word)) // a guard that just ends still runs from its file
	}
}
