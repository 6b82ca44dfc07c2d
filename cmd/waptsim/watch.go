package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"waptwua"
	"waptwua/server"
)

// watch shows how the fleet's counts move. It returns nil when the aim is
// reached and --once was given, or an error when it is not reached in time;
// otherwise it goes on until ctx ends.
func (d *demo) watch(ctx context.Context) error {
	w := &watcher{demo: d, start: time.Now()}
	w.open()
	defer w.close()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-d.child.exited:
			d.child.exited <- err
			return fmt.Errorf("the server ended by itself; see %s: %w", d.child.log.Name(), errors.Join(err, errors.New("unexpected end")))
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		reached, err := w.look(ctx)
		if err != nil {
			d.log.Warn("server did not answer", "error", err)
			w.last = err
		}
		if reached && d.once {
			return nil
		}
		if d.once && time.Since(w.start) > d.within {
			return w.tooLate()
		}
	}
}

// watcher draws on a terminal, or prints a line when something changed.
type watcher struct {
	*demo
	start   time.Time
	bars    *mpb.Progress
	bar     *mpb.Bar
	line    string
	summary server.Summary
	archive string // why the server has no newer archive
	reached bool
	last    error
}

// look asks the server and shows what it says; it returns true once the aim
// is reached.
func (w *watcher) look(ctx context.Context) (bool, error) {
	s, err := w.child.summary(ctx)
	if err != nil {
		return false, err
	}
	why, err := w.child.archiveError(ctx)
	if err != nil {
		return false, err
	}
	if why != "" && why != w.archive {
		w.say("%s  the server could not take the archive: %s", clock(time.Since(w.start)), why)
	}
	w.archive = why
	return w.show(s), nil
}

// say prints a line, above the bar where there is one.
func (w *watcher) say(format string, args ...any) {
	out := w.out
	if w.bars != nil {
		out = w.bars
	}
	fmt.Fprintf(out, format+"\n", args...)
}

func (w *watcher) open() {
	f, ok := w.out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return
	}
	w.bars = mpb.New(mpb.WithOutput(f), mpb.WithWidth(30))
	w.bar = w.bars.AddBar(int64(w.hosts),
		mpb.PrependDecorators(decor.Elapsed(decor.ET_STYLE_MMSS)),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return w.line })))
}

func (w *watcher) close() {
	if w.bars != nil {
		w.bar.Abort(false)
		w.bars.Wait()
	}
}

// show prints the counts; it returns true once the aim is reached.
func (w *watcher) show(s server.Summary) bool {
	w.summary, w.last = s, nil
	done, what := w.aim(s)
	line := fmt.Sprintf("%d of %d hosts %s | %s", done, w.hosts, what, counts(s))
	switch {
	case w.bars != nil:
		w.line = line
		w.bar.SetCurrent(int64(min(done, w.hosts-1)))
	case line != w.line && done < w.hosts:
		fmt.Fprintf(w.out, "%s  %s\n", clock(time.Since(w.start)), line)
	}
	w.line = line
	if done < w.hosts || w.reached {
		return w.reached
	}
	w.reached = true
	w.close()
	w.bars = nil
	w.conclude(done, what)
	return true
}

// aim is how many hosts are where they should be: compliant, or having
// reported where nothing can be downloaded.
func (w *watcher) aim(s server.Summary) (int, string) {
	if !w.scenario.payloadsExist {
		return s.Hosts.Compliant + s.Hosts.Wanting, "have reported"
	}
	return s.Hosts.Compliant, "compliant"
}

func (w *watcher) conclude(done int, what string) {
	fmt.Fprintf(w.out, "%s  %d of %d hosts %s\n", clock(time.Since(w.start)), done, w.hosts, what)
	if !w.scenario.payloadsExist {
		fmt.Fprintf(w.out, "%d updates on hosts stay MISSING: the payloads of this archive cannot be had here\n", w.summary.OnHosts[waptwua.StatusMissing])
	}
	if !w.once {
		fmt.Fprintf(w.out, "The fleet keeps running; look at %s. Stop with Ctrl-C.\n", w.child.Console)
	}
}

func (w *watcher) tooLate() error {
	done, what := w.aim(w.summary)
	err := fmt.Errorf("not done after %s: %d of %d hosts %s (%s); see the logs in %s", w.within, done, w.hosts, what, counts(w.summary), w.dir)
	if w.archive != "" {
		err = fmt.Errorf("%w; the server could not take the archive: %s", err, w.archive)
	}
	return errors.Join(err, w.last)
}

// counts is a fleet in one line.
func counts(s server.Summary) string {
	var parts []string
	for _, st := range []waptwua.Status{waptwua.StatusMissing, waptwua.StatusPending, waptwua.StatusReboot, waptwua.StatusError, waptwua.StatusDiscarded, waptwua.StatusOK} {
		if n := s.OnHosts[st]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, st))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing known yet"}
	}
	return fmt.Sprintf("updates: %s | files: %d here, %d wanted", strings.Join(parts, ", "), s.Files.Present, s.Files.Missing)
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
