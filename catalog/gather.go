package catalog

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"

	"waptwua/applicability"
	"waptwua/wsusscn2"
)

// Gatherer joins the fragments of revisions, those of one shard at a time,
// into what a graph needs of them (Facts), which is little, and what a Source
// gives on demand (Row), which is much. It must not be used by two goroutines
// at once; several gatherers may work at the same time.
type Gatherer struct {
	languages []string
	parser    *wsusscn2.Parser
	drafts    map[int]*fragments
	complete  bool // fragments are not to be abridged
}

// fragments is what was gathered of one revision.
type fragments struct {
	facts facts
	row   Row
}

// Gathered is what a Gatherer made of a set of fragments.
type Gathered struct {
	Facts []byte // for Builder.Facts
	Rows  []Row  // by RevisionId, ascending
}

// Row is what a Source is asked about one revision.
type Row struct {
	Revision int // RevisionId
	// Rules is the XML of the applicability rules without what no operator
	// asks (see applicability.Reduce); nil: the revision has none.
	Rules  []byte
	Record Record
}

// NewGatherer returns a Gatherer that keeps texts in the languages given,
// the best first; none: English. Fragments are read within lim.
func NewGatherer(languages []string, lim wsusscn2.Limits) *Gatherer {
	if len(languages) == 0 {
		languages = []string{"en"}
	}
	return &Gatherer{languages: languages, parser: wsusscn2.NewParser(lim), drafts: map[int]*fragments{}}
}

// Selection is what a Gatherer wants of an archive.
func (g *Gatherer) Selection() wsusscn2.Selection {
	return wsusscn2.Selection{
		Kinds:     []wsusscn2.Kind{wsusscn2.KindCore, wsusscn2.KindExtended, wsusscn2.KindLocalized},
		Languages: g.languages,
		Abridge: func(k wsusscn2.Kind, head []byte) bool {
			return !g.complete && k == wsusscn2.KindCore && applicability.EntersManifest(head)
		},
	}
}

// ErrAbridged says that a fragment cannot be read in the form in which the
// Gatherer's Selection had it abridged.
var ErrAbridged = errors.New("more is needed of a fragment than its start and end")

// Again forgets what was taken since the last call of Gathered, and has
// Selection leave fragments complete until then: for a second walk after
// ErrAbridged.
func (g *Gatherer) Again() {
	clear(g.drafts)
	g.complete = true
}

// Take parses a fragment of the Selection. It keeps nothing of f.Data. After
// ErrAbridged, call Again and walk over all fragments once more.
func (g *Gatherer) Take(f wsusscn2.Fragment) (err error) {
	switch f.Kind {
	case wsusscn2.KindCore:
		var c wsusscn2.Core
		if c, err = g.parseCore(f); err == nil {
			g.core(f.RevisionID, c)
		}
	case wsusscn2.KindExtended:
		var x wsusscn2.Extended
		if x, err = g.parser.Extended(f.Data); err == nil {
			g.extended(f.RevisionID, x)
		}
	case wsusscn2.KindLocalized:
		var l wsusscn2.Localized
		if l, err = g.parser.Localized(f.Data); err == nil {
			g.localized(f.RevisionID, l)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path(), err)
	}
	return nil
}

func (g *Gatherer) draft(revision int) *fragments {
	d := g.drafts[revision]
	if d == nil {
		d = &fragments{facts: facts{revision: revision}, row: Row{Revision: revision}}
		g.drafts[revision] = d
	}
	d.facts.fragments++
	return d
}

// parseCore reads a core fragment and reduces its rules. What an abridged one
// lacks must be a part of the rules that Reduce would remove, and the rules
// must end the fragment: then they were found without looking at that part.
func (g *Gatherer) parseCore(f wsusscn2.Fragment) (wsusscn2.Core, error) {
	c, err := g.parser.Core(f.Data)
	if f.Cut == 0 {
		c.Rules = applicability.Reduce(c.Rules)
		return c, err
	}
	end := c.RulesAt + len(c.Rules)
	if err != nil || f.Cut <= c.RulesAt || f.Cut >= end || string(bytes.TrimSpace(f.Data[end:])) != "</ApplicabilityRules>" {
		return c, ErrAbridged
	}
	reduced, ok := applicability.ReduceAbridged(c.Rules, f.Cut-c.RulesAt)
	if !ok {
		return c, ErrAbridged
	}
	c.Rules = reduced
	return c, nil
}

// core takes a core fragment whose rules are reduced.
func (g *Gatherer) core(revision int, c wsusscn2.Core) {
	d := g.draft(revision)
	f := &d.facts
	f.hasCore, f.updateType, f.id = true, c.UpdateType, c.ID
	f.supersedes = slices.Clone(c.Supersedes)
	f.bundled = nil
	for _, clause := range c.Bundled {
		f.bundled = append(f.bundled, slices.Clone(clause.Members))
	}
	d.row.Record.EulaID = c.EulaID
	if c.Rules != nil {
		d.row.Rules = bytes.Clone(c.Rules)
		sum := sha256.Sum256(d.row.Rules)
		f.hasRules, f.rules = true, [16]byte(sum[:])
	}
}

func (g *Gatherer) extended(revision int, x wsusscn2.Extended) {
	x.HandlerData = nil
	d := g.draft(revision)
	d.facts.kbs = x.KBs
	d.row.Record.Extended = &x
}

// localized keeps a text in order of the languages wanted; one in another
// language comes last.
func (g *Gatherer) localized(revision int, l wsusscn2.Localized) {
	d := g.draft(revision)
	texts := append(d.row.Record.Texts, l)
	slices.SortStableFunc(texts, func(a, b wsusscn2.Localized) int { return cmp.Compare(g.rank(a.Language), g.rank(b.Language)) })
	d.row.Record.Texts = texts
}

func (g *Gatherer) rank(language string) int {
	if i := slices.Index(g.languages, language); i >= 0 {
		return i
	}
	return len(g.languages)
}

// Gathered returns what was taken since the last call and forgets it.
func (g *Gatherer) Gathered() Gathered {
	out := Gathered{Facts: []byte{}}
	for _, d := range g.sorted() {
		out.Facts = d.facts.append(out.Facts)
		out.Rows = append(out.Rows, d.row)
	}
	clear(g.drafts)
	g.complete = false
	return out
}

// sorted lists what was gathered by RevisionId.
func (g *Gatherer) sorted() []*fragments {
	return slices.SortedFunc(maps.Values(g.drafts), func(a, b *fragments) int { return a.row.Revision - b.row.Revision })
}
