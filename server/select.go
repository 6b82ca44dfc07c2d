package server

import "waptwua/store"

// The ways to select and sort hosts and updates, in the store's words.
type (
	// Condition is what one wants to know of an enrolled host first.
	Condition = store.Condition
	// HostSort is an order of hosts.
	HostSort = store.HostSort
	// UpdateSort is an order of updates.
	UpdateSort = store.UpdateSort
	// Presence tells whether an update's files are all on the server.
	Presence = store.Presence
	// Facets counts updates by severity, product and classification.
	Facets = store.Facets
)
