package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"waptwua"
	"waptwua/agent"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// operator does orders when a test lets it.
type operator struct {
	begun chan Order // each order, when it begins
	let   chan error // what it ends with
}

func newOperator() *operator { return &operator{begun: make(chan Order), let: make(chan error)} }

func (o *operator) Operate(ctx context.Context, order Order) error {
	select {
	case o.begun <- order:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-o.let:
		return err
	case <-ctx.Done():
		return fmt.Errorf("scan: %w", ctx.Err())
	}
}

func noTime() time.Time { return time.Time{} }

// newDesk is a desk whose Run runs until the test ends.
func newDesk(t *testing.T) (*Desk, *operator) {
	t.Helper()
	o := newOperator()
	d := NewDesk(o, noTime)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { d.Run(ctx, nil) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return d, o
}

// until waits for the event of a task.
func until(t *testing.T, d *Desk, id uint64, want EventType) Event {
	t.Helper()
	for after := uint64(0); ; {
		list := d.Events(t.Context(), after)
		if len(list) == 0 {
			t.Fatalf("task %d never had the event %s", id, want)
		}
		for _, e := range list {
			if after = e.N; e.Task.ID == id && e.Type == want {
				return e
			}
		}
	}
}

func submit(t *testing.T, d *Desk, o Order) Task {
	t.Helper()
	task, err := d.Submit(o)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func TestAnOrderIsDone(t *testing.T) {
	d, o := newDesk(t)
	task := submit(t, d, Order{Kind: Install, Only: []string{"KB1"}})
	if got := <-o.begun; !cmp.Equal(got, Order{Kind: Install, Only: []string{"KB1"}}) {
		t.Errorf("the operator was asked %+v", got)
	}
	d.Progress(agent.Progress{Name: "KB1", Done: 5, Total: 10})
	d.Progress(agent.Progress{Name: "KB1", Done: 5, Total: 10})
	d.Progress(agent.Progress{Name: "KB1", Done: 9, Total: 10})
	o.let <- nil
	until(t, d, task.ID, TaskFinish)
	var seen []EventType
	var percent []int
	for _, e := range d.Events(t.Context(), 0) {
		seen = append(seen, e.Type)
		if e.Type == TaskStatus {
			percent = append(percent, e.Task.Progress.Percent)
		}
	}
	if diff := cmp.Diff([]EventType{TaskAdd, TaskStart, TaskStatus, TaskFinish}, seen); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(percent, []int{90}) {
		t.Errorf("progress %v; the newest should have replaced what was before", percent)
	}
	if d.Running() != nil {
		t.Error("it still counts as running")
	}
}

func TestHowATaskEnds(t *testing.T) {
	d, o := newDesk(t)
	for _, c := range []struct {
		err   error
		state TaskState
		event EventType
		code  Code
	}{
		{nil, Done, TaskFinish, ""},
		{fmt.Errorf("nothing new: %w", waptwua.ErrUnchanged), Done, TaskFinish, "unchanged"},
		{errors.Join(waptwua.ErrUnchanged, agent.ErrNotReported), Failed, TaskError, "not_reported"},
		{agent.ErrRestartFirst, Failed, TaskError, "restart_first"},
		{errors.New("disk"), Failed, TaskError, ""},
		{context.Canceled, Canceled, TaskCancel, ""},
	} {
		task := submit(t, d, Order{Kind: Scan})
		<-o.begun
		o.let <- c.err
		got := until(t, d, task.ID, c.event).Task
		if got.State != c.state || got.Code != c.code {
			t.Errorf("%v: state %s code %q, want %s %q", c.err, got.State, got.Code, c.state, c.code)
		}
		if failed := got.Err() != nil; failed != (c.err != nil) {
			t.Errorf("%v: Err is %v", c.err, got.Err())
		}
	}
}

func TestOneAtATime(t *testing.T) {
	d, o := newDesk(t)
	first := submit(t, d, Order{Kind: Scan})
	<-o.begun
	ran := make(chan error)
	go func() {
		ran <- d.Around(t.Context(), "download", func(context.Context) error {
			if r := d.Running(); r == nil || r.Kind != "download" || r.Origin != BySchedule {
				t.Errorf("running: %+v", r)
			}
			return waptwua.ErrUnchanged
		})
	}()
	if r := d.Running(); r == nil || r.ID != first.ID {
		t.Errorf("running: %+v", r)
	}
	o.let <- nil
	if err := <-ran; !errors.Is(err, waptwua.ErrUnchanged) {
		t.Errorf("the schedule got %v", err)
	}
}

func TestQueue(t *testing.T) {
	d, o := newDesk(t)
	submit(t, d, Order{Kind: Update})
	<-o.begun
	a := submit(t, d, Order{Kind: Scan})
	if b := submit(t, d, Order{Kind: Scan}); b.ID != a.ID {
		t.Error("an order that waits was queued again")
	}
	for n := range maxQueue - 1 {
		submit(t, d, Order{Kind: Install, Only: []string{fmt.Sprint(n)}})
	}
	if _, err := d.Submit(Order{Kind: Download}); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("an order too many: %v", err)
	}
	if n := len(d.Tasks()); n != 1+maxQueue {
		t.Errorf("%d tasks", n)
	}
}

func TestCancel(t *testing.T) {
	d, o := newDesk(t)
	running := submit(t, d, Order{Kind: Scan})
	<-o.begun
	waiting := submit(t, d, Order{Kind: Install})
	if got, err := d.Cancel(waiting.ID); err != nil || got.State != Canceled {
		t.Errorf("waiting: %+v, %v", got, err)
	}
	if _, err := d.Cancel(running.ID); err != nil {
		t.Error(err)
	}
	got := until(t, d, running.ID, TaskCancel).Task
	if got.State != Canceled || !errors.Is(got.Err(), context.Canceled) {
		t.Errorf("running: %+v", got)
	}
	if again, err := d.Cancel(running.ID); err != nil || again.State != Canceled {
		t.Errorf("again: %+v, %v", again, err)
	}
	if _, err := d.Cancel(99); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
	last := submit(t, d, Order{Kind: Update})
	if got := <-o.begun; got.Kind != Update {
		t.Errorf("a cancelled order was done: %+v", got)
	}
	o.let <- nil
	until(t, d, last.ID, TaskFinish)
}

func TestWhatIsForgotten(t *testing.T) {
	d, o := newDesk(t)
	var last Task
	for range 2 * kept {
		last = submit(t, d, Order{Kind: Scan})
		<-o.begun
		o.let <- nil
		until(t, d, last.ID, TaskFinish)
	}
	tasks, events := d.Tasks(), d.Events(t.Context(), 0)
	if len(tasks) != kept || tasks[kept-1].ID != last.ID {
		t.Errorf("%d tasks, the last is %+v", len(tasks), tasks[len(tasks)-1])
	}
	if len(events) != kept || events[kept-1].Type != TaskFinish {
		t.Errorf("%d events", len(events))
	}
}

func TestBadOrders(t *testing.T) {
	d := NewDesk(newOperator(), noTime)
	for _, o := range []Order{{}, {Kind: "format"}, {Kind: Scan, Only: []string{"KB1"}}, {Kind: Remove}, {Kind: Remove, Only: []string{"KB1"}, Now: true}, {Kind: Install, Only: make([]string, maxOnly+1)}} {
		if _, err := d.Submit(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// TestDrainedDesk: the order under way is finished, the next is not begun.
func TestDrainedDesk(t *testing.T) {
	o := newOperator()
	d := NewDesk(o, noTime)
	drained, ended := make(chan struct{}), make(chan struct{})
	go func() { defer close(ended); d.Run(t.Context(), drained) }()
	first := submit(t, d, Order{Kind: Scan})
	<-o.begun
	close(drained)
	o.let <- nil
	<-ended
	if got := until(t, d, first.ID, TaskFinish).Task; got.State != Done {
		t.Errorf("%+v", got)
	}
}
