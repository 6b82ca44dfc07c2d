package agent_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
)

// desk is the people at the rig's host and the host that can be restarted.
// It is also the clock of the agent: time stands still while an answer is on
// its way, however long that takes.
type desk struct {
	r      *rig
	away   bool                                              // nobody is logged in
	answer func(q agent.RestartQuestion) agent.RestartAnswer // the zero answer: the question stays until it is taken back
	refuse error                                             // of Restart

	mu        sync.Mutex
	arrived   *sync.Cond
	put       int // questions that the agent has handed over
	asked     []agent.RestartQuestion
	askedAt   []time.Time
	answering bool
	restarts  []time.Time
}

func (d *desk) LoggedIn(context.Context) (bool, error) { return !d.away, nil }

func (d *desk) AskRestart(ctx context.Context, q agent.RestartQuestion) (agent.RestartAnswer, error) {
	d.mu.Lock()
	d.asked, d.askedAt = append(d.asked, q), append(d.askedAt, d.Now())
	var a agent.RestartAnswer
	if d.answer != nil {
		a = d.answer(q)
	}
	answers := a != agent.RestartAnswer{}
	d.answering = answers
	d.arrived.Broadcast()
	d.mu.Unlock()
	if answers {
		return a, nil
	}
	<-ctx.Done()
	return a, ctx.Err()
}

func (d *desk) Restart(context.Context, string) error {
	if d.refuse == nil {
		d.restarts = append(d.restarts, d.Now())
	}
	return d.refuse
}

func (d *desk) Now() time.Time { return d.r.clock.Now() }

func (d *desk) Sleep(ctx context.Context, nap time.Duration) error {
	d.mu.Lock()
	for d.put > len(d.asked) {
		d.arrived.Wait()
	}
	wait := d.answering
	d.answering = false
	d.mu.Unlock()
	if wait {
		<-ctx.Done() // the answer ends the nap
		return ctx.Err()
	}
	return d.r.clock.Sleep(ctx, nap)
}

func (d *desk) reached(step string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if step == "user asked" {
		d.put++
	}
}

// newDesk makes a host with people, on which an update waits for a restart.
func newDesk(t *testing.T, ini string) *desk {
	t.Helper()
	r := newRig(t)
	r.ini += ini
	d := &desk{r: r}
	d.arrived = sync.NewCond(&d.mu)
	r.change = func(o *agent.Options) {
		o.Desktop, o.Restarter, o.Clock, o.Zone, o.Reached = d, d, d, inUTC, d.reached
	}
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.host.Restart = map[waptwua.UpdateID]bool{id: true}
	r.install()
	r.wantStatus(id, waptwua.StatusReboot)
	return d
}

// after checks how many minutes after start something happened, give or take
// the minute in which the service looks.
func after(t *testing.T, what string, start, at time.Time, minutes int) {
	t.Helper()
	if got := at.Sub(start); got < time.Duration(minutes)*time.Minute-time.Second || got > time.Duration(minutes+2)*time.Minute {
		t.Errorf("%s after %v, want %d minutes", what, got, minutes)
	}
}

func TestTheUserSnoozesThenAccepts(t *testing.T) {
	d := newDesk(t, "restart_policy = ask\n")
	d.answer = func(q agent.RestartQuestion) agent.RestartAnswer {
		if !q.Again {
			return agent.RestartAnswer{Snooze: q.Choices[1]}
		}
		return agent.RestartAnswer{Accepted: true}
	}
	start := d.Now()
	d.r.serve(time.Hour)
	status, err := d.r.agent().Status()
	if err != nil {
		t.Fatal(err)
	}
	if s := status.State.Restart; s == nil || s.Snoozed != 1 || s.Until.Sub(start).Round(time.Hour) != 4*time.Hour || s.Forced.Sub(start).Round(time.Hour) != 72*time.Hour {
		t.Errorf("after the snooze the status says %+v", s)
	}
	d.r.serve(3*time.Hour + 20*time.Minute)
	if len(d.asked) != 2 || len(d.restarts) != 1 {
		t.Fatalf("%d questions, %d restarts", len(d.asked), len(d.restarts))
	}
	after(t, "the reminder", start, d.askedAt[1], 4*60)
	after(t, "the restart", d.askedAt[1], d.restarts[0], 0)
	if status, err = d.r.agent().Status(); err != nil || status.State.Restart.Ordered.IsZero() {
		t.Errorf("after the restart was ordered the status says %+v, %v", status.State.Restart, err)
	}
	if q := d.asked[1]; q.Left != 2 || q.Forced.Sub(start).Round(time.Hour) != 72*time.Hour || !q.At.IsZero() {
		t.Errorf("the reminder: %+v", q)
	}
}

func TestNobodyAnswersUntilTheDeadline(t *testing.T) {
	d := newDesk(t, "restart_policy = ask\nrestart_deadline = 5h\n")
	start := d.Now()
	d.r.serve(5*time.Hour + 30*time.Minute)
	if len(d.restarts) != 1 {
		t.Fatalf("%d restarts, %d questions", len(d.restarts), len(d.asked))
	}
	after(t, "the restart", start, d.restarts[0], 5*60)
	last := d.asked[len(d.asked)-1]
	if last.At.IsZero() || len(last.Choices) > 0 {
		t.Errorf("the last thing shown is no countdown: %+v", last)
	}
	after(t, "the countdown", start, d.askedAt[len(d.askedAt)-1], 5*60-15)
}

func TestPoliciesOfRestart(t *testing.T) {
	tests := map[string]struct {
		ini      string
		away     bool
		restarts int
	}{
		"never":                    {"", false, 0},
		"never, though a deadline": {"restart_deadline = 1h\nrestart_unattended = true\n", true, 0},
		"ask, nobody there":        {"restart_policy = ask\n", true, 0},
		"unattended":               {"restart_policy = ask\nrestart_unattended = true\n", true, 1},
		"window without window":    {"restart_policy = window\n", true, 0},
		"window":                   {"restart_policy = window\nrestart_windows = daily 00:00-24:00\n", true, 1},
		"window, a user":           {"restart_policy = window\nrestart_windows = daily 00:00-24:00\n", false, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, tt.ini)
			d.away = tt.away
			d.r.serve(3 * time.Hour)
			if (len(d.restarts) > 0) != (tt.restarts > 0) {
				t.Errorf("restarts at %v", d.restarts)
			}
			if tt.restarts > 0 && (len(d.asked) > 0) == tt.away {
				t.Errorf("away %t, asked %+v", tt.away, d.asked)
			}
		})
	}
}

func TestARestartHappensOnceAndBeginsAnewAfterwards(t *testing.T) {
	d := newDesk(t, "restart_policy = ask\nrestart_unattended = true\n")
	d.away = true
	d.r.serve(20 * time.Minute)
	if len(d.restarts) != 1 {
		t.Fatalf("%d restarts ordered", len(d.restarts))
	}
	if err := d.r.host.Reboot(); err != nil {
		t.Fatal(err)
	}
	old := d.r.change
	booted := d.Now()
	d.r.change = func(o *agent.Options) { old(o); o.Booted = booted }
	d.r.serve(time.Hour)
	d.r.scan()
	d.r.serve(6 * time.Hour)
	if len(d.restarts) != 1 {
		t.Errorf("%d restarts ordered, though none is needed any more", len(d.restarts))
	}
}

func TestARestartThatWindowsRefusesIsTriedAgain(t *testing.T) {
	d := newDesk(t, "restart_policy = ask\nrestart_unattended = true\n")
	d.away, d.refuse = true, errors.New("the privilege is missing")
	d.r.serve(10 * time.Minute)
	d.refuse = nil
	d.r.serve(10 * time.Minute)
	if len(d.restarts) != 1 {
		t.Errorf("%d restarts", len(d.restarts))
	}
}

// A restart that was ordered and called off (shutdown /a) begins anew.
func TestACalledOffRestartIsOrderedAgain(t *testing.T) {
	d := newDesk(t, "restart_policy = ask\nrestart_unattended = true\n")
	d.away = true
	d.r.serve(50 * time.Minute)
	if len(d.restarts) != 2 || d.restarts[1].Sub(d.restarts[0]) < 30*time.Minute {
		t.Errorf("restarts at %v", d.restarts)
	}
}

// A killed agent goes on with the countdown that it had begun.
func TestTheCountdownOutlivesTheAgent(t *testing.T) {
	d := newDesk(t, "restart_policy = ask\nrestart_snoozes = 0\n")
	start := d.Now()
	d.r.serve(5 * time.Minute)
	d.r.serve(12 * time.Minute) // another agent on the same folder
	if len(d.restarts) != 1 || len(d.asked) != 2 {
		t.Fatalf("%d restarts, %d questions", len(d.restarts), len(d.asked))
	}
	after(t, "the restart", start, d.restarts[0], 15)
	if !d.asked[0].At.Equal(d.asked[1].At) {
		t.Errorf("another countdown: %v, %v", d.asked[0].At, d.asked[1].At)
	}
}

// The names that other programs leave are no reason.
func TestPendingFileRenamesAreNoReason(t *testing.T) {
	d := newDesk(t, "restart_policy = ask\nrestart_unattended = true\n")
	d.away = true
	d.r.host.Reasons = []string{"PendingFileRenameOperations"}
	d.r.serve(6 * time.Hour)
	if len(d.restarts) != 0 {
		t.Errorf("restarts at %v", d.restarts)
	}
}
