package catalog

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"waptwua"
)

// Query selects top-level updates. Zero fields do not restrict.
type Query struct {
	Words          []string         // each occurs in titles, KB numbers, CVEs or bulletins, without case
	Product        string           // part of the title, or GUID, of a Product or ProductFamily
	Classification string           // the same of an UpdateClassification
	Severity       waptwua.Severity // rated so, without case
	CVE            string           // corrects this CVE
	Since, Until   time.Time        // published in [Since, Until)
	Current        bool             // not superseded by another update of the archive
}

// Finder is a Source that can look into texts faster than record by record.
type Finder interface {
	// Find returns the RevisionIds, ascending, whose SearchText contains all
	// of the texts given, and that have the severity given; "": any.
	Find(texts []string, severity waptwua.Severity) []int
}

// Search lists the updates that q selects, the newest first.
func (g *Graph) Search(q Query) []waptwua.UpdateID {
	var found []index
	wanted := g.placement(q)
	texts := q.texts()
	for i := range g.nodes {
		if g.nodes[i].kind == topLevel && wanted(index(i)) {
			found = append(found, index(i))
		}
	}
	if len(texts) > 0 || q.Severity != "" {
		found = g.withTexts(found, texts, q.Severity)
	}
	slices.SortStableFunc(found, func(a, b index) int { return cmp.Compare(g.nodes[b].created, g.nodes[a].created) })
	return g.ids(found)
}

// texts are what SearchText must contain, in its form.
func (q Query) texts() []string {
	var texts []string
	for _, w := range q.Words {
		for word := range strings.FieldsSeq(strings.ToLower(w)) {
			texts = append(texts, word)
		}
	}
	if q.CVE != "" {
		texts = append(texts, " "+strings.ToLower(strings.TrimSpace(q.CVE))+" ")
	}
	return texts
}

// placement tells of a node whether date, categories and supersedence fit.
func (g *Graph) placement(q Query) func(index) bool {
	product := g.namedCategories(q.Product, categoryProduct, categoryFamily)
	class := g.namedCategories(q.Classification, categoryClassification)
	return func(i index) bool {
		at := g.nodes[i].publishedAt()
		switch {
		case !q.Since.IsZero() && at.Before(q.Since), !q.Until.IsZero() && !at.Before(q.Until):
			return false
		case q.Current && g.isSuperseded(i):
			return false
		}
		return g.placedIn(i, product) && g.placedIn(i, class)
	}
}

// isSuperseded tells whether the archive names a newer update for node i.
func (g *Graph) isSuperseded(i index) bool {
	return len(g.replacedBy.of(int(i))) > 0 || g.newest(i) != i
}

// namedCategories are the categories of the types given that a name means;
// nil for an empty name.
func (g *Graph) namedCategories(name string, types ...string) map[guid]bool {
	if name == "" {
		return nil
	}
	found, seen := map[guid]bool{}, map[guid]bool{}
	name = strings.ToLower(name)
	for _, c := range g.categories.items {
		if seen[c.guid] || !slices.Contains(types, g.names[c.kind]) {
			continue
		}
		seen[c.guid] = true
		if strings.Contains(strings.ToLower(g.title(c.guid)), name) || g.guids.keys[c.guid].String() == name {
			found[c.guid] = true
		}
	}
	return found
}

func (g *Graph) placedIn(i index, wanted map[guid]bool) bool {
	return wanted == nil || slices.ContainsFunc(g.categories.of(int(i)), func(c category) bool { return wanted[c.guid] })
}

// withTexts keeps the nodes whose record fits.
func (g *Graph) withTexts(list []index, texts []string, s waptwua.Severity) []index {
	fits := func(i index) bool {
		r := g.record(i)
		return r != nil && r.fits(texts, s)
	}
	if f, ok := g.source.(Finder); ok {
		revisions := f.Find(texts, s)
		fits = func(i index) bool {
			_, ok := slices.BinarySearch(revisions, int(g.nodes[i].revision))
			return ok
		}
	}
	return slices.DeleteFunc(list, func(i index) bool { return !fits(i) })
}

func (r *Record) fits(texts []string, s waptwua.Severity) bool {
	if s != "" && (r.Extended == nil || !strings.EqualFold(string(r.Extended.Severity), string(s))) {
		return false
	}
	text := r.SearchText()
	return !slices.ContainsFunc(texts, func(t string) bool { return !strings.Contains(text, t) })
}

// SearchText is what Query looks in: titles in all languages, KB numbers,
// CVEs and bulletins, in lower case, with one blank before and behind every
// word; "" when there are none.
func (r *Record) SearchText() string { return string(r.AppendSearchText(nil)) }

// AppendSearchText appends what SearchText returns.
func (r *Record) AppendSearchText(b []byte) []byte {
	before := len(b)
	for i := range r.Texts {
		b = appendLower(b, r.Texts[i].Title)
	}
	if x := r.Extended; x != nil {
		for _, kb := range x.KBs {
			b = strconv.AppendUint(append(b, " kb"...), uint64(kb), 10)
		}
		for _, list := range [][]string{x.CVEs, x.Bulletins} {
			for _, s := range list {
				b = appendLower(b, s)
			}
		}
	}
	if len(b) > before {
		b = append(b, ' ')
	}
	return b
}

// appendLower appends the words of a text in lower case, with a blank before
// each.
func appendLower(b []byte, text string) []byte {
	before, inWord := len(b), false
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= utf8.RuneSelf:
			b = b[:before]
			for word := range strings.FieldsSeq(strings.ToLower(text)) {
				b = append(append(b, ' '), word...)
			}
			return b
		case c == ' ' || c >= '\t' && c <= '\r':
			inWord = false
			continue
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		}
		if !inWord {
			b, inWord = append(b, ' '), true
		}
		b = append(b, c)
	}
	return b
}

// Related is an update that supersedes another, or is superseded by it.
type Related struct {
	ID    waptwua.UpdateID `json:"id"`
	Steps int              `json:"steps"` // 1: directly; 2: through one other; …
}

// SupersededBy lists all updates that supersede id, directly or through
// others, the nearest first, and of equally near ones the newest. Of a circle of updates that supersede each other
// none counts.
func (g *Graph) SupersededBy(id waptwua.UpdateID) []Related {
	return g.closure(id, func(i index) []index { return g.replacedBy.of(int(i)) })
}

// Supersedes lists all updates that id supersedes, as SupersededBy does.
func (g *Graph) Supersedes(id waptwua.UpdateID) []Related {
	pairs := make([]pair, 0, len(g.replacedBy.items))
	for i := range g.nodes {
		for _, newer := range g.replacedBy.of(i) {
			pairs = append(pairs, pair{newer, index(i)})
		}
	}
	older := grouped(len(g.nodes), pairs)
	return g.closure(id, func(i index) []index { return older.of(int(i)) })
}

func (g *Graph) closure(id waptwua.UpdateID, next func(index) []index) []Related {
	i, ok := g.find(id)
	if !ok {
		return nil
	}
	seen := map[index]bool{i: true}
	var out []Related
	for level, steps := []index{i}, 1; len(level) > 0; steps++ {
		var following []index
		for _, at := range level {
			for _, to := range next(at) {
				if !seen[to] {
					seen[to] = true
					following = append(following, to)
				}
			}
		}
		slices.SortFunc(following, g.newestFirst)
		for _, to := range following {
			out = append(out, Related{g.id(to), steps})
		}
		level = following
	}
	return out
}

// newestFirst orders nodes by date, those of one day by GUID and revision.
func (g *Graph) newestFirst(a, b index) int {
	x, y := &g.nodes[a], &g.nodes[b]
	return cmp.Or(cmp.Compare(y.created, x.created), cmp.Compare(g.id(a).GUID, g.id(b).GUID), cmp.Compare(y.number, x.number))
}

// Placement is a category with the number of updates in it.
type Placement struct {
	ID      string `json:"id"`   // GUID, lower case
	Type    string `json:"type"` // Product, ProductFamily, UpdateClassification, Company
	Title   string `json:"title,omitempty"`
	Updates int    `json:"updates"` // top-level updates
	Current int    `json:"current"` // of these, not superseded within the archive
}

// Placements lists the categories that updates are placed in, by type and
// title.
func (g *Graph) Placements() []Placement {
	found := map[category]*Placement{}
	for i := range g.nodes {
		if g.nodes[i].kind != topLevel {
			continue
		}
		for _, c := range g.categories.of(i) {
			p := found[c]
			if p == nil {
				p = &Placement{ID: g.guids.keys[c.guid].String(), Type: g.names[c.kind], Title: g.title(c.guid)}
				found[c] = p
			}
			p.Updates++
			if !g.isSuperseded(index(i)) {
				p.Current++
			}
		}
	}
	out := make([]Placement, 0, len(found))
	for _, p := range found {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b Placement) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Title, b.Title), cmp.Compare(a.ID, b.ID))
	})
	return out
}
