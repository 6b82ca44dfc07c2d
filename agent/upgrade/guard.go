package upgrade

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"waptwua"
	"waptwua/internal/filelock"
)

// Service is the agent's service. Stop and Start wait until it has stopped,
// or runs; both leave alone what is so already.
type Service interface {
	Stop(ctx context.Context) error
	Start(ctx context.Context) error
	Running() (bool, error)
}

// Guard makes a pending exchange and watches over it, in a process that is
// neither the old nor the new service.
type Guard struct {
	Dir     string // the agent's folder
	Program string
	Service Service
	// Limit is how long the new service has to confirm.
	Limit time.Duration
	// Poll is how often it is looked for.
	Poll    time.Duration
	Now     func() time.Time
	Sleep   func(ctx context.Context, d time.Duration) error
	Reached func(step string) // for tests that kill there. May be nil
}

const lockName = "upgrade.lock"

// Run exchanges the programs, and puts the old one back unless the new
// service confirms. nil says that the new version is in use; ErrRolledBack
// that the old one is; waptwua.ErrUnchanged that nothing was pending.
func (g *Guard) Run(ctx context.Context) (err error) {
	lock, err := filelock.Try(filepath.Join(g.Dir, lockName))
	if err != nil {
		return fmt.Errorf("guarding the exchange of the agent: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	r, err := load(g.Dir)
	if err != nil {
		return err
	}
	if r.Pending == nil {
		return fmt.Errorf("no exchange of the agent is pending: %w", waptwua.ErrUnchanged)
	}
	p := *r.Pending
	if err := g.forward(ctx, &p); err != nil {
		return g.back(ctx, &p, err, false)
	}
	final, err := g.watch(ctx, &p)
	if err != nil {
		return g.back(ctx, &p, err, final)
	}
	return nil
}

// forward stops the service, exchanges the programs and starts it.
func (g *Guard) forward(ctx context.Context, p *pending) error {
	if err := g.Service.Stop(ctx); err != nil {
		return err
	}
	g.reached("stopped")
	if err := copyFile(g.Program, beside(g.Program, "old"), p.Old); err != nil {
		return fmt.Errorf("keeping the old program: %w", err)
	}
	g.reached("kept")
	if err := exchange(beside(g.Program, "new"), g.Program, p.New); err != nil {
		return err
	}
	g.reached("exchanged")
	if err := g.Service.Start(ctx); err != nil {
		return err
	}
	g.reached("started")
	return nil
}

// watch waits for the confirmation. final says that the new version itself
// is at fault.
func (g *Guard) watch(ctx context.Context, p *pending) (final bool, err error) {
	for end := g.Now().Add(g.Limit); ; {
		if done, err := confirmed(g.Dir, p); done || err != nil {
			return false, err
		}
		running, err := g.Service.Running()
		if err != nil {
			return false, err
		}
		if !running {
			if done, err := confirmed(g.Dir, p); done || err != nil { // and then it was stopped
				return false, err
			}
			return true, fmt.Errorf("version %s ended by itself", p.To)
		}
		if !g.Now().Before(end) {
			return false, fmt.Errorf("version %s has not reached its server within %v", p.To, g.Limit)
		}
		if err := g.Sleep(ctx, g.Poll); err != nil {
			return false, err
		}
	}
}

// confirmed tells whether the new version has confirmed.
func confirmed(dir string, p *pending) (bool, error) {
	r, err := load(dir)
	return err == nil && r.Pending == nil && r.Highest == p.To, err
}

// back puts the old program back, whatever of the exchange was done. It
// does not end with ctx: half an exchange is worse than a late one.
func (g *Guard) back(ctx context.Context, p *pending, cause error, final bool) error {
	ctx = context.WithoutCancel(ctx)
	err := g.Service.Stop(ctx)
	if done, loadErr := confirmed(g.Dir, p); done && loadErr == nil { // in the last moment
		return errors.Join(err, g.Service.Start(ctx))
	}
	err = errors.Join(err, restore(g.Program, p))
	g.reached("restored")
	r, loadErr := load(g.Dir)
	if loadErr == nil {
		r.fail(p.To, cause.Error(), final, g.Now())
		loadErr = r.save(g.Dir)
	}
	g.reached("noted")
	return errors.Join(fmt.Errorf("%w: %w", ErrRolledBack, cause), err, loadErr, g.Service.Start(ctx))
}

// restore makes the old program the program again, if it is not.
func restore(program string, p *pending) error {
	if fits(program, -1, p.Old) == nil {
		return nil
	}
	old := beside(program, "old")
	if fits(old, -1, p.Old) != nil {
		old = beside(program, "aside")
	}
	if err := exchange(old, program, p.Old); err != nil {
		return fmt.Errorf("putting the old program back: %w", err)
	}
	return nil
}

func (g *Guard) reached(step string) {
	if g.Reached != nil {
		g.Reached(step)
	}
}
