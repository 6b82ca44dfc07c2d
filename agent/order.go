package agent

import (
	"cmp"
	"slices"
	"strings"

	"waptwua"
	"waptwua/wua"
)

// batch is what one call of an installer gets.
type batch struct {
	ids       []waptwua.UpdateID
	exclusive bool
	way       waptwua.Way // of a single update that is installed as packages
}

// order puts servicing stacks first, because other updates may need them;
// then all ordinary updates in one call; then those that are installed as
// packages, each in a call of its own; then those that must be installed
// alone. Within each of these the older update goes first.
func order(ids []waptwua.UpdateID, about map[waptwua.UpdateID]wua.Update, ways map[waptwua.UpdateID]waptwua.Way) []batch {
	var stacks, ordinary batch
	var first, packaged, alone []batch
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b waptwua.UpdateID) int {
		return cmp.Or(about[a].Published.Compare(about[b].Published), compareIDs(a, b))
	})
	for _, id := range ids {
		switch u := about[id]; {
		case u.Exclusive:
			alone = append(alone, batch{ids: []waptwua.UpdateID{id}, exclusive: true, way: ways[id]})
		case isPackaged(ways[id]) && isServicingStack(u.Update):
			first = append(first, batch{ids: []waptwua.UpdateID{id}, way: ways[id]})
		case isPackaged(ways[id]):
			packaged = append(packaged, batch{ids: []waptwua.UpdateID{id}, way: ways[id]})
		case isServicingStack(u.Update):
			stacks.ids = append(stacks.ids, id)
		default:
			ordinary.ids = append(ordinary.ids, id)
		}
	}
	all := slices.Concat(first, []batch{stacks, ordinary}, packaged, alone)
	return slices.DeleteFunc(all, func(b batch) bool { return len(b.ids) == 0 })
}

// isServicingStack knows a servicing stack update by its title; nothing else
// tells it from others.
func isServicingStack(u waptwua.Update) bool {
	return strings.Contains(strings.ToLower(u.Title), "servicing stack update")
}

func compareIDs(a, b waptwua.UpdateID) int {
	return cmp.Or(strings.Compare(a.GUID, b.GUID), cmp.Compare(a.Revision, b.Revision))
}
