package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"waptwua/agent/selftest"
	"waptwua/wua"
)

// The time limits of searches. abortLimit is what a search may take to end
// when it is told to.
const (
	searchLimit = 30 * time.Minute
	abortLimit  = 10 * time.Second
)

// wuaChecks look at the Windows Update Agent as docs/design/update-agent.md
// assumes it.
func (t *selfTest) wuaChecks() []selftest.Check {
	return []selftest.Check{
		{Name: "wua/info", Expect: "product, version and architecture as winver shows them, and the agent's version", Run: t.checkInfo},
		{Name: "wua/restart", Expect: "whether a restart is outstanding, as Settings shows it", Run: t.checkRestart},
		{Name: "wua/history", Expect: "the history can be read; the newest entry as in Settings", Run: t.checkHistory},
		{Name: "wua/search", Expect: "a search ends without an error and without a warning about a property", Limit: searchLimit, Run: t.checkSearch},
		{Name: "wua/progress", Expect: "WUA calls the listener: progress is told before the first second is over or more often than once a second", Limit: searchLimit, Run: t.checkProgress},
		{Name: "wua/abort", Expect: "a search ends within 10 seconds when it is told to", Limit: searchLimit, Run: t.checkAbort},
	}
}

func (t *selfTest) checkInfo(ctx context.Context) (string, error) {
	i, err := t.updating.inner.Info(ctx)
	if err != nil {
		return "", err
	}
	found := fmt.Sprintf("%s, %s, %s, Windows Update Agent %s", i.OS, i.Version, i.Architecture, i.WUAVersion)
	if i.OS == "" || i.Version == "" || i.Architecture == "" {
		return found, errors.New("something is missing")
	}
	return found, nil
}

func (t *selfTest) checkRestart(ctx context.Context) (string, error) {
	r, err := t.updating.inner.RebootPending(ctx)
	if err != nil {
		return "", err
	}
	if !r.Required {
		return "none", nil
	}
	return "outstanding: " + strings.Join(r.Reasons, ", "), nil
}

func (t *selfTest) checkHistory(ctx context.Context) (string, error) {
	list, err := t.updating.host.History(ctx, 50)
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return "empty", nil
	}
	newest := list[0]
	for _, e := range list {
		if e.At.After(newest.At) {
			newest = e
		}
	}
	return fmt.Sprintf("%d entries; the newest: %s %s, %s (%v)", len(list), newest.At.Format(time.DateTime), newest.Operation, newest.Title, newest.HResult), nil
}

// query is the search that the agent makes.
func (t *selfTest) query() (wua.Query, error) {
	q := wua.Query{Criteria: t.settings.Filter, Locale: t.settings.UserLocale}
	if !t.settings.Offline {
		return q, nil
	}
	var err error
	q.Archive, err = t.archive()
	return q, err
}

func (t *selfTest) checkSearch(ctx context.Context) (string, error) {
	q, err := t.query()
	if err != nil {
		return "", err
	}
	start := t.now()
	f, err := t.updating.host.Search(ctx, q)
	if err != nil {
		return "", err
	}
	found := fmt.Sprintf("%d updates in %v", len(f.Updates), t.now().Sub(start).Round(100*time.Millisecond))
	for _, w := range f.Warnings {
		found += "\n" + w.Error()
	}
	if len(f.Warnings) > 0 {
		return found, fmt.Errorf("%d warnings", len(f.Warnings))
	}
	return found, nil
}

// checkProgress measures how often progress is told. A search that is over in
// a moment proves nothing.
func (t *selfTest) checkProgress(ctx context.Context) (string, error) {
	q, err := t.query()
	if err != nil {
		return "", err
	}
	start, told := t.now(), make(chan struct{}, 1<<16)
	q.Progress = func(wua.Progress) {
		select {
		case told <- struct{}{}:
		default:
		}
	}
	if _, err := t.updating.host.Search(ctx, q); err != nil {
		return "", err
	}
	took, times := t.now().Sub(start), len(told)
	found := fmt.Sprintf("told %d times in %v", times, took.Round(100*time.Millisecond))
	switch {
	case took < 3*time.Second:
		return found, fmt.Errorf("the search was too short to tell: %w", selftest.ErrLeftOut)
	case times <= int(took/time.Second):
		return found, errors.New("not more often than the agent looks itself: no listener is called")
	}
	return found, nil
}

// checkAbort ends a search as soon as it has told progress.
func (t *selfTest) checkAbort(ctx context.Context) (string, error) {
	q, err := t.query()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var at time.Time
	q.Progress = func(wua.Progress) {
		if ctx.Err() == nil {
			at = t.now()
			cancel()
		}
	}
	_, err = t.updating.host.Search(ctx, q)
	switch {
	case err == nil || at.IsZero() && errors.Is(err, context.Canceled):
		return "", fmt.Errorf("the search was over before it could be ended: %w", selftest.ErrLeftOut)
	case !errors.Is(err, context.Canceled):
		return "", err
	}
	took := t.now().Sub(at)
	found := fmt.Sprintf("ended after %v: %v", took.Round(time.Millisecond), err)
	if took > abortLimit {
		return found, errors.New("too late")
	}
	return found, nil
}
