package catalog

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"waptwua"
	"waptwua/wsusscn2"
)

// The category types that place an update.
const (
	categoryClassification = "UpdateClassification"
	categoryProduct        = "Product"
	categoryFamily         = "ProductFamily"
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
	i, ok := g.find(id)
	if !ok {
		return waptwua.Update{}, false
	}
	r := g.record(i)
	text := r.text()
	u = waptwua.Update{
		ID: g.id(i), Title: text.Title, Type: g.typeName(i), Published: g.nodes[i].publishedAt(),
		MoreInfoURL: text.MoreInfoURL, SupportURL: text.SupportURL,
	}
	for _, older := range g.supersedes.of(int(i)) {
		u.Supersedes = append(u.Supersedes, g.guids.keys[older].String())
	}
	g.placed(&u, i)
	describe(&u, r.extended())
	for _, leaf := range g.leafNodes(i) {
		if leaf != i {
			contribute(&u, g.record(leaf).extended())
		}
	}
	return u, true
}

func (g *Graph) typeName(i index) string {
	n := &g.nodes[i]
	switch {
	case g.names[n.typ] != "":
		return g.names[n.typ]
	case !n.has(flagSoftware) && n.kind != evaluate:
		return "Driver"
	}
	return "Software"
}

// placed fills the categories by their own titles.
func (g *Graph) placed(u *waptwua.Update, i index) {
	for _, c := range g.categories.of(int(i)) {
		id := g.guids.keys[c.guid].String()
		u.CategoryIDs = append(u.CategoryIDs, id)
		name := cmp.Or(g.title(c.guid), id)
		switch g.names[c.kind] {
		case categoryClassification:
			u.Classifications = append(u.Classifications, name)
		case categoryProduct:
			u.Products = append(u.Products, name)
		}
	}
}

// describe fills in what the revision's own fragment says.
func describe(u *waptwua.Update, x *wsusscn2.Extended) {
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
	contribute(u, x)
}

// contribute joins what matters for installing: a bundle restarts when one of
// its children does, and its sizes are their sums.
func contribute(u *waptwua.Update, x *wsusscn2.Extended) {
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
	i, ok := g.find(id)
	if !ok {
		return nil
	}
	var out []Leaf
	for _, l := range g.leafNodes(i) {
		x := g.record(l).extended()
		leaf := Leaf{ID: g.id(l), Files: g.files(l, x)}
		if x != nil {
			leaf.Handler = x.Handler
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
		if g.children.none(int(i)) {
			out = append(out, i)
		}
		for k, end := g.children.of(int(i)); k < end; k++ {
			work = append(work, g.children.members.of(k)...)
		}
	}
	return out
}

// files joins the fragment's names, sizes and digests with the addresses of
// package.xml. A file that only package.xml names has no size.
func (g *Graph) files(i index, x *wsusscn2.Extended) []waptwua.File {
	var out []waptwua.File
	at := map[waptwua.SHA1]int{}
	if x != nil {
		for _, f := range x.Files {
			at[f.SHA1] = len(out)
			out = append(out, f)
		}
	}
	listed := len(out)
	for _, f := range g.source.Payload(int(g.nodes[i].revision)) {
		if n, ok := at[f.SHA1]; ok {
			out[n].URL = f.URL
			continue
		}
		f.Name = path.Base(f.URL)
		out = append(out, f)
	}
	for n := range out[:listed] {
		if out[n].URL == "" { // package.xml does not name it for this revision
			out[n].URL = g.source.Location(out[n].SHA1)
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
