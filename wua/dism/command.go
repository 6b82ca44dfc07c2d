package dism

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"waptwua"
	"waptwua/wua"
)

// command is one start of a program.
type command struct {
	tool wua.Tool
	args []string
}

// exitGrace is how long the output of a killed program is waited for.
const exitGrace = 5 * time.Second

// run starts the program, gives its output to out, and returns its exit
// code. When ctx ends, program and children are killed.
func (s *Servicing) run(ctx context.Context, c command, out io.Writer) (exit uint32, err error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.dir, string(c.tool)+".exe"), c.args...)
	cmd.Dir = s.dir
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = exitGrace
	group, err := newGroup()
	if err != nil {
		return 0, fmt.Errorf("starting %s: %w", c.tool, err)
	}
	defer group.close()
	group.prepare(cmd)
	cmd.Cancel = func() error { return group.kill(cmd) }
	if err := cmd.Start(); errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("starting %s: %w: %w", c.tool, waptwua.ErrNotFound, err)
	} else if err != nil {
		return 0, fmt.Errorf("starting %s: %w", c.tool, err)
	}
	joined := group.add(cmd)
	err = cmd.Wait()
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) && ended.Exited() {
		return uint32(ended.ExitCode()), nil
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("running %s: %w", c.tool, err), joined)
	}
	return 0, nil
}

// maxTail is how much of a program's output is kept, in bytes.
const maxTail = 8 << 10

// tail keeps the end of what is written to it and tells the percentages.
type tail struct {
	progress func(wua.Progress)
	kept     []byte
	last     int
}

// Write implements io.Writer; it never fails.
func (t *tail) Write(b []byte) (int, error) {
	t.kept = append(t.kept, b...)
	if p, ok := lastPercent(t.kept[max(0, len(t.kept)-len(b)-longestPercent):]); ok && p > t.last && t.progress != nil {
		t.last = p
		t.progress(wua.Progress{Percent: p})
	}
	if n := len(t.kept) - maxTail; n > 0 {
		t.kept = append(t.kept[:0], t.kept[n:]...)
	}
	return len(b), nil
}

// String is what was printed at the end, without the bars of the progress.
func (t *tail) String() string {
	var lines []string
	for line := range strings.FieldsFuncSeq(string(t.kept), func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "[=") && !strings.HasPrefix(line, "[ ") {
			lines = append(lines, line)
		}
	}
	return strings.ToValidUTF8(strings.Join(lines, "\n"), "?")
}

// longestPercent is the length of "100.0%".
const longestPercent = 6

// lastPercent finds the last percentage in DISM's output, in the form
// "20.0%". What stands before the point counts.
func lastPercent(b []byte) (percent int, ok bool) {
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] == '%' {
			if p, ok := percentBefore(b[:i]); ok {
				return p, true
			}
		}
	}
	return 0, false
}

// percentBefore reads "20.0" at the end of b.
func percentBefore(b []byte) (int, bool) {
	i := len(b)
	for i > 0 && (b[i-1] >= '0' && b[i-1] <= '9' || b[i-1] == '.') {
		i--
	}
	whole, _, point := strings.Cut(string(b[i:]), ".")
	if !point || whole == "" || len(whole) > 3 {
		return 0, false
	}
	n := 0
	for _, c := range whole {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, n <= 100
}
