package dialog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"waptwua/dialog"
)

func TestTextAtShutdown(t *testing.T) {
	var out bytes.Buffer
	lines, ticks := make(chan string), make(chan time.Time)
	go func() {
		defer close(lines)
		ticks <- start
		ticks <- start.Add(time.Second) // too soon to print the countdown again
		for _, line := range []string{"what?", "9", " c ", "c", "3", "2"} {
			lines <- line
		}
	}()
	e := dialog.NewExit(exitOptions())
	f := &dialog.Text{Out: &out, Lines: lines, Ticks: ticks}
	if err := f.Show(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	want := `
2 Windows updates are waiting to be installed
They are installed before the computer shuts down.
  - KB1 One
  - KB2 Two
  c [ ] Skip the installation of Windows Updates
  [1] Install
  [2] Not now
  [3] Stop countdown
The installation starts in 10 seconds.
  c [x] Skip the installation of Windows Updates
  c [ ] Skip the installation of Windows Updates

2 Windows updates are waiting to be installed
They are installed before the computer shuts down.
  - KB1 One
  - KB2 Two
  c [ ] Skip the installation of Windows Updates
  [1] Install
  [2] Not now
`
	if out.String() != want {
		t.Errorf("got:\n%s", out.String())
	}
	wantOutcome(t, e, dialog.Declined)
}

func TestTextWithoutInput(t *testing.T) {
	lines, ticks := make(chan string), make(chan time.Time)
	close(lines)
	go func() {
		ticks <- start
		ticks <- start.Add(time.Hour)
	}()
	f := &dialog.Text{Out: io.Discard, Lines: lines, Ticks: ticks}
	r := dialog.NewRestart(question())
	if err := f.Show(t.Context(), r); err != nil || r.Answer() != (dialog.RestartAnswer{}) {
		t.Errorf("got %+v, %v", r.Answer(), err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestFrontsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, f := range []dialog.Front{dialog.Silent{}, &dialog.Text{Out: io.Discard}} {
		if err := f.Show(ctx, dialog.NewRestart(question())); !errors.Is(err, context.Canceled) {
			t.Errorf("%T: %v", f, err)
		}
	}
	ticks := make(chan time.Time, 2)
	ticks <- start
	ticks <- start.Add(time.Hour)
	if err := (dialog.Silent{Ticks: ticks}).Show(t.Context(), dialog.NewRestart(question())); err != nil {
		t.Error(err)
	}
	ticks <- start
	ticks <- start.Add(time.Hour)
	if err := (&dialog.Text{Out: brokenWriter{}, Ticks: ticks}).Show(t.Context(), dialog.NewRestart(question())); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a terminal that is gone: %v", err)
	}
}

func TestShortened(t *testing.T) {
	var long []string
	for i := range 30 {
		long = append(long, fmt.Sprint(i))
	}
	if got := strings.Join(dialog.Shortened(long), " "); got != "0 1 2 3 4 5 6 7 8 9 10 … + 19" {
		t.Error(got)
	}
	if got := dialog.Shortened(long[:12]); len(got) != 12 {
		t.Error(got)
	}
}
