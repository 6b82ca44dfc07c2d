package dialog

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxItems is how many updates a front end lists before it says how many
// more there are.
const maxItems = 12

// Text shows dialogs on a terminal: what changes is printed, and a line with
// the number of a button, or c for the check box, is an answer.
type Text struct {
	Out   io.Writer
	Lines <-chan string    // what the user types; nil or closed: nobody does
	Ticks <-chan time.Time // the time, several times a second
}

// statusEvery is the time between two prints of a status line that changes.
const statusEvery = 5 * time.Second

// Show prints m's views until one is closed or ctx ends.
func (t *Text) Show(ctx context.Context, m Machine) error {
	p := printer{out: t.Out, page: -1}
	lines := t.Lines
	for {
		v := m.View()
		if v.Closed {
			return p.err
		}
		p.show(v)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-t.Ticks:
			p.now = now
			m.Tick(now)
		case line, ok := <-lines:
			if !ok {
				lines = nil
				continue
			}
			p.answer(m, v, strings.TrimSpace(line))
		}
	}
}

// printer prints what has changed since the last view.
type printer struct {
	out     io.Writer
	err     error // the first
	now     time.Time
	page    int
	checked bool
	status  string
	told    time.Time
}

func (p *printer) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(p.out, format, args...); err != nil && p.err == nil {
		p.err = err
	}
}

func (p *printer) show(v View) {
	if v.Page != p.page {
		p.page, p.checked, p.status = v.Page, v.Checked, ""
		p.whole(v)
	}
	if v.Checked != p.checked {
		p.checked = v.Checked
		p.check(v)
	}
	if p.told.IsZero() {
		p.told = p.now // printed before the first tick
	}
	if v.Status != p.status && (p.status == "" || p.now.Sub(p.told) >= statusEvery) {
		p.status, p.told = v.Status, p.now
		p.printf("%s\n", v.Status)
	}
}

func (p *printer) whole(v View) {
	p.printf("\n%s\n%s\n", v.Heading, v.Text)
	for _, item := range Shortened(v.Items) {
		p.printf("  - %s\n", item)
	}
	if v.Check != "" {
		p.check(v)
	}
	for i, b := range v.Buttons {
		p.printf("  [%d] %s\n", i+1, b.Text)
	}
}

func (p *printer) check(v View) {
	mark := " "
	if v.Checked {
		mark = "x"
	}
	p.printf("  c [%s] %s\n", mark, v.Check)
}

// answer takes a line; what is no answer is passed over.
func (p *printer) answer(m Machine, v View, line string) {
	if strings.EqualFold(line, "c") && v.Check != "" {
		m.Check(!v.Checked)
		return
	}
	if n, err := strconv.Atoi(line); err == nil {
		m.Press(v.Page, n-1)
	}
}

// Shortened is the beginning of a list, with how many more there are.
func Shortened(items []string) []string {
	if len(items) <= maxItems {
		return items
	}
	short := append([]string{}, items[:maxItems-1]...)
	return append(short, fmt.Sprintf("… + %d", len(items)-len(short)))
}

// Silent lets a dialog run where nobody can see it, as in the session of the
// services: countdowns and limits count, nobody answers.
type Silent struct {
	Ticks <-chan time.Time
}

// Show waits until m is closed or ctx ends.
func (s Silent) Show(ctx context.Context, m Machine) error {
	for !m.View().Closed {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-s.Ticks:
			m.Tick(now)
		}
	}
	return nil
}
