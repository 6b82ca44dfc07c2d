package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/local"
)

func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("disk full"), 1},
		{usageError(errors.New("flag")), 2},
		{fmt.Errorf("scan: %w", agent.ErrNotRegistered), 3},
		{agent.ErrBusy, 4},
		{agent.ErrRestartFirst, 5},
		{errors.Join(agent.ErrNotReported, errors.New("no route")), 6},
		{local.ErrUpdateFailed, 7},
		{waptwua.ErrNotTrusted, 8},
		{fmt.Errorf("%w (never)", agent.ErrWindowClosed), 9},
		{fmt.Errorf("%w: %w", agent.ErrNotReported, context.Canceled), 130},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("exit code of %v is %d, want %d", tt.err, got, tt.want)
		}
	}
}

func TestWrongCommandLines(t *testing.T) {
	for _, args := range [][]string{{"frobnicate"}, {"waptwua-scan", "extra"}, {"waptwua-scan", "--no-such-flag"}, {"sign"}, {"inventory"}, {"inventory", "--questions", "a", "--archive", "b"}, {"sign", "--type", "action", "x.json"}} {
		var stderr bytes.Buffer
		if code := run(t.Context(), args, io.Discard, &stderr); code != exitUsage || stderr.Len() == 0 {
			t.Errorf("%v: exit code %d, message %q; want 2 and a message", args, code, &stderr)
		}
	}
}

func TestMeter(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	m := newMeter(&out, func() time.Time { return now })
	for i := range 100 {
		m.show(agent.Progress{Operation: "download", Name: "kb.cab", Done: int64(i), Total: 100})
		now = now.Add(20 * time.Millisecond)
	}
	if n := strings.Count(out.String(), "kb.cab"); n != 10 {
		t.Errorf("%d lines in two seconds, want 10", n)
	}
}
