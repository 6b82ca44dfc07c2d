package dialog

import (
	"fmt"
	"sync"
	"time"
)

// Outcome is how the dialog at shutdown ended.
type Outcome int

// The outcomes.
const (
	Undecided Outcome = iota // it still runs
	Installed                // the installation ran to its end, well or not
	Declined                 // the user wants no installation now
	Skipped                  // the user has skipped the Windows updates
	TimedOut                 // nobody decided in time, and nothing was begun
	Stopped                  // the installation was stopped by the time limit
	Abandoned                // the installation did not stop in time and still runs
)

// The times of the dialog at shutdown.
const (
	// Grace is how long an installation may take to stop after the limit.
	Grace = 2 * time.Minute
	// linger is how long the result stays on the screen.
	linger = 10 * time.Second
)

// ExitOptions say what the dialog at shutdown shows and allows.
type ExitOptions struct {
	Language  Language
	Updates   []string      // titles; must not be empty
	Countdown time.Duration // until the installation begins by itself; negative: it waits for an answer
	// AllowCancel lets the user say "not now" and skip the Windows updates.
	AllowCancel bool
	// Limit is the time for all of it. At least one minute.
	Limit time.Duration
}

// Exit is the dialog at shutdown: which updates wait, a countdown, then the
// progress of the installation, then its result.
//
//	choosing ──Install, countdown──▶ installing ──▶ done ──▶ closed
//	   │ not now, skip, limit            │ limit     ▲         ▲
//	   └──────────▶ closed               ▼           │         │ Grace
//	                                  stopping ──────┴─────────┘
type Exit struct {
	o     ExitOptions
	begin chan struct{} // closed when the installation is to begin
	stop  chan struct{} // closed when it is to stop

	mu      sync.Mutex
	now     time.Time
	started time.Time // first tick
	phase   phase
	skip    bool
	paused  bool // the countdown was stopped
	step    string
	percent int
	err     error
	ended   time.Time // of the installation
	outcome Outcome
}

type phase int

const (
	choosing phase = iota
	installing
	stopping
	done
	closed
)

// NewExit makes the dialog; its time runs from the first tick.
func NewExit(o ExitOptions) *Exit {
	o.Limit = max(o.Limit, time.Minute)
	return &Exit{o: o, begin: make(chan struct{}), stop: make(chan struct{})}
}

// Begin is closed when the installation is to begin.
func (e *Exit) Begin() <-chan struct{} { return e.begin }

// Stop is closed when the installation is to stop.
func (e *Exit) Stop() <-chan struct{} { return e.stop }

// Outcome is how the dialog ended, and the installation's error.
func (e *Exit) Outcome() (Outcome, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.outcome, e.err
}

// Tick moves the countdown and the time limits.
func (e *Exit) Tick(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.started.IsZero() || now.Before(e.started) {
		e.started = now // the first, or the clock was set back
	}
	e.now = now
	spent := now.Sub(e.started)
	switch {
	case e.phase == choosing && spent >= e.o.Limit:
		e.end(TimedOut)
	case e.phase == choosing && !e.paused && e.o.Countdown >= 0 && spent >= e.o.Countdown:
		e.install()
	case e.phase == installing && spent >= e.o.Limit:
		e.phase = stopping
		close(e.stop)
	case e.phase == stopping && spent >= e.o.Limit+Grace:
		e.end(Abandoned)
	case e.phase == done && (now.Before(e.ended) || now.Sub(e.ended) >= linger):
		e.phase = closed
	}
}

// install begins the installation, or ends the dialog when it is skipped.
func (e *Exit) install() {
	if e.skip {
		e.end(Skipped)
		return
	}
	e.phase = installing
	close(e.begin)
}

func (e *Exit) end(o Outcome) {
	e.phase, e.outcome = closed, o
}

// Press takes an answer.
func (e *Exit) Press(page, i int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	v := e.view()
	if page != v.Page || i < 0 || i >= len(v.Buttons) {
		return
	}
	switch v.Buttons[i].Choice {
	case Install:
		e.install()
	case NotNow:
		e.end(Declined)
	case Wait:
		e.paused = true
	case Close:
		e.phase = closed
	}
}

// Check takes the state of "skip", where it is offered.
func (e *Exit) Check(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase == choosing && e.o.AllowCancel {
		e.skip = on
	}
}

// Progress tells how far the installation has come: operation is scan,
// download or install.
func (e *Exit) Progress(operation string, percent int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.step, e.percent = operation, min(max(percent, 0), 100)
}

// Finish tells that the installation has ended.
func (e *Exit) Finish(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err, e.ended = err, e.now
	switch e.phase {
	case installing:
		e.phase, e.outcome = done, Installed
	case stopping:
		e.phase, e.outcome = done, Stopped
	}
}

// View is what there is to see.
func (e *Exit) View() View {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.view()
}

func (e *Exit) view() View {
	w := e.o.Language.words()
	v := View{Title: w.updates, Items: e.o.Updates, Percent: -1}
	switch e.phase {
	case choosing:
		e.choose(&v, w)
	case installing:
		v.Page, v.Heading, v.Text, v.Locked = 2, w.installing, w.doNotSwitchOff, w.closeButton
		v.Percent, v.Status, v.Warning = e.percent, e.stepText(w), true
	case stopping:
		v.Page, v.Heading, v.Text, v.Locked = 3, w.stopping, w.stoppingText, w.closeButton
		v.Percent, v.Status, v.Warning = e.percent, e.stepText(w), true
	case done:
		v.Page, v.Heading, v.Text, v.Buttons = 4, w.done, w.doneText, []Button{{Choice: Close, Text: w.closeButton}}
		if e.err != nil {
			v.Heading, v.Warning = fmt.Sprintf(w.failed, e.err), true
		}
	case closed:
		v.Page, v.Closed = 5, true
	}
	return v
}

// choose is the page with the list and the countdown. Stopping the countdown
// takes its button away, which makes another page.
func (e *Exit) choose(v *View, w *words) {
	v.Heading = fmt.Sprintf(w.exitHeading, len(e.o.Updates))
	if len(e.o.Updates) == 1 {
		v.Heading = fmt.Sprintf(w.exitHeadingOne, 1)
	}
	v.Text = w.exitText
	v.Buttons = []Button{{Choice: Install, Text: w.install}}
	if e.o.AllowCancel {
		v.Check, v.Checked = w.skip, e.skip
		v.Buttons = append(v.Buttons, Button{Choice: NotNow, Text: w.notNow})
	}
	if e.o.Countdown < 0 || e.paused {
		v.Page = 1
		return
	}
	left := e.o.Countdown
	if !e.started.IsZero() {
		left -= e.now.Sub(e.started)
	}
	v.Status = fmt.Sprintf(w.countdownIn, w.span(roundUp(left)))
	v.Buttons = append(v.Buttons, Button{Choice: Wait, Text: w.wait})
}

// roundUp keeps a countdown from showing 0 while there is time left.
func roundUp(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}

func (e *Exit) stepText(w *words) string {
	text := map[string]string{"scan": w.scanStep, "download": w.downloadStep, "install": w.installStep}[e.step]
	if text == "" {
		return ""
	}
	return fmt.Sprintf(text, e.percent)
}
