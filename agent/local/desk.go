package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"waptwua"
	"waptwua/agent"
)

// Operator does what is ordered.
type Operator interface {
	// Operate does the order and returns when it is done or ctx has ended.
	Operate(ctx context.Context, o Order) error
}

// Desk takes orders, lets one task run at a time, and knows what has
// happened. It is safe for concurrent use.
type Desk struct {
	operator Operator
	now      func() time.Time
	turn     chan struct{} // holds one value while a task runs
	queue    chan *entry

	mu      sync.Mutex
	tasks   []*entry // by ID; at most kept of them have ended
	events  []Event
	lastID  uint64
	lastN   uint64
	changed chan struct{} // closed with the next event
	running *entry
}

// entry is a task with what it needs to be run.
type entry struct {
	Task
	order  Order
	cancel context.CancelFunc // while it runs
}

// NewDesk makes a desk whose orders operator does. Run must run for them.
func NewDesk(operator Operator, now func() time.Time) *Desk {
	return &Desk{operator: operator, now: now, turn: make(chan struct{}, 1), queue: make(chan *entry, maxQueue), changed: make(chan struct{})}
}

// Run does the orders, one after the other, until ctx ends, or until drained
// is closed and the order under way is done.
func (d *Desk) Run(ctx context.Context, drained <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-drained:
			return
		case e := <-d.queue:
			_ = d.perform(ctx, e, func(ctx context.Context) error { return d.operator.Operate(ctx, e.order) }) // the task keeps it
		}
	}
}

// Submit queues an order and returns its task. An order that waits already is
// not queued again: its task is returned. The error wraps waptwua.ErrLimit
// when too many wait.
func (d *Desk) Submit(o Order) (Task, error) {
	if err := o.check(); err != nil {
		return Task{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.tasks {
		if e.State == Waiting && e.Origin == ByOrder && e.order.equal(o) {
			return e.Task, nil
		}
	}
	e := d.add(o.Kind, ByOrder)
	e.order = o
	select {
	case d.queue <- e:
	default:
		d.tasks = d.tasks[:len(d.tasks)-1]
		return Task{}, fmt.Errorf("%d orders are waiting already; try again later: %w", maxQueue, waptwua.ErrLimit)
	}
	d.tell(TaskAdd, e)
	return e.Task, nil
}

func (o Order) equal(p Order) bool {
	return o.Kind == p.Kind && o.Force == p.Force && o.Now == p.Now && slices.Equal(o.Only, p.Only)
}

func (o Order) check() error {
	switch o.Kind {
	case Update, Scan, Download, Install, Remove:
	default:
		return badOrder{fmt.Errorf("kind %q: must be one of %s, %s, %s, %s, %s", o.Kind, Update, Scan, Download, Install, Remove)}
	}
	if len(o.Only) > maxOnly {
		return badOrder{fmt.Errorf("an order for %d updates; at most %d: %w", len(o.Only), maxOnly, waptwua.ErrLimit)}
	}
	if o.Kind != Install && o.Now {
		return badOrder{fmt.Errorf("only %s takes now", Install)}
	}
	if o.Kind != Install && o.Kind != Remove && len(o.Only) > 0 {
		return badOrder{fmt.Errorf("only %s and %s take a list of updates", Install, Remove)}
	}
	if o.Kind == Remove && len(o.Only) == 0 {
		return badOrder{fmt.Errorf("%s needs a list of updates", Remove)}
	}
	return nil
}

// badOrder is a mistake of the caller.
type badOrder struct{ error }

func (b badOrder) Unwrap() error { return b.error }

// Around runs a task of the schedule: it waits for its turn, and the task can
// be seen and cancelled like an order. It fits agent.Options.Around.
func (d *Desk) Around(ctx context.Context, name string, run func(context.Context) error) error {
	d.mu.Lock()
	e := d.add(Kind(name), BySchedule)
	d.mu.Unlock()
	return d.perform(ctx, e, run)
}

// perform runs a task when it is its turn.
func (d *Desk) perform(ctx context.Context, e *entry, run func(context.Context) error) error {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return d.end(e, ctx.Err())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !d.begin(e, cancel) {
		return context.Canceled // it was taken out of the queue
	}
	return d.end(e, run(ctx))
}

// begin marks the task as running, unless it was cancelled while it waited.
func (d *Desk) begin(e *entry, cancel context.CancelFunc) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e.Ended() {
		return false
	}
	e.State, e.Started, e.cancel, d.running = Active, d.now(), cancel, e
	d.tell(TaskStart, e)
	return true
}

// end notes how the task ended, and returns err.
func (d *Desk) end(e *entry, err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running == e {
		d.running = nil
	}
	if e.Ended() {
		return err // cancelled while it waited
	}
	event := TaskFinish
	e.State, e.Finished, e.cancel = Done, d.now(), nil
	switch {
	case errors.Is(err, context.Canceled):
		e.State, event = Canceled, TaskCancel
	case errors.Is(err, waptwua.ErrUnchanged) && !errors.Is(err, agent.ErrNotReported):
		e.Code, _ = codeOf(err)
	case err != nil:
		e.State, event = Failed, TaskError
		e.Code, _ = codeOf(err)
		e.Error = err.Error()
	}
	d.tell(event, e)
	d.forget()
	return err
}

// Cancel ends the task, or takes it out of the queue. A task that has ended
// stays as it is. The error wraps waptwua.ErrNotFound when there is none.
func (d *Desk) Cancel(id uint64) (Task, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.tasks, func(e *entry) bool { return e.ID == id })
	if i < 0 {
		return Task{}, fmt.Errorf("task %d: %w", id, waptwua.ErrNotFound)
	}
	e := d.tasks[i]
	switch e.State {
	case Active:
		e.cancel()
	case Waiting:
		e.State, e.Finished = Canceled, d.now()
		d.tell(TaskCancel, e)
	}
	return e.Task, nil
}

// Progress notes how far the running task has come. It fits
// agent.Options.Progress.
func (d *Desk) Progress(p agent.Progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.running
	if e == nil {
		return
	}
	now := Progress{Name: p.Name}
	if p.Total > 0 {
		now.Percent = int(max(0, min(100, p.Done*100/p.Total)))
	}
	if e.Progress != nil && *e.Progress == now {
		return
	}
	e.Progress = &now
	d.tell(TaskStatus, e)
}

// Tasks returns the tasks, the oldest first.
func (d *Desk) Tasks() []Task {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]Task, len(d.tasks))
	for i, e := range d.tasks {
		list[i] = e.Task
	}
	return list
}

// Running is the task that runs, nil when none does.
func (d *Desk) Running() *Task {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running == nil {
		return nil
	}
	t := d.running.Task
	return &t
}

// Events returns what has happened after event number after, the oldest
// first. When there is nothing it waits for the next event, or until ctx
// ends: then the list is empty.
func (d *Desk) Events(ctx context.Context, after uint64) []Event {
	for {
		d.mu.Lock()
		changed := d.changed
		i, _ := slices.BinarySearchFunc(d.events, after+1, func(e Event, n uint64) int { return int(int64(e.N - n)) })
		list := slices.Clone(d.events[i:])
		d.mu.Unlock()
		if len(list) > 0 {
			return list
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// add makes a task; d.mu is held.
func (d *Desk) add(kind Kind, origin string) *entry {
	d.lastID++
	e := &entry{Task: Task{ID: d.lastID, Kind: kind, Origin: origin, State: Waiting, Created: d.now()}}
	d.tasks = append(d.tasks, e)
	return e
}

// tell appends an event; progress replaces the task's progress before it, so
// that a long download does not push out what began and ended. d.mu is held.
func (d *Desk) tell(t EventType, e *entry) {
	d.lastN++
	if t == TaskStatus {
		d.events = slices.DeleteFunc(d.events, func(old Event) bool { return old.Type == TaskStatus && old.Task.ID == e.ID })
	}
	d.events = append(d.events, Event{N: d.lastN, At: d.now(), Type: t, Task: e.Task})
	if n := len(d.events) - kept; n > 0 {
		d.events = slices.Delete(d.events, 0, n)
	}
	close(d.changed)
	d.changed = make(chan struct{})
}

// forget drops the oldest of too many ended tasks; d.mu is held.
func (d *Desk) forget() {
	ended := 0
	for _, e := range d.tasks {
		if e.Ended() {
			ended++
		}
	}
	d.tasks = slices.DeleteFunc(d.tasks, func(e *entry) bool {
		if !e.Ended() || ended <= kept {
			return false
		}
		ended--
		return true
	})
}
