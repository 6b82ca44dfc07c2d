package catalog

import (
	"bytes"
	"slices"

	"waptwua/wsusscn2"
)

// key is a GUID as bytes, and identity an UpdateID with such a GUID.
type (
	key      = wsusscn2.GUID
	identity = wsusscn2.Identity
)

// guidTable numbers GUIDs and finds them again.
type guidTable struct {
	keys   []key  // by number
	sorted []guid // numbers in the order of their keys
}

// sort prepares find.
func (t *guidTable) sort() {
	t.sorted = make([]guid, len(t.keys))
	for i := range t.sorted {
		t.sorted[i] = guid(i)
	}
	slices.SortFunc(t.sorted, func(a, b guid) int { return bytes.Compare(t.keys[a][:], t.keys[b][:]) })
}

func (t *guidTable) find(k key) (guid, bool) {
	i, ok := slices.BinarySearchFunc(t.sorted, k, func(g guid, k key) int { return bytes.Compare(t.keys[g][:], k[:]) })
	if !ok {
		return 0, false
	}
	return t.sorted[i], true
}
