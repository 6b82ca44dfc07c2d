package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua/agent"
	"waptwua/dialog"
	"waptwua/internal/usersession"
)

// Every answer comes through the exit code; other codes are no answer.
func TestAnswersAsExitCodes(t *testing.T) {
	choices := []time.Duration{time.Hour, 4 * time.Hour}
	for _, a := range []dialog.RestartAnswer{{}, {Accepted: true}, {Snooze: time.Hour}, {Snooze: 4 * time.Hour}} {
		got := decodeAnswer(uint32(encodeAnswer(a, choices)), choices)
		if d := cmp.Diff(agent.RestartAnswer(a), got); d != "" {
			t.Error(d)
		}
	}
	for _, code := range []uint32{0, 1, 2, 59, 63, 130, 0xC0000005, 0xFFFFFFFF} {
		if got := decodeAnswer(code, choices); got != (agent.RestartAnswer{}) {
			t.Errorf("code %d is %+v", code, got)
		}
	}
	if got := encodeAnswer(dialog.RestartAnswer{Snooze: time.Minute}, choices); got != 0 {
		t.Errorf("a snooze that is not offered is %d", got)
	}
}

// fakeSessions are sessions in which this program runs on the test's
// terminal; what their users type, by session. One without an entry does not
// answer.
type fakeSessions struct {
	list  []usersession.Session
	err   error
	typed map[uint32]string
}

func (f *fakeSessions) List() ([]usersession.Session, error) { return f.list, f.err }

func (f *fakeSessions) Run(ctx context.Context, s usersession.Session, _ string, args []string) (uint32, error) {
	typed, ok := f.typed[s.ID]
	if !ok {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	var out, errOut bytes.Buffer
	a := &app{stdout: &out, stderr: &errOut, stdin: strings.NewReader(typed), now: time.Now}
	return uint32(a.execute(ctx, append(args, "--text"))), nil
}

func TestAskingInAUsersSession(t *testing.T) {
	active := []usersession.Session{{ID: 1, Active: true}}
	three := []usersession.Session{{ID: 1, Active: true}, {ID: 2, Active: true}, {ID: 7, Active: true}, {ID: 9}}
	typed := func(a, b, c string) map[uint32]string { return map[uint32]string{1: a, 2: b, 7: c} }
	q := agent.RestartQuestion{Again: true, Choices: []time.Duration{time.Hour, 90 * time.Minute}, Left: 2, Forced: time.Now().Add(time.Hour), Limit: time.Hour}
	count := agent.RestartQuestion{At: time.Now().Add(time.Hour), Limit: time.Hour}
	tests := map[string]struct {
		sessions fakeSessions
		q        agent.RestartQuestion
		want     agent.RestartAnswer
		in       bool
	}{
		"restart now":  {fakeSessions{list: active, typed: map[uint32]string{1: "1\n"}}, q, agent.RestartAnswer{Accepted: true}, true},
		"put off":      {fakeSessions{list: active, typed: map[uint32]string{1: "3\n"}}, q, agent.RestartAnswer{Snooze: 90 * time.Minute}, true},
		"closed":       {fakeSessions{list: active, typed: map[uint32]string{1: "4\n"}}, q, agent.RestartAnswer{}, true},
		"countdown":    {fakeSessions{list: active, typed: map[uint32]string{1: "1\n"}}, count, agent.RestartAnswer{Accepted: true}, true},
		"all accept":   {fakeSessions{list: three, typed: typed("1\n", "1\n", "1\n")}, q, agent.RestartAnswer{Accepted: true}, true},
		"one closes":   {fakeSessions{list: three, typed: typed("1\n", "4\n", "1\n")}, q, agent.RestartAnswer{}, true},
		"one puts off": {fakeSessions{list: three, typed: map[uint32]string{1: "1\n", 7: "2\n"}}, q, agent.RestartAnswer{Snooze: time.Hour}, true},
		"nobody":       {fakeSessions{}, q, agent.RestartAnswer{}, false},
		"disconnected": {fakeSessions{list: []usersession.Session{{ID: 2}}}, q, agent.RestartAnswer{}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := userDesktop{sessions: &tt.sessions, program: "wapt-get.exe"}
			got, err := d.AskRestart(t.Context(), tt.q)
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v", got, err)
			}
			if in, err := d.LoggedIn(t.Context()); in != tt.in || err != nil {
				t.Errorf("logged in: %t, %v", in, err)
			}
		})
	}
	broken := userDesktop{sessions: &fakeSessions{err: errors.New("access denied")}}
	if _, err := broken.AskRestart(t.Context(), q); err == nil {
		t.Error("sessions that cannot be listed are no error")
	}
}

func TestRestartDialogRefusesWrongArguments(t *testing.T) {
	for _, args := range [][]string{{"--at", "tomorrow"}, {"--forced", "x"}, {"--choices", "1h,x"}, {"--choices", strings.Repeat("1h,", 17) + "1h"}, {"now"}} {
		var out bytes.Buffer
		a := &app{stdout: &out, stderr: &out, stdin: strings.NewReader(""), now: time.Now}
		if code := a.execute(t.Context(), append([]string{"restart-dialog", "--text"}, args...)); code != exitUsage {
			t.Errorf("%v: exit code %d\n%s", args, code, out.String())
		}
	}
}
