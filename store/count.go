package store

import (
	"context"
	"time"

	"waptwua"
)

// HostSummary counts hosts. Compliant, Wanting and the three causes of not
// knowing add up to Enrolled.
type HostSummary struct {
	Enrolled  int
	Awaiting  int
	Refused   int
	ByStatus  map[waptwua.HostStatus]int // enrolled hosts by the status they reported
	Compliant int                        // known, and no allowed update is lacking, failed or waiting for a restart
	Wanting   int                        // known, and some is
	Silent    int
	NeverScan int
	ScanFails int
}

// UpdateSummary counts updates on enrolled hosts by effective status.
type UpdateSummary struct {
	Seen     int                    // distinct updates reported
	OnHosts  map[waptwua.Status]int // pairs of host and update
	Distinct map[waptwua.Status]int // updates with that status on some host
}

// Counts sums up.
type Counts interface {
	// CountHosts counts hosts; one last seen before silent counts as silent.
	CountHosts(ctx context.Context, silent time.Time) (HostSummary, error)
	// CountUpdates counts updates.
	CountUpdates(ctx context.Context) (UpdateSummary, error)
}
