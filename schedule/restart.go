package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// RestartPolicy says who decides when a host restarts that updates have
// made wait for a restart.
type RestartPolicy int

// The policies.
const (
	// RestartNever leaves restarting to others; nobody is asked.
	RestartNever RestartPolicy = iota
	// RestartAsk asks the user, who may put it off within a budget, up to
	// the deadline.
	RestartAsk
	// RestartWindow restarts in a restart window; a user is only warned.
	RestartWindow
)

var restartPolicies = []string{"never", "ask", "window"}

// ParseRestartPolicy reads never, ask or window.
func ParseRestartPolicy(s string) (RestartPolicy, error) {
	i := slices.Index(restartPolicies, strings.ToLower(strings.TrimSpace(s)))
	if i < 0 {
		return RestartNever, fmt.Errorf("restart policy %q: want never, ask or window", s)
	}
	return RestartPolicy(i), nil
}

// String is the form that ParseRestartPolicy reads.
func (p RestartPolicy) String() string { return restartPolicies[p] }

// RestartRules are what an administrator has chosen about restarts. They
// decide alone: what happened so far is a RestartState, the time and
// whether somebody is logged in are parameters.
//
// # Promises
//
// Nothing happens under RestartNever. A user who may still put the restart
// off is never overruled before the deadline. With a deadline, the restart
// is ordered at the deadline, or Countdown after the first look that comes
// later. Nothing is shown and nothing restarts in quiet hours, unless the
// deadline falls into them or the user wants it. A user is warned Countdown
// before each restart that he did not ask for.
type RestartRules struct {
	Policy    RestartPolicy
	Deadline  time.Duration   // from the moment the restart became due; 0: none
	Snoozes   int             // how often the user may put it off; negative: no limit
	SnoozeFor []time.Duration // for how long; the shortest is also the time between two questions without answer
	Countdown time.Duration   // warning before a restart
	// Unattended lets the host restart under RestartAsk while nobody is
	// logged in; otherwise it then waits for the deadline.
	Unattended bool
	Windows    *Calendar      // for RestartWindow; nil: never open
	Quiet      *Calendar      // hours in which nothing happens; nil: none
	Zone       *time.Location // of the host's clocks
	Spread     time.Duration  // the host's own place after the opening of a window, see Jitter
}

// RestartState is what has happened about one restart. It is kept on the
// disk, so that a killed agent goes on where it was. The zero state is that
// of a host that needs no restart.
type RestartState struct {
	Due       time.Time `json:"due,omitzero"`       // since when it is known that a restart is needed
	Asked     time.Time `json:"asked,omitzero"`     // when the user was last asked
	Snoozed   int       `json:"snoozed,omitempty"`  // how often the user has put it off
	Until     time.Time `json:"until,omitzero"`     // not asked again before
	Announced time.Time `json:"announced,omitzero"` // when the countdown began
	Accepted  bool      `json:"accepted,omitempty"` // the user wants it now
	Ordered   time.Time `json:"ordered,omitzero"`   // when Windows was told to restart
}

// RestartAction is what to do about a restart now.
type RestartAction int

// The actions.
const (
	RestartNothing   RestartAction = iota // look again at RestartStep.At
	RestartQuestion                       // ask the user
	RestartReminder                       // ask again, after a snooze or no answer
	RestartCountdown                      // tell the user that the host restarts at RestartStep.At
	RestartNow                            // tell Windows to restart
)

// RestartStep is the answer of RestartRules.Next.
type RestartStep struct {
	Action RestartAction
	// At is when to look again (RestartNothing; zero: never on its own) or
	// when the host will restart (RestartCountdown).
	At time.Time
	// Choices are the snoozes that the user may choose from; none: the user
	// can only accept, or let the time pass.
	Choices []time.Duration
	Left    int       // snoozes left before this one; negative: no limit
	Forced  time.Time // when the host restarts in any case; zero: never
}

// The limits of a restart that was announced or ordered.
const (
	// RestartLate is how long after its countdown's end a restart may still
	// be ordered: a host that slept through it is warned anew.
	RestartLate = 5 * time.Minute
	// RestartRetry is how long an ordered restart may take before it counts
	// as called off, and everything begins again.
	RestartRetry = 30 * time.Minute
)

// Next says what to do at now. user tells whether somebody is logged in.
func (r RestartRules) Next(s RestartState, now time.Time, user bool) RestartStep {
	step := RestartStep{Choices: r.choices(s, now), Left: r.left(s), Forced: r.Forced(s)}
	step.Action, step.At = r.next(s, now, user)
	return step
}

func (r RestartRules) next(s RestartState, now time.Time, user bool) (RestartAction, time.Time) {
	switch {
	case r.Policy == RestartNever || s.Due.IsZero():
		return RestartNothing, time.Time{}
	case within(now, s.Ordered, RestartRetry):
		return RestartNothing, s.Ordered.Add(RestartRetry)
	case s.Accepted && s.Ordered.IsZero():
		return RestartNow, now
	case within(now, s.Announced, r.Countdown) && s.Announced.After(s.Ordered):
		return RestartCountdown, s.Announced.Add(r.Countdown)
	case within(now, s.Announced, r.Countdown+RestartLate) && s.Announced.After(s.Ordered):
		return RestartNow, now
	}
	if f := r.Forced(s); !f.IsZero() && !now.Before(f.Add(-r.warning(user))) {
		return r.force(now, user)
	}
	action, at := r.unforced(s, now, user)
	if action == RestartNothing {
		at = soonest(at, r.look(s, user))
	}
	return action, at
}

// within tells whether now lies in the stretch d from start. A start in the
// future is none: the clock was set back.
func within(now, start time.Time, d time.Duration) bool {
	return !start.IsZero() && !now.Before(start) && now.Before(start.Add(d))
}

// warning is how long before a restart somebody must be told.
func (r RestartRules) warning(user bool) time.Duration {
	if user {
		return r.Countdown
	}
	return 0
}

// force restarts, warning a user first.
func (r RestartRules) force(now time.Time, user bool) (RestartAction, time.Time) {
	if w := r.warning(user); w > 0 {
		return RestartCountdown, now.Add(w)
	}
	return RestartNow, now
}

// Forced is the deadline: when the host restarts in any case. Zero: never.
func (r RestartRules) Forced(s RestartState) time.Time {
	if r.Deadline <= 0 || r.Policy == RestartNever || s.Due.IsZero() {
		return time.Time{}
	}
	return s.Due.Add(r.Deadline)
}

// look is when the deadline wants to be looked at.
func (r RestartRules) look(s RestartState, user bool) time.Time {
	if f := r.Forced(s); !f.IsZero() {
		return f.Add(-r.warning(user))
	}
	return time.Time{}
}

// soonest is the earlier of two moments; the zero time is never.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// unforced decides before the deadline.
func (r RestartRules) unforced(s RestartState, now time.Time, user bool) (RestartAction, time.Time) {
	switch {
	case r.Policy == RestartWindow:
		return r.inWindow(now, user)
	case user:
		return r.ask(s, now)
	case r.Unattended:
		return r.whenCalm(now, user)
	}
	return RestartNothing, time.Time{} // somebody may come, or the deadline
}

// inWindow restarts in a window that is still open at the countdown's end.
func (r RestartRules) inWindow(now time.Time, user bool) (RestartAction, time.Time) {
	if r.Windows == nil {
		return RestartNothing, time.Time{}
	}
	window, open := r.Windows.Open(now, r.Zone)
	if !open || !window.Contains(now.Add(r.warning(user))) {
		next, _ := r.Windows.Next(now, r.Zone)
		return RestartNothing, next.From
	}
	if turn := r.turn(window); turn.After(now) {
		return RestartNothing, turn
	}
	return r.whenCalm(now, user)
}

// turn is the host's own moment in a window: Spread after the opening,
// folded into the window's first quarter.
func (r RestartRules) turn(window Span) time.Time {
	if quarter := window.Length() / 4; quarter > 0 && r.Spread > 0 {
		return window.From.Add(r.Spread % quarter)
	}
	return window.From
}

// whenCalm restarts outside quiet hours.
func (r RestartRules) whenCalm(now time.Time, user bool) (RestartAction, time.Time) {
	for _, t := range []time.Time{now, now.Add(r.warning(user))} {
		if loud := r.untilLoud(t); loud.After(t) {
			return RestartNothing, loud
		}
	}
	return r.force(now, user)
}

// untilLoud is the end of the quiet hours in which t lies; else t.
func (r RestartRules) untilLoud(t time.Time) time.Time {
	if r.Quiet == nil {
		return t
	}
	if hours, quiet := r.Quiet.Open(t, r.Zone); quiet {
		return hours.To
	}
	return t
}

// ask decides about a user who may have been asked before.
func (r RestartRules) ask(s RestartState, now time.Time) (RestartAction, time.Time) {
	wait := now
	if !s.Asked.IsZero() && !s.Asked.After(now) && s.Until.After(now) {
		wait = s.Until
	}
	if wait = r.untilLoud(wait); wait.After(now) {
		return RestartNothing, wait
	}
	switch {
	case r.left(s) == 0:
		return r.whenCalm(now, true)
	case s.Asked.IsZero():
		return RestartQuestion, now
	}
	return RestartReminder, now
}

// left is how many snoozes the user has; negative: no limit.
func (r RestartRules) left(s RestartState) int {
	if r.Snoozes < 0 {
		return -1
	}
	return max(r.Snoozes-s.Snoozed, 0)
}

// choices are the snoozes that end before the deadline's warning.
func (r RestartRules) choices(s RestartState, now time.Time) []time.Duration {
	if r.Policy != RestartAsk || r.left(s) == 0 {
		return nil
	}
	last := r.look(s, true)
	var fit []time.Duration
	for _, d := range r.SnoozeFor {
		if last.IsZero() || !now.Add(d).After(last) {
			fit = append(fit, d)
		}
	}
	return fit
}

// remind is the time between two questions that got no answer.
func (r RestartRules) remind() time.Duration {
	if len(r.SnoozeFor) == 0 {
		return time.Hour
	}
	return max(slices.Min(r.SnoozeFor), time.Minute)
}

// Need is the state when a restart is needed, or no longer is. A restart
// that is needed again after the host has restarted is a new one.
func (s RestartState) Need(needed bool, now time.Time) RestartState {
	switch {
	case !needed:
		return RestartState{}
	case s.Due.IsZero() || s.Due.After(now):
		return RestartState{Due: now}
	case !s.Ordered.IsZero() && !within(now, s.Ordered, RestartRetry):
		s.Accepted, s.Announced, s.Ordered = false, time.Time{}, time.Time{} // it was called off
	}
	return s
}

// Showed is the state after a question was put at now; until an answer
// comes, the next one waits as after the shortest snooze.
func (r RestartRules) Showed(s RestartState, now time.Time) RestartState {
	s.Asked, s.Until = now, now.Add(r.remind())
	return s
}

// Snooze is the state after the user has put the restart off for d at now.
// ok is false, and nothing changes, when the user may not.
func (r RestartRules) Snooze(s RestartState, now time.Time, d time.Duration) (next RestartState, ok bool) {
	if !slices.Contains(r.choices(s, now), d) || within(now, s.Announced, r.Countdown+RestartLate) {
		return s, false
	}
	s.Snoozed++
	s.Asked, s.Until = now, now.Add(d)
	return s, true
}

// Accept is the state after the user has agreed to restart at once.
func (s RestartState) Accept() RestartState {
	s.Accepted = !s.Due.IsZero()
	return s
}

// Announce is the state after the countdown was shown at now.
func (s RestartState) Announce(now time.Time) RestartState {
	s.Announced = now
	return s
}

// Order is the state after Windows was told to restart at now.
func (s RestartState) Order(now time.Time) RestartState {
	s.Ordered = now
	return s
}
