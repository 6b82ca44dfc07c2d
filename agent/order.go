package agent

import (
	"cmp"
	"slices"
	"strings"

	"waptwua"
	"waptwua/transport"
	"waptwua/wua"
)

// batch is what one call of an installer gets.
type batch struct {
	ids       []waptwua.UpdateID
	exclusive bool
	way       waptwua.Way // of a single update that is installed as packages
}

// plan is how one update is installed.
type plan struct {
	way   waptwua.Way
	stack bool // it renews what installs the others
}

// order puts servicing stacks first, because other updates may need them, and
// of these first what must be installed alone. Then come all ordinary updates
// in one call; then those that are installed as packages, each in a call of
// its own; then those that must be installed alone. Within each of these the
// older update goes first.
func order(ids []waptwua.UpdateID, about map[waptwua.UpdateID]wua.Update, plans map[waptwua.UpdateID]plan) []batch {
	var stacks, ordinary batch
	var stacksAlone, packagedStacks, packaged, alone []batch
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b waptwua.UpdateID) int {
		return cmp.Or(about[a].Published.Compare(about[b].Published), compareIDs(a, b))
	})
	for _, id := range ids {
		p := plans[id]
		single := batch{ids: []waptwua.UpdateID{id}, exclusive: about[id].Exclusive, way: p.way}
		switch {
		case p.stack && single.exclusive:
			stacksAlone = append(stacksAlone, single)
		case single.exclusive:
			alone = append(alone, single)
		case p.stack && isPackaged(p.way):
			packagedStacks = append(packagedStacks, single)
		case isPackaged(p.way):
			packaged = append(packaged, single)
		case p.stack:
			stacks.ids = append(stacks.ids, id)
		default:
			ordinary.ids = append(ordinary.ids, id)
		}
	}
	all := slices.Concat(stacksAlone, packagedStacks, []batch{stacks, ordinary}, packaged, alone)
	return slices.DeleteFunc(all, func(b batch) bool { return len(b.ids) == 0 })
}

// isServicingStack knows a servicing stack update by its title in English,
// which the server's statement has also where the host's titles have another
// language, or by files that are all of that kind. A cumulative update that
// brings a servicing stack along is none.
func isServicingStack(u waptwua.Update, st *transport.FilesStatement) bool {
	if titledStack(u.Title) {
		return true
	}
	return st != nil && (titledStack(st.Title) || allOfKind(files(st), "ServicingStack"))
}

func titledStack(title string) bool {
	return strings.Contains(strings.ToLower(title), "servicing stack update")
}

// allOfKind tells whether the files, apart from metadata, are all of a kind.
func allOfKind(list []waptwua.File, kind string) bool {
	found := false
	for _, f := range list {
		if f.Kind != kind && f.Kind != "Metadata" {
			return false
		}
		found = found || f.Kind == kind
	}
	return found
}

func compareIDs(a, b waptwua.UpdateID) int {
	return cmp.Or(strings.Compare(a.GUID, b.GUID), cmp.Compare(a.Revision, b.Revision))
}
