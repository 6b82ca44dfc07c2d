package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waptwua/agent"
	"waptwua/dialog"
	"waptwua/internal/usersession"
	"waptwua/schedule"
)

// The exit codes of restart-dialog: its answer to the service that started
// it. Every other code is no answer.
const (
	answerRestart = 60 // restart now
	answerSnooze  = 61 // put it off for the first choice; 62 for the second, and so on
)

// maxAnswers bounds the choices.
const maxAnswers = 16

// answerCode is an answer on its way to the exit code; it is no error to be
// printed.
type answerCode int

func (c answerCode) Error() string { return "answer " + strconv.Itoa(int(c)) }

// encodeAnswer is the exit code for an answer; 0 for none.
func encodeAnswer(a dialog.RestartAnswer, choices []time.Duration) answerCode {
	if a.Accepted {
		return answerRestart
	}
	if i := slices.Index(choices, a.Snooze); a.Snooze > 0 && i >= 0 && i < maxAnswers {
		return answerCode(answerSnooze + i)
	}
	return 0
}

// decodeAnswer is the answer for an exit code.
func decodeAnswer(code uint32, choices []time.Duration) agent.RestartAnswer {
	switch i := int64(code) - answerSnooze; {
	case code == answerRestart:
		return agent.RestartAnswer{Accepted: true}
	case i >= 0 && i < int64(min(len(choices), maxAnswers)):
		return agent.RestartAnswer{Snooze: choices[i]}
	}
	return agent.RestartAnswer{}
}

// questionArgs are the arguments with which restart-dialog asks q.
func questionArgs(q agent.RestartQuestion) []string {
	args := []string{"restart-dialog", "--limit", q.Limit.Round(time.Second).String(), "--left", strconv.Itoa(q.Left)}
	if q.Again {
		args = append(args, "--again")
	}
	if !q.At.IsZero() {
		args = append(args, "--at", q.At.UTC().Format(time.RFC3339))
	}
	if !q.Forced.IsZero() {
		args = append(args, "--forced", q.Forced.UTC().Format(time.RFC3339))
	}
	if len(q.Choices) > 0 {
		var list []string
		for _, d := range q.Choices {
			list = append(list, schedule.Format(d))
		}
		args = append(args, "--choices", strings.Join(list, ","))
	}
	return args
}

// restartDialogCommand is what the service runs in a user's session.
func (a *app) restartDialogCommand() *cobra.Command {
	var o dialog.RestartOptions
	var at, forced, choices string
	var text bool
	c := &cobra.Command{
		Use:    "restart-dialog",
		Short:  "Ask the user about a restart; the service runs it in the user's session",
		Hidden: true,
		Long: `Asks the user about a restart, or counts down to one (--at), and answers by its
exit code: 60 restart now, 61 and above put off for the first choice and so on,
every other code no answer.`,
		Example: "  wapt-get restart-dialog --choices 1h,4h --left 3 --limit 1h",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var err1, err2, err3 error
			o.At, err1 = readMoment("at", at)
			o.Forced, err2 = readMoment("forced", forced)
			o.Choices, err3 = parseChoices(choices)
			if err := errors.Join(err1, err2, err3); err != nil {
				return usageError(err)
			}
			front, stop := a.front(c.Context(), text, false)
			defer stop()
			return a.askRestart(c.Context(), front, o)
		},
	}
	f := c.Flags()
	f.StringVar(&at, "at", "", "count down to this time (RFC 3339)")
	f.StringVar(&forced, "forced", "", "when the host restarts in any case (RFC 3339)")
	f.StringVar(&choices, "choices", "", "for how long the restart may be put off, such as 1h,4h")
	f.IntVar(&o.Left, "left", 0, "how often it may be put off; -1: no limit")
	f.BoolVar(&o.Again, "again", false, "it was asked before")
	f.DurationVar(&o.Limit, "limit", time.Hour, "how long to wait for an answer")
	f.BoolVar(&text, "text", false, "on the terminal, not in a window")
	return c
}

func (a *app) askRestart(ctx context.Context, front dialog.Front, o dialog.RestartOptions) error {
	o.Language = language()
	d := dialog.NewRestart(o)
	if err := front.Show(ctx, d); err != nil {
		return err
	}
	if code := encodeAnswer(d.Answer(), o.Choices); code != 0 {
		return code
	}
	return nil
}

func readMoment(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("--%s: %w", flag, err)
	}
	return t.Local(), nil
}

func parseChoices(s string) ([]time.Duration, error) {
	if s == "" {
		return nil, nil
	}
	var list []time.Duration
	for _, entry := range strings.Split(s, ",") {
		d, err := schedule.ParseDuration(entry, time.Minute)
		if err != nil {
			return nil, fmt.Errorf("--choices: %w", err)
		}
		list = append(list, d)
	}
	if len(list) > maxAnswers {
		return nil, fmt.Errorf("--choices: %d, at most %d", len(list), maxAnswers)
	}
	return list, nil
}

// sessions are the sessions of the host's users.
type sessions interface {
	List() ([]usersession.Session, error)
	Run(ctx context.Context, s usersession.Session, program string, args []string) (uint32, error)
}

// userDesktop asks users by running this program in their session. It
// implements agent.Desktop.
type userDesktop struct {
	sessions sessions
	program  string // its absolute path
}

// dialogGrace is how much longer than its question a dialog may live.
const dialogGrace = 30 * time.Second

func (u userDesktop) LoggedIn(context.Context) (bool, error) {
	list, err := u.sessions.List()
	return len(list) > 0, err
}

// AskRestart asks everybody who is connected, all at once. The first who puts
// the restart off has put it off for all; it is accepted when all have
// accepted, so that nobody ends another one's work.
func (u userDesktop) AskRestart(ctx context.Context, q agent.RestartQuestion) (agent.RestartAnswer, error) {
	list, err := u.sessions.List()
	if err != nil {
		return agent.RestartAnswer{}, err
	}
	list = slices.DeleteFunc(list, func(s usersession.Session) bool { return !s.Active })
	asking, withdraw := context.WithTimeout(ctx, q.Limit+dialogGrace)
	defer withdraw()
	replies := make(chan reply, len(list))
	for _, s := range list {
		go func() { replies <- u.askIn(asking, s, q) }()
	}
	var answer agent.RestartAnswer
	accepted := 0
	for range list {
		r := <-replies
		switch {
		case answer.Snooze > 0: // what comes after that was withdrawn
		case r.answer.Snooze > 0:
			answer, err = r.answer, nil
			withdraw()
		case r.answer.Accepted:
			accepted++
		default:
			err = errors.Join(err, r.err)
		}
	}
	if answer.Snooze == 0 && len(list) > 0 {
		answer.Accepted = accepted == len(list)
	}
	return answer, err
}

// reply is what came of asking in one session.
type reply struct {
	answer agent.RestartAnswer
	err    error
}

func (u userDesktop) askIn(ctx context.Context, s usersession.Session, q agent.RestartQuestion) reply {
	code, err := u.sessions.Run(ctx, s, u.program, questionArgs(q))
	if err != nil {
		return reply{err: fmt.Errorf("asking the user of session %d about a restart: %w", s.ID, err)}
	}
	return reply{answer: decodeAnswer(code, q.Choices)}
}
