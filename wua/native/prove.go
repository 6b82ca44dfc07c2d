package native

import (
	"context"
	"fmt"
	"time"
)

// Check is one thing that was looked at.
type Check struct {
	Name   string    `json:"name"`             // of a service or policy value, e.g. wuauserv or AU\NoAutoUpdate
	Wanted string    `json:"wanted,omitempty"` // empty: only shown
	Found  string    `json:"found"`
	OK     bool      `json:"ok"`
	Since  time.Time `json:"since,omitzero"` // when Settle first saw this result; zero: not yet
	Note   string    `json:"note,omitempty"`

	theirs bool // nothing that Settle sets
}

// Proof shows whether native updating is under control.
type Proof struct {
	Owner   string    `json:"owner"`            // wapt-get or windows
	Control bool      `json:"under_control"`    // the host is taken over, and every check is OK
	InForce bool      `json:"in_force"`         // the host is taken over, and all that was set is as it was set
	Taken   time.Time `json:"taken,omitzero"`   // when it was taken over
	Settled time.Time `json:"settled,omitzero"` // when it was made so for the last time
	Held    time.Time `json:"held,omitzero"`    // the service is in use since, or its user was killed
	Checks  []Check   `json:"checks"`
	Undone  []Undone  `json:"undone,omitempty"` // newest first
}

// The owners of native updating.
const (
	OwnerAgent   = "wapt-get"
	OwnerWindows = "windows"
)

// Prove looks at the host and changes nothing. What cannot be read is a check
// that is not OK and says why.
func (c *Control) Prove(ctx context.Context) (*Proof, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.load()
	if err != nil {
		return nil, fmt.Errorf("what Windows Update was before is not known: %w", err)
	}
	p := &Proof{Owner: OwnerWindows, Settled: r.Settled, Checks: c.checks(ctx, r), Undone: r.Undone}
	if r.Held != nil {
		p.Held = r.Held.At
	}
	p.Control, p.InForce = r.Taken != nil, r.Taken != nil
	if r.Taken != nil {
		p.Owner, p.Taken = OwnerAgent, r.Taken.At
	}
	for i, k := range p.Checks {
		if m, ok := r.Marks[k.Name]; ok && m.OK == k.OK {
			p.Checks[i].Since = m.Since
		}
		p.Control = p.Control && k.OK
		p.InForce = p.InForce && (k.OK || k.theirs)
	}
	return p, nil
}

// mark notes since when each check has its result.
func (r *record) mark(checks []Check, now time.Time) {
	if r.Taken == nil {
		r.Marks = nil
		return
	}
	next := map[string]mark{}
	for _, k := range checks {
		m, ok := r.Marks[k.Name]
		if !ok || m.OK != k.OK {
			m = mark{OK: k.OK, Since: now}
		}
		next[k.Name] = m
	}
	r.Marks = next
}

// checks are the policies, the services and what is in the agent's way.
func (c *Control) checks(ctx context.Context, r *record) []Check {
	var list []Check
	for _, p := range Policies() {
		list = append(list, c.checkPolicy(ctx, r, p))
	}
	list = append(list, c.checkUpdateService(ctx, r))
	for _, name := range []string{OrchestratorService, MedicService, TransferService} {
		list = append(list, c.checkService(ctx, name))
	}
	for _, o := range obstacles() {
		list = append(list, c.checkObstacle(ctx, o))
	}
	return append(list, c.checkHistory(r))
}

func (c *Control) checkPolicy(ctx context.Context, r *record, p Policy) Check {
	k := Check{Name: checkName(p.Key, p.Name), OK: true, Note: p.Why}
	found, err := c.value(ctx, p.Key, p.Name)
	if err != nil {
		return k.failed(err)
	}
	k.Found = shown(found)
	if r.Taken != nil {
		k.Wanted = p.Value.String()
		k.OK = found != nil && found.Equal(p.Value)
	}
	return k
}

func (c *Control) checkUpdateService(ctx context.Context, r *record) Check {
	k := Check{Name: UpdateService, OK: true}
	found, err := c.service(ctx, UpdateService)
	if err != nil {
		return k.failed(err)
	}
	k.Found = found.String()
	switch {
	case r.Taken == nil || found == nil:
		return k
	case r.Held != nil:
		k.Wanted, k.Note = "in use", "It is stopped, or left as it was, when the operation has ended."
		return k
	}
	k.Wanted = string(r.Taken.idle())
	k.OK = found.Start == r.Taken.idle()
	if r.Taken.Idle == IdleDisabled {
		k.Wanted += ", stopped"
		k.OK = k.OK && !found.Running
	}
	return k
}

func (c *Control) checkService(ctx context.Context, name string) Check {
	k := Check{Name: name, OK: true, theirs: true}
	found, err := c.service(ctx, name)
	if err != nil {
		return k.failed(err)
	}
	k.Found = found.String()
	if found != nil && name != TransferService {
		k.Note = "It can set wuauserv to start again; wapt-get finds that and undoes it."
	}
	return k
}

func (c *Control) checkObstacle(ctx context.Context, o obstacle) Check {
	k := Check{Name: checkName(o.key, o.name), Wanted: "absent or 0", OK: true, theirs: true}
	found, err := c.value(ctx, o.key, o.name)
	if err != nil {
		return k.failed(err)
	}
	k.Found = shown(found)
	if found != nil && !found.IsZero() {
		k.OK, k.Note = false, o.note
	}
	return k
}

func (k Check) failed(err error) Check {
	k.OK, k.Found, k.Note = false, "unknown", err.Error()
	return k
}

// String is the state for people; nil: there is no such service.
func (s *Service) String() string {
	switch {
	case s == nil:
		return "absent"
	case s.Running:
		return string(s.Start) + ", running"
	}
	return string(s.Start) + ", stopped"
}
