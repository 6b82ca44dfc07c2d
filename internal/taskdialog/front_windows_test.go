package taskdialog

import (
	"context"
	"errors"
	"testing"
	"time"

	"waptwua/dialog"
)

// A question that nobody answers ends by itself, without an answer.
func TestQuestionEnds(t *testing.T) {
	r := dialog.NewRestart(dialog.RestartOptions{Choices: []time.Duration{time.Hour, 4 * time.Hour}, Left: 3, Limit: time.Second})
	if err := (Front{}).Show(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if !r.View().Closed || r.Answer() != (dialog.RestartAnswer{}) {
		t.Errorf("closed %t, answer %+v", r.View().Closed, r.Answer())
	}
}

func TestShowEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	r := dialog.NewRestart(dialog.RestartOptions{At: time.Now().Add(time.Hour)})
	if err := (Front{}).Show(ctx, r); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// The dialog at shutdown goes through all its pages: countdown, progress
// without a button that can be pressed, result.
func TestInstallation(t *testing.T) {
	e := dialog.NewExit(dialog.ExitOptions{Language: dialog.French, Updates: []string{"KB1", "KB2"}, Countdown: time.Second, AllowCancel: true, Limit: time.Hour})
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	r := dialog.ExitRun{Front: Front{}, Ticks: ticker.C, Warn: func(err error) { t.Error(err) }, Work: func(_ context.Context, progress func(string, int)) error {
		progress("install", 50)
		return nil
	}}
	outcome, err := r.Do(t.Context(), e)
	if err != nil || outcome != dialog.Installed {
		t.Errorf("outcome %d, %v", outcome, err)
	}
}
