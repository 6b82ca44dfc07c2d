// Package dialog is what the agent asks and tells the people at a host: the
// list of updates and the progress at shutdown ([Exit], the command
// waptexit), and the question and the countdown before a restart
// ([Restart]).
//
// # How it works
//
// A dialog is a state machine: events go in (time passes, a button is
// pressed, an installation has come further), and out comes a [View], which
// is all that there is to see. Machines know nothing of windows, clocks or
// processes, so they are tested everywhere. A [Front] shows the views: [Text]
// on a terminal, package internal/taskdialog on Windows.
//
// # What a dialog promises
//
// It always ends: the time given to it is bounded, with or without answers.
// No answer is an answer, and never one that costs the user anything that
// the settings do not: at shutdown the countdown's end installs, a question
// about a restart that nobody answers is asked again.
//
// A dialog that shows an installation stays until the installation has
// ended; it says so that nobody switches the computer off. When the time
// limit comes, the installation is told to stop; only if it does not stop
// within [Grace], the dialog ends before it, and its outcome says so.
//
// # Languages
//
// English, and French where the user's language is French. Titles of updates
// come from Windows in the language of the settings.
package dialog

import (
	"context"
	"time"
)

// Choice is what a button stands for.
type Choice string

// The choices. A snooze is Later with its number, see [Button].
const (
	Install Choice = "install"
	NotNow  Choice = "not-now"
	Wait    Choice = "wait" // stops a countdown
	Close   Choice = "close"
	Restart Choice = "restart"
	Later   Choice = "later"
)

// Button is a choice that a view offers.
type Button struct {
	Choice Choice
	For    time.Duration // of Later: for how long
	Text   string
}

// View is what there is to see.
type View struct {
	// Page changes when the buttons do: a front end that cannot exchange
	// buttons opens a new window then.
	Page    int
	Title   string
	Heading string // one sentence in large letters
	Text    string // below it; may have several lines
	Items   []string
	Status  string // one line that changes often: a countdown, a progress
	// Check is the text of a check box; empty: there is none.
	Check   string
	Checked bool
	Buttons []Button // none: the window cannot be closed
	Default int      // the button that the Enter key presses
	// Locked is the text of a button that cannot be pressed, for windows that
	// must have one, where there are no Buttons.
	Locked string
	// Percent of the progress bar: 0 to 100; negative: there is none.
	Percent int
	// Warning marks what people should not overlook.
	Warning bool
	// Closed says that there is nothing to see any more.
	Closed bool
}

// Machine is a dialog. Implementations are safe for concurrent use.
type Machine interface {
	View() View
	// Tick tells the time. It is called several times a second.
	Tick(now time.Time)
	// Press tells that the i-th button of the view with this page was
	// pressed. Buttons of earlier pages are passed over: the view may have
	// changed while the user moved the mouse.
	Press(page, i int)
	// Check tells the state of the check box.
	Check(on bool)
}

// Front shows machines.
type Front interface {
	// Show shows m until its view is closed, or until ctx ends, with ctx's
	// error. A window that the user closes in another way counts as Close or
	// NotNow where the view offers one of them, and as nothing else.
	Show(ctx context.Context, m Machine) error
}

// Dismiss is the number of the button that closing the window stands for.
// ok is false when the view does not let itself be closed.
func (v View) Dismiss() (i int, ok bool) {
	for i, b := range v.Buttons {
		if b.Choice == Close || b.Choice == NotNow {
			return i, true
		}
	}
	return 0, false
}
