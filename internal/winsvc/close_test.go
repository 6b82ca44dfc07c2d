package winsvc

import (
	"context"
	"errors"
	"testing"
)

// TestClose has everything given back before the end is told, whether the
// work was stopped or has failed.
func TestClose(t *testing.T) {
	broken := errors.New("broken")
	for name, run := range map[string]Work{
		"stopped": {Run: untilDone},
		"failed":  {Run: func(context.Context) error { return broken }},
	} {
		t.Run(name, func(t *testing.T) {
			closed := 0
			run.Close = func() { closed++ }
			s := start(run)
			s.next(t, Running)
			if name == "stopped" {
				s.controls <- stop
			}
			if err := <-s.ended; closed != 1 || name == "failed" && !errors.Is(err, broken) {
				t.Errorf("closed %d times, %v", closed, err)
			}
		})
	}
}
