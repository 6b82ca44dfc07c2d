package dialog_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua/dialog"
)

func question() dialog.RestartOptions {
	return dialog.RestartOptions{Choices: []time.Duration{time.Hour, 4 * time.Hour}, Left: 3, Forced: start.Add(67 * time.Hour), Limit: 10 * time.Minute}
}

func TestRestartQuestion(t *testing.T) {
	tests := map[string]struct {
		choose int
		want   dialog.RestartAnswer
	}{
		"restart now":   {0, dialog.RestartAnswer{Accepted: true}},
		"in an hour":    {1, dialog.RestartAnswer{Snooze: time.Hour}},
		"in four hours": {2, dialog.RestartAnswer{Snooze: 4 * time.Hour}},
		"close":         {3, dialog.RestartAnswer{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := dialog.NewRestart(question())
			r.Tick(start)
			r.Press(1, tt.choose) // of another page
			r.Press(0, 4)
			r.Press(0, -1)
			if r.View().Closed {
				t.Fatal("closed by a button that is not there")
			}
			r.Press(0, tt.choose)
			if d := cmp.Diff(tt.want, r.Answer()); d != "" || !r.View().Closed {
				t.Error("closed:", r.View().Closed, d)
			}
			r.Press(0, 0) // too late
			if d := cmp.Diff(tt.want, r.Answer()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRestartQuestionEnds(t *testing.T) {
	r := dialog.NewRestart(question())
	r.Tick(start)
	r.Tick(start.Add(10*time.Minute - time.Second))
	if r.View().Closed {
		t.Fatal("closed before its time")
	}
	r.Tick(start.Add(10 * time.Minute))
	if !r.View().Closed || r.Answer() != (dialog.RestartAnswer{}) {
		t.Errorf("closed %t, answer %+v", r.View().Closed, r.Answer())
	}
}

func TestRestartTexts(t *testing.T) {
	r := dialog.NewRestart(question())
	if want := "Save your work before you restart.\nIt restarts by itself on Thursday, November 26 at 13:00 at the latest.\nIt can be put off 3 more times."; r.View().Text != want {
		t.Errorf("got  %s\nwant %s", r.View().Text, want)
	}
	o := question()
	o.Language, o.Left, o.Again = dialog.French, 1, true
	r = dialog.NewRestart(o)
	v := r.View()
	if want := "Enregistrez votre travail avant de redémarrer.\nIl redémarrera de lui-même au plus tard le jeudi 26 novembre à 13 h 00.\nLe redémarrage peut être reporté encore une fois."; v.Text != want {
		t.Errorf("got  %s\nwant %s", v.Text, want)
	}
	if v.Heading != "Cet ordinateur doit toujours redémarrer" || v.Buttons[2].Text != "Me le rappeler dans 4 heures" {
		t.Errorf("view %+v", v)
	}
	if v.Buttons[v.Default].Choice != dialog.Close {
		t.Error("the Enter key does something")
	}
	o = question()
	o.Choices, o.Forced = nil, time.Time{}
	if v := dialog.NewRestart(o).View(); len(v.Buttons) != 2 || v.Text != "Save your work before you restart.\nIt cannot be put off any more." {
		t.Errorf("view %+v", v)
	}
}

func TestRestartCountdown(t *testing.T) {
	r := dialog.NewRestart(dialog.RestartOptions{At: start.Add(15 * time.Minute)})
	for after, want := range map[time.Duration]string{
		0:                               "This computer restarts in 15 minutes",
		10*time.Minute + 30*time.Second: "This computer restarts in 4 minutes",
		14 * time.Minute:                "This computer restarts in 60 seconds",
		15*time.Minute - time.Second:    "This computer restarts in 1 second",
	} {
		r.Tick(start.Add(after))
		if got := r.View().Heading; got != want {
			t.Errorf("after %v: %q, want %q", after, got, want)
		}
	}
	v := r.View()
	if i, ok := v.Dismiss(); !ok || i != v.Default {
		t.Error("the window cannot be closed, or Enter does something else")
	}
	r.Tick(start.Add(15 * time.Minute))
	if !r.View().Closed || r.Answer().Accepted {
		t.Error("still open, or accepted by nobody")
	}
}
