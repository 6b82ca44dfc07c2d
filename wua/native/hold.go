package native

import (
	"context"
	"errors"
	"fmt"

	"waptwua/wua"
)

// Hold makes the Windows Update service usable until release is called; see
// the package comment. Each call looks at the service, also when it is held
// already: it may have been stopped meanwhile. release may be called once;
// it does its work also when ctx of Hold has ended, and needs a context of its
// own. On an error there is nothing to release.
func (c *Control) Hold(ctx context.Context) (release func(context.Context) error, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.load()
	if err != nil {
		return nil, fmt.Errorf("what Windows Update was before is not known: %w", err)
	}
	now, err := c.service(ctx, UpdateService)
	if err != nil {
		return nil, err
	}
	if now == nil {
		return nil, &wua.Error{Op: "using the Windows Update service", Code: serviceMissing}
	}
	if r.Taken == nil {
		return c.borrow(*now)
	}
	if err := c.hold(ctx, r, *now); err != nil {
		if c.holds == 0 {
			err = errors.Join(err, c.rest(context.WithoutCancel(ctx), r), c.opt.Records.Save(r))
		}
		return nil, err
	}
	c.holds++
	return c.release, nil
}

// serviceMissing is ERROR_SERVICE_DOES_NOT_EXIST.
const serviceMissing wua.Code = 0x80070424

// borrow uses the service of a host that is not taken over.
func (c *Control) borrow(now Service) (func(context.Context) error, error) {
	if now.Start == Disabled && !now.Running {
		return nil, &wua.Error{Op: "using the Windows Update service", Code: wua.ServiceDisabled,
			Text: "somebody has disabled it, and wapt-get changes it only with enabled = true; set that, or run: sc config wuauserv start= demand"}
	}
	return func(context.Context) error { return nil }, nil
}

// hold records the hold and gets the service going.
func (c *Control) hold(ctx context.Context, r *record, now Service) error {
	if r.Held == nil {
		r.Held = &held{At: c.opt.Now(), Service: now}
		if err := c.opt.Records.Save(r); err != nil {
			return err
		}
	}
	if now.Start != Manual {
		if err := c.setStart(ctx, Manual); err != nil {
			return err
		}
	}
	if now.Running {
		return nil
	}
	if err := c.run(ctx, true); err != nil {
		return fmt.Errorf("starting %s: %w", UpdateService, err)
	}
	return nil
}

// release ends one hold; the last one leaves the service idle.
func (c *Control) release(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holds--; c.holds > 0 {
		return nil
	}
	r, err := c.load()
	if err != nil {
		return err
	}
	if r.Held == nil {
		return nil
	}
	return errors.Join(c.rest(ctx, r), c.opt.Records.Save(r))
}

// rest leaves the service as it is to be between operations. While its start
// mode cannot be set the record keeps the hold, and the next Settle tries
// again; a service that only does not stop in time is an error, but no hold.
func (c *Control) rest(ctx context.Context, r *record) error {
	now, err := c.service(ctx, UpdateService)
	if err != nil {
		return err
	}
	if now == nil || r.Taken == nil {
		r.Held = nil
		return nil
	}
	idle := r.Taken.idle()
	if now.Start != Manual && now.Start != idle {
		r.undone(Undone{What: UpdateService, Wanted: string(Manual), Found: string(now.Start), After: r.Held.At, Seen: c.opt.Now()})
	}
	if err := c.leaveAs(ctx, r.Taken, *now); err != nil {
		return err
	}
	stop := now.Running && (!r.Held.Running || r.Taken.Idle == IdleDisabled)
	r.Held = nil
	if !stop {
		return nil
	}
	return c.run(ctx, false)
}

// leaveAs sets the start mode that the service has between operations.
func (c *Control) leaveAs(ctx context.Context, t *taken, now Service) error {
	if now.Start != t.idle() {
		if err := c.setStart(ctx, t.idle()); err != nil {
			return err
		}
	}
	t.Left = t.idle()
	return nil
}

func (c *Control) setStart(ctx context.Context, mode Start) error {
	if err := c.opt.System.SetStart(ctx, UpdateService, mode); err != nil {
		return fmt.Errorf("setting the start mode of %s to %s: %w", UpdateService, mode, err)
	}
	return nil
}
