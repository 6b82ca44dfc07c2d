package main

import (
	"bytes"
	"strings"
	"testing"

	"waptwua/internal/cmdline"
)

func TestWrongCommandLines(t *testing.T) {
	for _, line := range []string{"bogus", "run extra", "run --hosts 0", "run --bogus", "archive", "archive --workers 0 x", "archive --unsigned --sign-dir d x", "fleet --dir d"} {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), strings.Fields(line), &stdout, &stderr)
		if status != cmdline.ExitUsage || stdout.Len() > 0 || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%s: exit status %d, printed %q and %q; want 2 and one line of error", line, status, &stdout, &stderr)
		}
	}
}
