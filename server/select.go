package server

import "waptwua/store"

// The ways to select and sort hosts and updates, in the store's words.
type (
	Condition  = store.Condition
	HostSort   = store.HostSort
	UpdateSort = store.UpdateSort
	Presence   = store.Presence
	Facets     = store.Facets
)
