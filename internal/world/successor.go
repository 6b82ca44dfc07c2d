package world

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// Change says what a month brings.
type Change struct {
	// Share of the revisions that are new: half of them revised bundles (the
	// same UpdateId, another RevisionNumber and RevisionId), half new updates.
	Share float64
	// Spread takes the revised bundles from all over the archive, so that
	// every shard changes. Otherwise they lie next to each other, as if they
	// had been made at the same time. Which of the two Microsoft's archives
	// are like is not known.
	Spread bool
}

// Successor returns the archive of the month after w: every cumulative line
// of a platform and of Office goes on by one update, and a share of the
// revisions changes. Shards begin where those of w do; what is new gets
// RevisionIds behind all others. Everything else stays, byte for byte.
func (w *World) Successor(c Change) *World {
	opt := w.opt
	opt.Created = opt.Created.AddDate(0, 1, 0)
	next := &World{opt: opt, packages: maps.Clone(w.packages)}
	for name, list := range next.packages {
		next.packages[name] = slices.Clip(list)
	}
	next.id = next.guid("package", opt.Created.Format(time.RFC3339))
	w.copyTo(next)
	for _, s := range w.shards() {
		next.starts = append(next.starts, s.first)
	}
	next.planner = &planner{
		w: next, rand: rand.New(rand.NewPCG(opt.Seed, uint64(opt.Created.Unix()))),
		kbs: maps.Clone(w.planner.kbs), nextKB: w.planner.nextKB, shared: maps.Clone(w.planner.shared),
		fillerDetectoids: w.planner.fillerDetectoids,
	}
	next.planner.nextMonth(c)
	return next
}

// copyTo copies the revisions with their relations.
func (w *World) copyTo(next *World) {
	copies := make(map[*revision]*revision, len(w.revisions))
	for _, r := range w.revisions {
		c := *r
		copies[r] = &c
		next.revisions = append(next.revisions, &c)
	}
	all := func(list []*revision) []*revision {
		out := make([]*revision, len(list))
		for i, r := range list {
			out[i] = copies[r]
		}
		return out
	}
	for _, c := range next.revisions {
		c.bundle, c.children, c.newer, c.older = copies[c.bundle], all(c.children), all(c.newer), all(c.older)
	}
	for _, line := range w.lines {
		next.lines = append(next.lines, all(line))
	}
}

// nextMonth plans the month after.
func (p *planner) nextMonth(c Change) {
	w := p.w
	last, had := byID(w.revisions)[len(w.revisions)-1].id, len(w.revisions)
	for i := range min(len(w.lines), 2*len(platforms)+len(officeApps)) {
		p.continueLine(i)
	}
	for i := range int(c.Share * float64(had) / 4) { // a bundle and its child each
		month := "month-" + w.opt.Created.Format("2006-01")
		p.fillerUpdate(fmt.Sprintf("%s-%d", month, i), fmt.Sprintf("%s-%d", month, i/kbUpdates), i, 0, 0)
	}
	fresh := slices.Clone(w.revisions[had:])
	for _, r := range p.revised(int(c.Share*float64(had)/2), c.Spread, w.revisions[:had]) {
		r.number++
		r.title += " (revised)"
		fresh = append(fresh, r)
	}
	first := last + 1
	for _, r := range fresh {
		last += 1 + p.rand.IntN(100)
		r.id = last
	}
	if n := len(fresh) / shardRevisions; n > 1 {
		starts := cut(fresh, n)
		starts[0] = first
		w.starts = append(w.starts, starts...)
	}
}

// continueLine adds the newest update of a line.
func (p *planner) continueLine(i int) {
	line := p.w.lines[i]
	r := p.lineOf(i)(len(line), 0)
	r.older = slices.Clone(line)
	for _, old := range line {
		old.newer = append(old.newer, r)
	}
	p.w.lines[i] = append(line, r)
}

// revised chooses n bundles that machines do not look at.
func (p *planner) revised(n int, spread bool, all []*revision) []*revision {
	var bundles []*revision
	for _, r := range byID(all) {
		if r.kind == kindBundle && r.product == "" && !r.earlier {
			bundles = append(bundles, r)
		}
	}
	n = min(n, len(bundles))
	if !spread {
		from := (len(bundles) - n) / 2
		return bundles[from : from+n]
	}
	var chosen []*revision
	for i := range n {
		chosen = append(chosen, bundles[i*len(bundles)/n])
	}
	return chosen
}
