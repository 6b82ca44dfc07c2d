package dialog

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// RestartOptions say what a dialog about a restart asks or tells.
type RestartOptions struct {
	Language Language
	// At makes it a countdown to the restart. Zero: it is a question.
	At time.Time

	// Of a question:
	Again   bool            // it was asked before
	Choices []time.Duration // for how long the restart may be put off; none: it may not
	Left    int             // how often it may be put off; negative: no limit
	Forced  time.Time       // when the host restarts in any case; zero: never
	Limit   time.Duration   // how long the question stays; then it has no answer
}

// RestartAnswer is what the user has answered.
type RestartAnswer struct {
	Accepted bool          // restart now
	Snooze   time.Duration // ask again after this time; 0: no answer
}

// RestartDialog asks the user about a restart, or counts down to it.
type RestartDialog struct {
	o RestartOptions

	mu      sync.Mutex
	started time.Time
	now     time.Time
	closed  bool
	answer  RestartAnswer
}

// NewRestart makes the dialog; its time runs from the first tick.
func NewRestart(o RestartOptions) *RestartDialog {
	o.Limit = max(o.Limit, time.Second)
	return &RestartDialog{o: o}
}

// Answer is what the user has answered; the zero value is no answer.
func (r *RestartDialog) Answer() RestartAnswer {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.answer
}

// Tick ends a question after its limit, and a countdown at its end.
func (r *RestartDialog) Tick(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started.IsZero() || now.Before(r.started) {
		r.started = now
	}
	r.now = now
	if r.o.At.IsZero() {
		r.closed = r.closed || now.Sub(r.started) >= r.o.Limit
		return
	}
	r.closed = r.closed || !now.Before(r.o.At)
}

// Press takes an answer.
func (r *RestartDialog) Press(page, i int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.view()
	if page != v.Page || i < 0 || i >= len(v.Buttons) {
		return
	}
	switch b := v.Buttons[i]; b.Choice {
	case Restart:
		r.answer.Accepted = true
	case Later:
		r.answer.Snooze = b.For
	}
	r.closed = true
}

// Check does nothing: there is no check box.
func (r *RestartDialog) Check(bool) {}

// View is what there is to see.
func (r *RestartDialog) View() View {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.view()
}

func (r *RestartDialog) view() View {
	w := r.o.Language.words()
	v := View{Title: w.restart, Percent: -1, Warning: true}
	switch {
	case r.closed:
		v.Page, v.Closed = 1, true
	case r.o.At.IsZero():
		r.question(&v, w)
	default:
		v.Heading, v.Text = fmt.Sprintf(w.countHeading, w.span(roundUp(r.o.At.Sub(r.seen())))), w.countText
		v.Buttons = []Button{{Choice: Restart, Text: w.restartNow}, {Choice: Close, Text: w.closeButton}}
		v.Default = 1
	}
	return v
}

// seen is the time of the last tick; before the first one, a countdown shows
// its end.
func (r *RestartDialog) seen() time.Time {
	if r.now.IsZero() {
		return r.o.At
	}
	return r.now
}

func (r *RestartDialog) question(v *View, w *words) {
	v.Heading = w.restartHeading
	if r.o.Again {
		v.Heading = w.restartAgain
	}
	lines := []string{w.restartText}
	if !r.o.Forced.IsZero() {
		lines = append(lines, fmt.Sprintf(w.forcedAt, w.at(r.o.Forced)))
	}
	v.Buttons = []Button{{Choice: Restart, Text: w.restartNow}}
	for _, d := range r.o.Choices {
		v.Buttons = append(v.Buttons, Button{Choice: Later, For: d, Text: fmt.Sprintf(w.later, w.span(d))})
	}
	if left := w.left(r.o); left != "" {
		lines = append(lines, left)
	}
	v.Buttons = append(v.Buttons, Button{Choice: Close, Text: w.closeButton})
	v.Default = len(v.Buttons) - 1 // whoever types when the window appears restarts nothing
	v.Text = strings.Join(lines, "\n")
}

// left says how often the restart may still be put off.
func (w *words) left(o RestartOptions) string {
	switch {
	case len(o.Choices) == 0 || o.Left == 0:
		return w.leftNone
	case o.Left < 0:
		return ""
	case o.Left == 1:
		return w.leftOne
	}
	return fmt.Sprintf(w.leftMany, o.Left)
}
