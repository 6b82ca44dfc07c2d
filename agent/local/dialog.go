package local

import (
	"context"
	"time"
)

// Dialog is what users are asked, and what their answers do. The service
// calls it from several goroutines.
type Dialog interface {
	// Question is what there is to ask now. The error wraps
	// waptwua.ErrNotFound when nothing is.
	Question(ctx context.Context) (Question, error)
	// Answer acts on a user's answer. The error wraps ErrRefused when the
	// settings do not allow it, and waptwua.ErrNotFound when this question is
	// not asked any more.
	Answer(ctx context.Context, a Answer) error
}

// Choice is something that a user can answer.
type Choice string

// The choices.
const (
	InstallNow Choice = "install" // begin to install
	Skip       Choice = "skip"    // shut down without installing
	Snooze     Choice = "snooze"  // ask again later
	RestartNow Choice = "restart" // restart
)

// Question is what the user is asked.
type Question struct {
	ID       string    `json:"id"` // to be given with the answer
	Kind     string    `json:"kind"`
	Pending  []Pending `json:"pending,omitempty"`
	Choices  []Choice  `json:"choices"`           // what the settings allow, the preferred one first
	Deadline time.Time `json:"deadline,omitzero"` // when it happens without an answer
	Snoozes  int       `json:"snoozes"`           // how often it may still be put off
}

// The kinds of questions.
const (
	AskRestart = "restart"
	AskInstall = "install"
)

// Answer is what the user chose.
type Answer struct {
	ID     string        `json:"id"`
	Choice Choice        `json:"choice"`
	For    time.Duration `json:"for,omitempty"` // of a snooze, in nanoseconds
}

// noDialog is asked nothing.
type noDialog struct{}

func (noDialog) Question(context.Context) (Question, error) { return Question{}, errNoQuestion }
func (noDialog) Answer(context.Context, Answer) error       { return errNoQuestion }
