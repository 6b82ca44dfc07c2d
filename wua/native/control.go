package native

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"waptwua"
)

// Want is what is wanted of Windows' own updating.
type Want int

// What can be wanted; see the package comment.
const (
	Leave Want = iota
	GiveBack
	TakeOver
)

// Plan is what [Control.Settle] brings the host to.
type Plan struct {
	Want Want
	Idle Idle // with TakeOver; empty: IdleDisabled
}

// Options say what a Control works with. System and Records are needed.
type Options struct {
	System  System
	Records Records
	Now     func() time.Time // nil: the machine's time
	// Limit is how long the service may take to start or to stop; 0: 30 s.
	Limit time.Duration
}

const defaultLimit = 30 * time.Second

// Control has Windows' own updating in hand.
type Control struct {
	opt Options

	mu    sync.Mutex
	holds int // of this process
}

// New makes a Control. It touches nothing.
func New(o Options) *Control {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Limit == 0 {
		o.Limit = defaultLimit
	}
	return &Control{opt: o}
}

// Settle brings the host to the plan, ends the hold of a process that was
// killed, and returns what administrators should know: one sentence for each
// thing that somebody else has changed within the last week. What cannot be changed does not keep the
// rest from being changed; the error names all of it.
//
// A record that is damaged is an error that wraps waptwua.ErrDigest, and
// nothing is changed: how the host was before is then not known.
func (c *Control) Settle(ctx context.Context, p Plan) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.load()
	if err != nil {
		return nil, fmt.Errorf("what Windows Update was before is not known: %w", err)
	}
	untouched := r.Taken == nil && r.Settled.IsZero()
	if r.Held != nil && c.holds == 0 {
		err = c.rest(ctx, r)
	}
	s := settling{Control: c, record: r, now: c.opt.Now()}
	switch p.Want {
	case TakeOver:
		err = errors.Join(err, s.takeOver(ctx, p.Idle))
		s.recall()
	case GiveBack:
		err = errors.Join(err, s.giveBack(ctx))
	case Leave:
		s.leave()
	}
	if untouched && r.Taken == nil {
		return s.says, err // nothing was ever ours: no record is needed
	}
	r.Settled = s.now
	r.mark(c.checks(ctx, r), s.now)
	return s.says, errors.Join(err, c.opt.Records.Save(r))
}

// settling is one run of Settle.
type settling struct {
	*Control
	record *record
	now    time.Time
	says   []string
}

func (s *settling) say(format string, args ...any) {
	s.says = append(s.says, fmt.Sprintf(format, args...))
}

// recently is how long a change by somebody else is mentioned.
const recently = 7 * 24 * time.Hour

// recall mentions what was undone, the newest change of each thing. The
// sentences stay the same while nothing new happens.
func (s *settling) recall() {
	count := map[string]int{}
	var newest []Undone
	for _, u := range s.record.Undone {
		if s.now.Sub(u.Seen) > recently {
			break
		}
		if count[u.What]++; count[u.What] == 1 {
			newest = append(newest, u)
		}
	}
	for _, u := range newest {
		s.say("native updating: %s was changed to %s by somebody else, seen on %s (%d in a week), and has been set to %s again",
			u.What, u.Found, u.Seen.UTC().Format(time.DateOnly), count[u.What], u.Wanted)
	}
}

// leave says what is still ours.
func (s *settling) leave() {
	if t := s.record.Taken; t != nil {
		s.say("Windows Update is under wapt-get's control since %s, although enabled is not set any more; set enabled = false to give it back",
			t.At.UTC().Format(time.DateOnly))
	}
}

// value reads a registry value; nil: there is none.
func (c *Control) value(ctx context.Context, key, name string) (*Value, error) {
	v, err := c.opt.System.Value(ctx, key, name)
	if errors.Is(err, waptwua.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the policy %s: %w", name, err)
	}
	return &v, nil
}

// service reads a service; nil: there is none.
func (c *Control) service(ctx context.Context, name string) (*Service, error) {
	s, err := c.opt.System.Service(ctx, name)
	if errors.Is(err, waptwua.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the service %s: %w", name, err)
	}
	return &s, nil
}

// run starts or stops the Windows Update service within the limit.
func (c *Control) run(ctx context.Context, running bool) error {
	ctx, cancel := context.WithTimeout(ctx, c.opt.Limit)
	defer cancel()
	return c.opt.System.SetRunning(ctx, UpdateService, running)
}
