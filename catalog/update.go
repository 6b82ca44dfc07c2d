package catalog

import (
	"path"
	"slices"
	"strings"

	"waptwua"
)

// The category types that place an update.
const (
	categoryClassification = "UpdateClassification"
	categoryProduct        = "Product"
)

// handlerOSInstaller is the update handler whose payload the Windows Update
// Agent does not take from a cache.
const handlerOSInstaller = "OSInstaller"

// exclusive is the Impact of an update that must be installed alone.
const exclusive = "RequiresExclusiveHandling"

// Update describes a revision; ok is false when the graph does not hold it.
// What an archive says only about a bundle's children (handler, restart,
// sizes) is joined from them.
func (g *Graph) Update(id waptwua.UpdateID) (u waptwua.Update, ok bool) {
	i, ok := g.byID[id]
	if !ok {
		return waptwua.Update{}, false
	}
	n := &g.nodes[i]
	u = waptwua.Update{
		ID: n.id, Title: n.text.Title, Type: n.typeName(), Published: n.created, Supersedes: n.supersedes,
		MoreInfoURL: n.text.MoreInfoURL, SupportURL: n.text.SupportURL,
	}
	g.placed(&u, n)
	n.describe(&u)
	for _, leaf := range g.leafNodes(i) {
		if leaf != i {
			g.nodes[leaf].contribute(&u)
		}
	}
	return u, true
}

func (n *node) typeName() string {
	switch {
	case n.core.updateType != "":
		return n.core.updateType
	case !n.software && n.kind != evaluate:
		return "Driver"
	}
	return "Software"
}

// placed fills the categories by their own titles.
func (g *Graph) placed(u *waptwua.Update, n *node) {
	for _, c := range n.categories {
		u.CategoryIDs = append(u.CategoryIDs, g.guids[c.guid])
		name := g.title(c.guid)
		if name == "" {
			name = g.guids[c.guid]
		}
		switch c.kind {
		case categoryClassification:
			u.Classifications = append(u.Classifications, name)
		case categoryProduct:
			u.Products = append(u.Products, name)
		}
	}
}

// describe fills in what the revision's own fragment says.
func (n *node) describe(u *waptwua.Update) {
	x := n.extended
	if x == nil {
		return
	}
	u.KBs, u.Severity, u.Bulletins, u.CVEs = x.KBs, x.Severity, x.Bulletins, x.CVEs
	if u.MoreInfoURL == "" {
		u.MoreInfoURL = x.MoreInfoURL
	}
	if u.SupportURL == "" {
		u.SupportURL = x.SupportURL
	}
	n.contribute(u)
}

// contribute joins what matters for installing: a bundle restarts when one of
// its children does, and its sizes are their sums.
func (n *node) contribute(u *waptwua.Update) {
	x := n.extended
	if x == nil {
		return
	}
	if u.Handler == "" {
		u.Handler = x.Handler
	}
	u.Reboot = strongest(u.Reboot, x.Reboot)
	u.MinDownloadSize += x.MinDownloadSize
	u.MaxDownloadSize += x.MaxDownloadSize
	u.Exclusive = u.Exclusive || x.Impact == exclusive
}

func strongest(a, b waptwua.Reboot) waptwua.Reboot {
	order := []waptwua.Reboot{"", waptwua.RebootNever, waptwua.RebootCanRequest, waptwua.RebootAlways}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// Leaf is an update without children, with its payload.
type Leaf struct {
	ID      waptwua.UpdateID `json:"id"`
	Handler string           `json:"handler,omitempty"`
	Files   []waptwua.File   `json:"files"` // everything the archive declares

	// Packages are the files that servicing (DISM) installs by itself, in the
	// archive's order, for an OSInstaller update; empty otherwise. They are
	// the .msu files, checkpoint and cumulative, or where there are none, the
	// .cab files that are named after a KB.
	Packages []waptwua.File `json:"packages,omitempty"`
}

// Leaves lists the updates without children that make up id, in the order of
// the bundle; empty when the graph does not hold id.
func (g *Graph) Leaves(id waptwua.UpdateID) []Leaf {
	i, ok := g.byID[id]
	if !ok {
		return nil
	}
	var out []Leaf
	for _, l := range g.leafNodes(i) {
		n := &g.nodes[l]
		leaf := Leaf{ID: n.id, Files: g.files(n)}
		if n.extended != nil {
			leaf.Handler = n.extended.Handler
		}
		if leaf.Handler == handlerOSInstaller {
			leaf.Packages = packages(leaf.Files)
		}
		out = append(out, leaf)
	}
	return out
}

// Files lists the payload of an update and of its children, each file once.
func (g *Graph) Files(id waptwua.UpdateID) []waptwua.File {
	var out []waptwua.File
	seen := map[waptwua.SHA1]bool{}
	for _, leaf := range g.Leaves(id) {
		for _, f := range leaf.Files {
			if !seen[f.SHA1] {
				seen[f.SHA1] = true
				out = append(out, f)
			}
		}
	}
	return out
}

// leafNodes follows bundles down, each node once, so that cycles end.
func (g *Graph) leafNodes(i index) []index {
	var out []index
	seen := map[index]bool{}
	work := []index{i}
	for len(work) > 0 {
		i := work[0]
		work = work[1:]
		if i == dangling || seen[i] {
			continue
		}
		seen[i] = true
		if len(g.nodes[i].children) == 0 {
			out = append(out, i)
		}
		for _, clause := range g.nodes[i].children {
			work = append(work, clause...)
		}
	}
	return out
}

// files joins the fragment's names, sizes and digests with the addresses of
// package.xml. A file that only package.xml names has no size.
func (g *Graph) files(n *node) []waptwua.File {
	var out []waptwua.File
	named := map[waptwua.SHA1]bool{}
	if n.extended != nil {
		for _, f := range n.extended.Files {
			named[f.SHA1] = true
			f.URL = g.locations[f.SHA1]
			out = append(out, f)
		}
	}
	for _, digest := range n.payload {
		if !named[digest] {
			url := g.locations[digest]
			out = append(out, waptwua.File{Name: path.Base(url), SHA1: digest, URL: url})
		}
	}
	return out
}

func packages(files []waptwua.File) []waptwua.File {
	var msu, cabs []waptwua.File
	for _, f := range files {
		name := strings.ToLower(f.Name)
		switch {
		case strings.HasSuffix(name, ".msu"):
			msu = append(msu, f)
		case strings.HasSuffix(name, ".cab") && strings.Contains(name, "-kb"):
			cabs = append(cabs, f)
		}
	}
	if len(msu) > 0 {
		return msu
	}
	return cabs
}
