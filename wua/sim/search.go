package sim

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"waptwua"
	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/wua"
)

// networkMissing is what an online search ends with.
const networkMissing wua.Code = 0x8024402C

// Search evaluates the archive on this host.
func (h *Host) Search(ctx context.Context, q wua.Query) (found *wua.Found, err error) {
	err = h.serve(ctx, callSearch, q.Progress, func(c *call) error {
		found, err = c.search(ctx, q)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (c *call) search(ctx context.Context, q wua.Query) (*wua.Found, error) {
	criteria := q.Criteria
	if criteria == "" {
		criteria = wua.DefaultCriteria
	}
	wanted, err := wua.ParseCriteria(criteria)
	if err != nil {
		return nil, err
	}
	graph, err := c.archive(ctx, q.Archive)
	if err != nil {
		return nil, err
	}
	report(q.Progress, wua.Progress{Percent: 10})
	if err := c.opt.Sleep(ctx, c.opt.ScanDuration); err != nil {
		return nil, err
	}
	machine, err := applicability.NewMachine(c.state.facts(c.opt.Machine, effective))
	if err != nil {
		return nil, err
	}
	o := catalog.EvaluateOptions{IncludeSuperseded: q.IncludePotentiallySuperseded}
	if wanted.ExcludesHidden() {
		o.Hidden = c.state.Hidden
	}
	s := &scan{
		call: c, graph: graph, criteria: wanted,
		evaluation: graph.Evaluate(machine, o),
		offer:      offer{graph: graph, updates: map[waptwua.UpdateID]*offered{}, leaves: map[waptwua.UpdateID]catalog.Leaf{}},
	}
	found := s.found()
	report(q.Progress, wua.Progress{Percent: 100})
	c.offer = s.offer
	return found, nil
}

// archive opens the scan archive, and refuses as WUA does.
func (c *call) archive(ctx context.Context, path string) (*catalog.Graph, error) {
	fail := func(code wua.Code, text string) error { return &wua.Error{Op: callSearch, Code: code, Text: text} }
	switch {
	case path == "":
		return nil, fail(networkMissing, "")
	case strings.HasPrefix(path, `\\`) || !filepath.IsAbs(path):
		return nil, fail(wua.InvalidName, "")
	}
	graph, err := c.opt.Graphs.Open(ctx, path)
	switch {
	case err == nil:
		return graph, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, os.ErrNotExist):
		return nil, fail(wua.NotFound, err.Error())
	}
	return nil, fail(wua.InvalidScanFile, err.Error())
}

// scan is one search.
type scan struct {
	*call
	graph      *catalog.Graph
	criteria   *wua.Criteria
	evaluation *catalog.Evaluation
	offer      offer
}

func (s *scan) found() *wua.Found {
	found := new(wua.Found)
	for _, id := range s.graph.TopLevel() {
		u, ok := s.update(id)
		if !ok || !s.criteria.Match(&u) {
			continue
		}
		found.Updates = append(found.Updates, u)
		s.remember(&u)
	}
	return found
}

// update describes a top-level update; false when it is not offered.
func (s *scan) update(id waptwua.UpdateID) (u wua.Update, ok bool) {
	verdict, _ := s.evaluation.Verdict(id)
	change := s.state.change(id)
	waits := change != nil && change.Phase != installed
	if s.state.Vanished[id] || verdict != catalog.Installed && verdict != catalog.Applicable && !waits {
		return u, false
	}
	u.Update, _ = s.graph.Update(id)
	u.Installed = verdict == catalog.Installed || waits
	u.Hidden = s.state.Hidden[id]
	u.RebootRequired = waits
	u.Uninstallable = change != nil && change.Phase == installed
	u.EulaAccepted = true
	u.Leaves = s.leaves(id)
	u.Downloaded = len(u.Leaves) > 0
	for _, l := range u.Leaves {
		u.Downloaded = u.Downloaded && s.state.Staged[l.ID] != nil
	}
	return u, true
}

// leaves are the children that apply or are installed, or the update itself.
func (s *scan) leaves(id waptwua.UpdateID) []wua.Leaf {
	var out []wua.Leaf
	for _, l := range s.graph.Leaves(id) {
		if v, _ := s.evaluation.Verdict(l.ID); l.ID != id && v != catalog.Applicable && v != catalog.Installed {
			continue
		}
		leaf := wua.Leaf{ID: l.ID, Handler: l.Handler}
		if os := s.opt.Machine.OS; os != nil && os.Major < 10 { // later ones leave it empty
			for _, f := range l.Files {
				leaf.URLs = append(leaf.URLs, f.URL)
			}
		}
		out = append(out, leaf)
	}
	return out
}

// remember makes the identities of u known to the other calls.
func (s *scan) remember(u *wua.Update) {
	applies := map[waptwua.UpdateID]bool{}
	for _, l := range u.Leaves {
		applies[l.ID] = true
	}
	o := &offered{update: u.Update}
	for _, l := range s.graph.Leaves(u.ID) {
		if applies[l.ID] {
			o.leaves = append(o.leaves, l)
			s.offer.leaves[l.ID] = l
		}
	}
	s.offer.updates[u.ID] = o
}

func report(progress func(wua.Progress), p wua.Progress) {
	if progress != nil {
		progress(p)
	}
}
