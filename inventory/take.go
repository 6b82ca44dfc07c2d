package inventory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"waptwua"
	"waptwua/applicability"
)

// Options say how a recording is named and bounded.
type Options struct {
	Name     string    // of the recording
	At       time.Time // now, for the recording's comment
	Limits   Limits
	Progress func(Progress) // called often, from the caller's goroutine; nil: nobody looks
}

// Progress is how far a section has come.
type Progress struct {
	Section     applicability.Section
	Done, Total int
}

// Limits bounds an inventory. A field that is 0 takes its default.
type Limits struct {
	Questions int // things asked; 1,000,000
	Answers   int // answers, after loops were expanded; 1,000,000
	Subkeys   int // sub-keys of one key that is looped over; 20,000
	Value     int // bytes of one registry value's text; 64 KiB
	Problems  int // entries of Report.Unknown; 1,000
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{{&l.Questions, 1_000_000}, {&l.Answers, 1_000_000}, {&l.Subkeys, 20_000}, {&l.Value, 64 << 10}, {&l.Problems, 1000}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
}

// platformSection is where the report counts the operating system, the
// processor and the language.
const platformSection applicability.Section = "platform"

// Take records what is asked of a host. What the host could not tell is in
// the report, not an error. The errors: the context's, and one that wraps
// waptwua.ErrLimit when there are too many questions or answers.
func Take(ctx context.Context, h Host, asked applicability.Asked, o Options) (*applicability.Facts, *Report, error) {
	limits := o.Limits.withDefaults()
	q, err := parseQuestions(asked, limits)
	if err != nil {
		return nil, nil, fmt.Errorf("inventory: %w", err)
	}
	t := &taker{
		host: h.complete(), limits: limits, progress: o.Progress, report: new(Report),
		facts: &applicability.Facts{Format: applicability.FactsFormat, Name: o.Name},
		keys:  map[string]*keyState{}, values: map[string]bool{},
	}
	for _, step := range []func(context.Context, *questions) error{
		t.platform, t.registry, t.files, t.figures, t.installer, t.servicing, t.wmi,
	} {
		if err := step(ctx, q); err != nil {
			return nil, nil, fmt.Errorf("inventory: %w", err)
		}
	}
	t.facts.Comment = fmt.Sprintf("inventory of %s: %s", o.At.UTC().Format(time.RFC3339), t.report)
	if err := t.facts.Validate(); err != nil {
		return nil, nil, fmt.Errorf("inventory: %w", err)
	}
	return t.facts, t.report, nil
}

// taker is an inventory under way.
type taker struct {
	host     Host
	limits   Limits
	progress func(Progress)
	facts    *applicability.Facts
	report   *Report

	answers int
	keys    map[string]*keyState // by folded path
	values  map[string]bool      // those asked already
	targets []string             // sub-keys that loops run over
}

// end is how a question ends.
type end uint8

const (
	unknown end = iota
	absent
	present
)

// end counts how a question ended. The error is one that ends the inventory.
func (t *taker) end(ctx context.Context, s applicability.Section, item string, err error) (end, error) {
	if ctx.Err() != nil {
		return unknown, ctx.Err()
	}
	if t.answers++; t.answers > t.limits.Answers {
		return unknown, fmt.Errorf("more than %d answers: %w", t.limits.Answers, waptwua.ErrLimit)
	}
	switch {
	case err == nil:
		t.report.tally(s).Present++
		return present, nil
	case errors.Is(err, waptwua.ErrNotFound):
		t.report.tally(s).Absent++
		return absent, nil
	}
	t.report.tally(s).Unknown++
	t.report.problem(s, item, err, t.limits.Problems)
	return unknown, nil
}

func (t *taker) show(s applicability.Section, done, total int) {
	if t.progress != nil {
		t.progress(Progress{s, done, total})
	}
}

// each asks about every item and puts what is known: nil for what is absent.
func each[K, V any](
	ctx context.Context, t *taker, s applicability.Section, items []K,
	ask func(context.Context, K) (V, error), put func(K, *V),
) error {
	for i, item := range items {
		t.show(s, i, len(items))
		v, err := ask(ctx, item)
		how, err := t.end(ctx, s, fmt.Sprint(item), err)
		if err != nil {
			return err
		}
		switch how {
		case present:
			put(item, &v)
		case absent:
			put(item, nil)
		}
	}
	t.show(s, len(items), len(items))
	return nil
}

// into puts answers into a map, which it makes when there is one.
func into[K comparable, V any](m *map[K]*V) func(K, *V) {
	return func(k K, v *V) {
		if *m == nil {
			*m = map[K]*V{}
		}
		(*m)[k] = v
	}
}

func (t *taker) platform(ctx context.Context, _ *questions) error {
	id, err := t.host.Platform.Identity(ctx)
	t.facts.OS, t.facts.Processor, t.facts.Language = id.OS, id.Processor, id.Language
	_, err = t.end(ctx, platformSection, "identity", hidden(err))
	return err
}

func (t *taker) figures(ctx context.Context, q *questions) error {
	h := t.host.Figures
	if err := each(ctx, t, applicability.SectionMetrics, q.Metrics, h.Metric, into(&t.facts.Metrics)); err != nil {
		return err
	}
	return each(ctx, t, applicability.SectionLicenses, q.Licenses, h.License, into(&t.facts.Licenses))
}

func (t *taker) servicing(ctx context.Context, q *questions) error {
	h := t.host.Servicing
	putPackage := into(&t.facts.Packages)
	err := each(ctx, t, applicability.SectionPackages, q.Packages, h.Package, func(id string, p **applicability.Package) {
		if p == nil {
			putPackage(id, nil)
			return
		}
		putPackage(id, *p)
	})
	if err != nil {
		return err
	}
	putRelease := into(&t.facts.Releases)
	err = each(ctx, t, applicability.SectionReleases, q.Releases, h.Release, func(name string, version *string) {
		if version == nil {
			putRelease(name, nil)
			return
		}
		putRelease(name, &applicability.ReleaseInfo{Version: *version})
	})
	if err != nil {
		return err
	}
	return each(ctx, t, applicability.SectionAttributes, q.Attributes, h.Attribute, into(&t.facts.Attributes))
}

// wmi comes last: it is what may take long.
func (t *taker) wmi(ctx context.Context, q *questions) error {
	count := func(ctx context.Context, q query) (int, error) { return t.host.WMI.Count(ctx, q.namespace, q.wql) }
	return each(ctx, t, applicability.SectionWMI, q.queries, count, func(q query, rows *int) {
		n := 0 // no such class or namespace: no rows
		if rows != nil {
			n = *rows
		}
		t.facts.Queries = append(t.facts.Queries, applicability.Query{Namespace: q.namespace, WQL: q.wql, Rows: n})
	})
}
