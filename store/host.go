package store

import (
	"context"
	"time"

	"waptwua"
)

// Standing is how a host stands with the server.
type Standing string

// The standings.
const (
	Enrolled Standing = "enrolled" // may report and fetch
	Awaiting Standing = "awaiting" // has a valid token, waits for an administrator's approval
	Refused  Standing = "refused"  // turned away by an administrator
)

// Host is one host as the server knows it.
type Host struct {
	UUID         string                 `bun:",pk"`
	Name         string                 `bun:"name"` // FQDN
	OS           string                 `bun:"os"`
	OSVersion    string                 `bun:"os_version"`
	Architecture string                 `bun:"architecture"`
	AgentVersion string                 `bun:"agent_version"`
	WUAVersion   string                 `bun:"wua_version"`
	Standing     Standing               `bun:"standing"`
	KeyDigest    string                 `bun:"key_digest"`  // SHA-256 of the public key (SubjectPublicKeyInfo), hexadecimal
	EnrolledBy   string                 `bun:"enrolled_by"` // ID of the token that was used
	CertExpires  time.Time              `bun:"cert_expires,nullzero"`
	EnrolledAt   time.Time              `bun:"enrolled_at,nullzero"`
	LastSeen     time.Time              `bun:"last_seen,nullzero"`   // last request of any kind
	ReportedAt   time.Time              `bun:"reported_at,nullzero"` // last report that was taken
	Status       waptwua.HostStatus     `bun:"status"`
	ScannedAt    time.Time              `bun:"scanned_at,nullzero"` // end of the last complete scan
	ScanError    string                 `bun:"scan_error"`          // why the last attempt failed; empty: it did not
	Seq          int64                  `bun:"seq"`                 // of the last report taken
	Digest       string                 `bun:"digest"`              // of the state held
	Head         string                 `bun:"head"`                // transport.State without its updates, as JSON; empty before the first report
	Tally        map[waptwua.Status]int `bun:"-"`                   // updates by effective status; filled by ListHosts and Host
}

// Knowledge says why the state of a host is known or not.
type Knowledge string

// The kinds of knowledge. The last three are "unknown", split by cause.
const (
	Known        Knowledge = "known"
	Silent       Knowledge = "silent"        // not seen for too long
	NeverScanned Knowledge = "never_scanned" // enrolled, but no complete scan yet
	ScanFailed   Knowledge = "scan_failed"   // the last scan failed
)

// KnowledgeOf tells what is known of h; a host last seen before silent counts as silent.
func KnowledgeOf(h Host, silent time.Time) Knowledge {
	switch {
	case h.LastSeen.Before(silent):
		return Silent
	case h.ScanError != "":
		return ScanFailed
	case h.ScannedAt.IsZero():
		return NeverScanned
	}
	return Known
}

// HostQuery selects hosts. Zero fields do not restrict.
type HostQuery struct {
	Page
	Search   string             // part of name or UUID, without case
	Standing Standing           // of this standing
	Status   waptwua.HostStatus // that reported this status
	Has      waptwua.Status     // that have an update of this effective status
	Update   waptwua.UpdateID   // with Has: this update; without: that have or need this update

	Condition    Condition // enrolled hosts in this condition
	SilentBefore time.Time // with Condition: a host last seen before is silent

	Sort       HostSort
	Descending bool
}

// Condition is what one wants to know of an enrolled host first. Every
// enrolled host is in exactly one.
type Condition string

// The conditions: two for hosts whose state is known, three for the causes
// of not knowing it. HostSummary counts them.
const (
	IsCompliant    Condition = "compliant"
	IsWanting      Condition = "wanting"
	IsSilent       Condition = "silent"
	IsNeverScanned Condition = "never_scanned"
	IsScanFailed   Condition = "scan_failed"
)

// HostSort is an order of hosts; name and UUID decide between equals.
type HostSort string

// The orders. Those of updates count the updates of one effective status.
const (
	HostsByName     HostSort = "" // the default
	HostsByStatus   HostSort = "status"
	HostsByOS       HostSort = "os"
	HostsByReport   HostSort = "reported"
	HostsByMissing  HostSort = "missing"
	HostsByPending  HostSort = "pending"
	HostsByError    HostSort = "error"
	HostsByReboot   HostSort = "reboot"
	HostsByVerified HostSort = "ok"
)

// Hosts remembers hosts.
type Hosts interface {
	// Host returns the host uuid.
	Host(ctx context.Context, uuid string) (Host, error)
	// ListHosts returns hosts in the order of the query, without their
	// Head, and how many the query selects in all.
	ListHosts(ctx context.Context, q HostQuery) ([]Host, int, error)
	// PutHost makes or replaces the host h.UUID.
	PutHost(ctx context.Context, h Host) error
	// SeenHost sets LastSeen, when at is later. A host that does not exist is no error.
	SeenHost(ctx context.Context, uuid string, at time.Time) error
	// DeleteHost forgets the host and its updates; waptwua.ErrNotFound.
	DeleteHost(ctx context.Context, uuid string) error
}

// HostUpdate is one update on one host.
//
// Its effective status is Status, but a needed update (PENDING or MISSING)
// is PENDING as soon as its files are all on the server or on the host, and
// MISSING otherwise, whatever was true when the host reported.
type HostUpdate struct {
	HostUUID   string           `bun:",pk"`
	GUID       string           `bun:"guid,pk"`
	Revision   int              `bun:",pk"`
	Status     waptwua.Status   `bun:"status"` // as reported
	Decision   waptwua.Decision `bun:"decision"`
	Downloaded bool             `bun:"downloaded"` // the host holds all files
	Record     waptwua.OnHost   `bun:"-"`          // all that the host said, exactly
	Effective  waptwua.Status   `bun:",scanonly"`  // filled by lists
	Title      string           `bun:",scanonly"`  // filled by lists
	HostName   string           `bun:",scanonly"`  // filled by lists
}

// NewHostUpdate makes the record of what host uuid says about an update.
func NewHostUpdate(uuid string, u waptwua.OnHost) HostUpdate {
	return HostUpdate{
		HostUUID: uuid, GUID: u.ID.GUID, Revision: u.ID.Revision,
		Status: u.Status, Decision: u.Verdict.Decision, Downloaded: u.Downloaded, Record: u,
	}
}

// HostUpdates remembers which updates hosts have or need.
type HostUpdates interface {
	// HostUpdates lists the updates of a host: what needs attention first,
	// then by title.
	HostUpdates(ctx context.Context, uuid string) ([]HostUpdate, error)
	// HostsOfUpdate lists the hosts that have or need an update, in the order of names.
	HostsOfUpdate(ctx context.Context, id waptwua.UpdateID, p Page) ([]HostUpdate, int, error)
	// ChangeHostUpdates puts and removes updates of a host. Removing what is
	// not there is no error.
	ChangeHostUpdates(ctx context.Context, uuid string, put []HostUpdate, remove []waptwua.UpdateID) error
	// ClearHostUpdates removes all updates of a host.
	ClearHostUpdates(ctx context.Context, uuid string) error
}
