package inventory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"waptwua/applicability"
)

// Patience bounds how long roles that ask other processes may take.
type Patience struct {
	Each  time.Duration // one question
	Total time.Duration // all questions to one role
}

// The default patience is generous: a query of WMI that looks at devices
// takes seconds on a slow computer.
const (
	defaultEach  = 30 * time.Second
	defaultTotal = 5 * time.Minute
)

// Patient is h with a limit on the roles that may hang: WMI, the licence and
// the Windows Installer. A field of p that is 0 takes its default (30 s, 5
// min). A role that did not answer in time is not asked again, since the call
// that hangs still holds it; what it is asked from then on is unknown.
func Patient(h Host, p Patience) Host {
	if p.Each == 0 {
		p.Each = defaultEach
	}
	if p.Total == 0 {
		p.Total = defaultTotal
	}
	if h.WMI != nil {
		h.WMI = patientWMI{h.WMI, &lane{name: "WMI", patience: p}}
	}
	if h.Figures != nil {
		h.Figures = patientFigures{h.Figures, &lane{name: "the licensing service", patience: p}}
	}
	if h.Products != nil {
		h.Products = patientProducts{h.Products, &lane{name: "the Windows Installer", patience: p}}
	}
	return h
}

// lane is what one role has used of the patience.
type lane struct {
	name     string
	patience Patience
	used     time.Duration
	hangs    bool
}

var (
	errHangs  = errors.New("did not answer")
	errBudget = errors.New("has used its time")
)

// ask calls f, and leaves it behind when it does not return in time.
func ask[T any](ctx context.Context, l *lane, f func(context.Context) (T, error)) (T, error) {
	var none T
	switch {
	case l.hangs:
		return none, fmt.Errorf("%s %w to an earlier question", l.name, errHangs)
	case l.used >= l.patience.Total:
		return none, fmt.Errorf("%s %w (%s)", l.name, errBudget, l.patience.Total)
	}
	type answer struct {
		v   T
		err error
	}
	answers := make(chan answer, 1)
	started := time.Now()
	limit, cancel := context.WithTimeout(ctx, l.patience.Each)
	defer cancel()
	go func() {
		v, err := f(limit)
		answers <- answer{v, err}
	}()
	select {
	case a := <-answers:
		l.used += time.Since(started)
		return a.v, a.err
	case <-limit.Done():
		l.hangs = true
		return none, fmt.Errorf("%s %w within %s", l.name, errHangs, l.patience.Each)
	}
}

type patientWMI struct {
	WMI
	lane *lane
}

func (p patientWMI) Count(ctx context.Context, namespace, wql string) (int, error) {
	return ask(ctx, p.lane, func(ctx context.Context) (int, error) { return p.WMI.Count(ctx, namespace, wql) })
}

type patientFigures struct {
	Figures
	lane *lane
}

func (p patientFigures) License(ctx context.Context, name string) (uint32, error) {
	return ask(ctx, p.lane, func(ctx context.Context) (uint32, error) { return p.Figures.License(ctx, name) })
}

type patientProducts struct {
	Products
	lane *lane
}

func (p patientProducts) Product(ctx context.Context, code string, parts Parts) (*applicability.Product, error) {
	return ask(ctx, p.lane, func(ctx context.Context) (*applicability.Product, error) { return p.Products.Product(ctx, code, parts) })
}

func (p patientProducts) Patch(ctx context.Context, code string) (map[string]int, error) {
	return ask(ctx, p.lane, func(ctx context.Context) (map[string]int, error) { return p.Products.Patch(ctx, code) })
}
