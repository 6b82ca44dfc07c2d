package repair

import (
	"context"
	"errors"
	"fmt"
	"time"

	"waptwua"
	"waptwua/wua/native"
)

// Native brings Windows' own updating to the plan and ends the hold of a
// process that was killed.
func Native(c *native.Control, p native.Plan) Step {
	look := func(ctx context.Context) (Finding, error) {
		proof, err := c.Prove(ctx)
		if errors.Is(err, waptwua.ErrDigest) {
			return Finding{}, fmt.Errorf("%w; put the policies and the start mode of wuauserv as they are to be, then remove the file", err)
		}
		if err != nil {
			return Finding{}, err
		}
		return Finding{Text: describe(proof), Sound: proof.Held.IsZero() && settled(proof, p.Want)}, nil
	}
	mend := func(ctx context.Context) (int64, error) {
		_, err := c.Settle(ctx, p)
		return 0, err
	}
	return Step{Name: "native", Look: look, Mend: mend}
}

// settled tells whether there is nothing that Settle would change. What hinders
// the agent and was set by others is not for it to change.
func settled(p *native.Proof, want native.Want) bool {
	switch want {
	case native.GiveBack:
		return p.Owner == native.OwnerWindows
	case native.TakeOver:
		return p.Owner == native.OwnerAgent && p.InForce
	}
	return true
}

func describe(p *native.Proof) string {
	text := "left to Windows"
	if p.Owner == native.OwnerAgent {
		text = "taken over"
		if !p.InForce {
			text += ", but changed by others"
		}
	}
	if !p.Held.IsZero() {
		text += "; wuauserv in use since " + p.Held.UTC().Format(time.RFC3339) + " by a process that has ended"
	}
	return text
}

// Service makes a service usable: not disabled, and able to start. wanted is
// the start mode that is all right besides automatic and manual; empty: none.
// use makes the service run and returns what makes it as it was.
func Service(sys native.Services, name string, wanted native.Start, use func(context.Context) (func(context.Context) error, error)) Step {
	look := func(ctx context.Context) (Finding, error) {
		s, err := sys.Service(ctx, name)
		if errors.Is(err, waptwua.ErrNotFound) {
			return Finding{}, fmt.Errorf("%w; it is a part of Windows: run DISM /Online /Cleanup-Image /RestoreHealth", err)
		}
		if err != nil {
			return Finding{}, err
		}
		return Finding{Text: s.String(), Sound: s.Start != native.Disabled || wanted == native.Disabled}, nil
	}
	mend := func(ctx context.Context) (int64, error) { return 0, sys.SetStart(ctx, name, native.Manual) }
	try := func(ctx context.Context) error {
		done, err := use(ctx)
		if err != nil {
			return err
		}
		return done(context.WithoutCancel(ctx))
	}
	return Step{Name: name, Look: look, Mend: mend, Try: try}
}

// Use starts the service unless it runs, and gives what stops it again.
func Use(sys native.Services, name string, limit time.Duration) func(context.Context) (func(context.Context) error, error) {
	return func(ctx context.Context) (func(context.Context) error, error) {
		was, err := sys.Service(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := setRunning(ctx, sys, name, true, limit); err != nil {
			return nil, err
		}
		return func(ctx context.Context) error { return setRunning(ctx, sys, name, was.Running, limit) }, nil
	}
}

func setRunning(ctx context.Context, sys native.Services, name string, running bool, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return sys.SetRunning(ctx, name, running)
}

// Scanner knows the scan package services that the agent's searches have
// registered with WUA.
type Scanner interface {
	ScanServices(context.Context) (int, error)
	RemoveScanServices(context.Context) error
}

// ScanServices removes scan package services that killed searches left.
func ScanServices(s Scanner) Step {
	look := func(ctx context.Context) (Finding, error) {
		n, err := s.ScanServices(ctx)
		return Finding{Text: fmt.Sprintf("%d registered", n), Sound: n == 0}, err
	}
	mend := func(ctx context.Context) (int64, error) { return 0, s.RemoveScanServices(ctx) }
	return Step{Name: "services", Look: look, Mend: mend}
}
