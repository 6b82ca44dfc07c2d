package agent

import (
	"context"
	"fmt"
	"strings"
	"time"

	"waptwua"
	"waptwua/agent/journal"
	"waptwua/agent/settings"
	"waptwua/schedule"
	"waptwua/transport"
)

// Restarter restarts the host.
type Restarter interface {
	// Restart orders the restart and returns before it happens. reason is a
	// sentence for the people at the host and for its event log.
	Restart(ctx context.Context, reason string) error
}

// taskRestart looks after a restart that is due.
const taskRestart = "restart"

// The times of a restart that is due.
const (
	// restartLook is how often it is looked at: users come and go.
	restartLook = 5 * time.Minute
	// restartSpread bounds the time over which a fleet's hosts spread their
	// restarts after the opening of a window.
	restartSpread = 30 * time.Minute
	// bootSlack is how far two readings of the same start of the host may lie
	// apart, because they are computed from a clock that may be set.
	bootSlack = time.Minute
)

// restartReason is what Windows shows and logs.
const restartReason = "Windows updates were installed; a restart finishes their installation."

// restarting is what the agent remembers about a restart.
type restarting struct {
	schedule.RestartState
	Boot time.Time `json:"boot,omitzero"` // the start of the host before it
}

// restartTask is the task that looks after a restart; never where nothing can
// restart the host, or when nothing is to be done. The agenda is locked.
func (a *Agent) restartTask(s *settings.Settings) task {
	t := task{name: taskRestart, run: a.lookAtRestart}
	if a.opt.Restarter == nil || s.Restart.Policy == schedule.RestartNever || !a.agenda.restartDue {
		return t
	}
	if t.due = a.agenda.restart; a.user.answered() || t.due.IsZero() {
		t.due = a.opt.Clock.Now()
	}
	return t
}

// lookAtRestart asks, warns or restarts, as the policy says now.
func (a *Agent) lookAtRestart(ctx context.Context) error {
	return a.do(taskRestart, func(op *operation) error {
		needed, err := op.restartNeeded(ctx)
		if err != nil {
			return err
		}
		before := op.mem.Restart
		op.followRestart(needed)
		act := op.decideRestart(ctx)
		if op.mem.Restart != before {
			op.mem.State.Restart = op.restartState()
			if err := journal.Save(op.path("state.json"), &op.mem); err != nil {
				return err
			}
			op.remember()
		}
		return act(ctx)
	})
}

// restartNeeded tells whether updates wait for a restart, and whether
// restarting has a point.
func (op *operation) restartNeeded(ctx context.Context) (bool, error) {
	reboot, err := op.opt.WUA.RebootPending(ctx)
	if err != nil || !reboot.Required || op.mem.State.RestartLoop != nil { // see countRestart
		return false, err
	}
	for _, reason := range reboot.Reasons {
		if !strings.Contains(strings.ToLower(reason), "pendingfilerename") { // printers and others leave these for ever
			return true, nil
		}
	}
	return len(reboot.Reasons) == 0, nil
}

// followRestart brings what is remembered up to date: a host that has
// restarted begins anew, and an answer of the user counts.
func (op *operation) followRestart(needed bool) {
	m := &op.mem.Restart
	if !m.Boot.IsZero() && op.opt.Booted.Sub(m.Boot).Abs() > bootSlack {
		m.RestartState = schedule.RestartState{}
	}
	m.Boot = op.opt.Booted
	m.RestartState = m.Need(needed, op.now())
	switch answer := op.user.take(); {
	case answer.Accepted:
		m.RestartState = m.Accept()
	case answer.Snooze > 0:
		if next, ok := op.restartRules().Snooze(m.RestartState, op.now(), answer.Snooze); ok {
			m.RestartState = next
			op.log.Info("the user has put the restart off", "until", next.Until)
		}
	}
}

// restartState is what people are shown of the restart.
func (op *operation) restartState() *transport.Restart {
	m, rules := op.mem.Restart, op.settings.Restart
	if m.Due.IsZero() || rules.Policy == schedule.RestartNever {
		return nil
	}
	s := transport.Restart{Due: m.Due, Asked: m.Asked, Snoozed: m.Snoozed, Until: m.Until, Forced: rules.Forced(m.RestartState), Ordered: m.Ordered}
	if m.Announced.After(m.Ordered) {
		s.At = m.Announced.Add(rules.Countdown)
	}
	return &s
}

// restartRules are the settings with what the host adds to them.
func (op *operation) restartRules() schedule.RestartRules {
	r := op.settings.Restart
	r.Zone = op.opt.Zone()
	r.Spread = schedule.Jitter(op.mem.State.Host.UUID+taskRestart, restartSpread)
	return r
}

// decideRestart changes what is remembered as if the next step were done,
// and returns the step. What is remembered is saved before, so that an agent
// that is killed in between does not do it twice.
func (op *operation) decideRestart(ctx context.Context) func(context.Context) error {
	m, rules, now := &op.mem.Restart, op.restartRules(), op.now()
	step := rules.Next(m.RestartState, now, op.loggedIn(ctx))
	op.lookAgain(step.At)
	q := RestartQuestion{Again: step.Action == schedule.RestartReminder, Choices: step.Choices, Left: step.Left, Forced: step.Forced}
	switch step.Action {
	case schedule.RestartQuestion, schedule.RestartReminder:
		m.RestartState = rules.Showed(m.RestartState, now)
		q.Limit = m.Until.Sub(now)
	case schedule.RestartCountdown:
		if start := step.At.Add(-rules.Countdown); !m.Announced.Equal(start) {
			m.RestartState = m.Announce(start)
		}
		q.At, q.Limit = step.At, step.At.Sub(now)
	case schedule.RestartNow:
		m.RestartState = m.Order(now)
		return op.orderRestart
	default:
		return func(context.Context) error { return waptwua.ErrUnchanged }
	}
	return func(context.Context) error { return op.putRestart(q) }
}

// lookAgain has Run look at the restart at that time, or after restartLook
// when that is earlier.
func (op *operation) lookAgain(at time.Time) {
	op.agenda.mu.Lock()
	defer op.agenda.mu.Unlock()
	op.agenda.restart = op.now().Add(restartLook)
	if at.After(op.now()) {
		op.agenda.restart = earlier(op.agenda.restart, at)
	}
}

// loggedIn tells whether somebody is logged in. A host that cannot tell has
// somebody: nobody's work is lost for a doubt.
func (op *operation) loggedIn(ctx context.Context) bool {
	if op.opt.Desktop == nil {
		return false
	}
	in, err := op.opt.Desktop.LoggedIn(ctx)
	if err != nil {
		op.log.Warn("cannot tell whether somebody is logged in", "error", err)
		return true
	}
	return in
}

// putRestart has the user asked or warned.
func (op *operation) putRestart(q RestartQuestion) error {
	if op.opt.Desktop == nil || op.user.shows(q.At) {
		return waptwua.ErrUnchanged
	}
	if !op.user.put(q) {
		op.lookAgain(op.now().Add(time.Second)) // when the other one is gone
		return waptwua.ErrUnchanged
	}
	op.opt.Reached("user asked")
	op.log.Info("the user is asked about a restart", "countdown_until", q.At, "snoozes_left", q.Left, "deadline", q.Forced)
	return nil
}

// orderRestart tells Windows to restart. When it refuses, the next look tries
// again.
func (op *operation) orderRestart(ctx context.Context) error {
	op.log.Info("the host restarts", "due_since", op.mem.Restart.Due, "accepted", op.mem.Restart.Accepted)
	err := op.opt.Restarter.Restart(ctx, restartReason)
	if err == nil {
		op.opt.Reached("restart ordered")
		return nil
	}
	op.mem.Restart.Ordered = time.Time{}
	if saveErr := journal.Save(op.path("state.json"), &op.mem); saveErr != nil {
		op.log.Warn("the state cannot be saved", "error", saveErr)
	}
	return fmt.Errorf("restarting the host: %w", err)
}
