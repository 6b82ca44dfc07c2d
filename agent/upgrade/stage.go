package upgrade

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"waptwua"
	"waptwua/signing"
)

// Prepare fetches the program of an offer, has it check itself, and notes
// the exchange as pending. It returns the path of the guard, which the
// caller starts as a process of its own that calls [Guard.Run].
//
// ErrUnwell says that the program's own check failed. Whatever fails is
// noted; what may pass by itself is tried again later.
func (u *Upgrader) Prepare(ctx context.Context, o *Offer) (guard string, err error) {
	old, _, err := digestOf(u.opt.Program)
	if err != nil {
		return "", fmt.Errorf("the program that runs: %w", err)
	}
	staged := beside(u.opt.Program, "new")
	if err := u.stage(ctx, o, staged); err != nil {
		return "", errors.Join(u.note(ctx, o, err), remove(staged), err)
	}
	guard = beside(u.opt.Program, "guard")
	if err := copyFile(u.opt.Program, guard, old); err != nil {
		return "", fmt.Errorf("making the guard of the exchange: %w", err)
	}
	r, err := load(u.opt.Dir)
	if err != nil {
		return "", err
	}
	r.Pending = &pending{From: u.opt.Version, To: o.Version, New: o.File.SHA256, Old: old, At: u.opt.Now()}
	if err := r.save(u.opt.Dir); err != nil {
		return "", err
	}
	u.opt.Reached("pending")
	return guard, nil
}

// stage puts the program beside the old one and runs its check.
func (u *Upgrader) stage(ctx context.Context, o *Offer, staged string) error {
	fetched, err := u.fetch(ctx, o.File)
	if err != nil {
		return err
	}
	if err := copyFile(fetched, staged, o.File.SHA256); err != nil {
		return fmt.Errorf("staging version %s: %w", o.Version, err)
	}
	u.opt.Reached("staged")
	h, err := u.opt.Check(ctx, staged)
	if err != nil {
		return fmt.Errorf("%w: its check could not be run: %w", ErrUnwell, err)
	}
	switch {
	case signing.CompareVersions(h.Version, o.Version) != 0:
		return fmt.Errorf("%w: it says it is version %.60q, the release says %s", ErrUnwell, h.Version, o.Version)
	case h.Offline:
		return fmt.Errorf("version %s does not reach the server: %s", o.Version, strings.Join(h.Problems, "; "))
	case !h.Healthy:
		return fmt.Errorf("%w: %s", ErrUnwell, strings.Join(h.Problems, "; "))
	}
	u.opt.Reached("checked")
	return remove(fetched)
}

// note remembers why an offer could not be taken. What the host's own
// interruption caused is nobody's failure.
func (u *Upgrader) note(ctx context.Context, o *Offer, cause error) error {
	if ctx.Err() != nil {
		return nil
	}
	r, err := load(u.opt.Dir)
	if err != nil {
		return err
	}
	r.fail(o.Version, cause.Error(), errors.Is(cause, ErrUnwell), u.opt.Now())
	return r.save(u.opt.Dir)
}

// exchange gives the file at from the name program. Where that is not one
// step, because the program runs (Windows), the running file is first
// renamed, which is allowed.
func exchange(from, program string, want waptwua.SHA256) error {
	if err := fits(from, -1, want); err != nil {
		return err
	}
	err := os.Rename(from, program)
	if err == nil {
		return nil
	}
	aside := beside(program, "aside")
	if err := remove(aside); err != nil {
		return fmt.Errorf("replacing %s: %w", program, err)
	}
	if os.Rename(program, aside) != nil {
		return fmt.Errorf("replacing %s: %w", program, err)
	}
	if err := os.Rename(from, program); err != nil {
		return fmt.Errorf("replacing %s: %w", program, errors.Join(err, os.Rename(aside, program)))
	}
	return nil
}
