// Package transport holds the messages between agent and server and their
// versions; it is the only package of ours that both know.
//
// # Enrolment
//
// An agent makes its key, sends a certificate request with a token to
// PathEnrol (server-authenticated TLS only) and gets its certificate. From
// then on it speaks mutual TLS; the certificate's common name is the host's
// UUID, and the server takes the host's identity from nowhere else.
//
// # Reports
//
// A host's knowledge is one State. A Report carries the difference between
// the State that the server last acknowledged and the new one, named by
// their digests. A server that does not hold Base answers NeedFull, and the
// agent sends everything. Reports are idempotent: the same report sent twice
// leaves the same state. Seq grows with every new state and survives
// restarts; a server ignores a report older than what it holds.
//
// # Rules
//
// PathRules answers the rule packages for the host, each a DSSE envelope
// signed by an administrator (package signing). The server only stores and
// hands them out; the agent verifies them against its own certificates.
//
// # Files
//
// PathFiles serves the scan archive, its digests, payload files, and for
// each update a signed FilesStatement that says which files it needs.
package transport

import (
	"time"

	"waptwua"
)

// Version is the version of the messages in this package.
const Version = 1

// The paths on the agents' listener.
const (
	PathEnrol  = "/agent/v1/enrol"
	PathReport = "/agent/v1/report"
	PathRules  = "/agent/v1/rules"
	PathFiles  = "/waptwua/"

	ArchiveName = "wsusscn2.cab" // below PathFiles; beside it ArchiveName + ".sha1" and ".sha256", hexadecimal
)

// The limits that both sides keep, in bytes after decompression.
const (
	MaxEnrol  = 64 << 10
	MaxReport = 32 << 20
	MaxRules  = 16 << 20
	MaxFiles  = 1 << 20 // one FilesStatement envelope
)

// EnrolRequest asks for a host certificate.
type EnrolRequest struct {
	Version int          `json:"version"`
	Token   string       `json:"token"`
	CSR     string       `json:"csr"` // PEM; the key is the host's, the subject is ignored but for the UUID
	Host    waptwua.Host `json:"host"`
}

// EnrolResponse carries the certificate and what the host must trust.
type EnrolResponse struct {
	Version     int    `json:"version"`
	Certificate string `json:"certificate"` // PEM, the host's
	CA          string `json:"ca"`          // PEM, the server's authority
	Signing     string `json:"signing"`     // PEM, the certificate that signs FilesStatements
}

// State is everything that the server knows from one host.
type State struct {
	Host       waptwua.Host                        `json:"host"`
	Status     waptwua.HostStatus                  `json:"status"`
	Scan       waptwua.Scan                        `json:"scan"`
	Settings   map[string]string                   `json:"settings,omitempty"` // effective [waptwua] options, as show-config prints them
	Problems   []string                            `json:"problems,omitempty"` // options of wapt-get.ini that could not be read, as sentences
	Rules      []RuleState                         `json:"rules,omitempty"`
	Reboot     []string                            `json:"reboot,omitempty"` // why a restart is outstanding; empty: none
	Updates    map[waptwua.UpdateID]waptwua.OnHost `json:"updates,omitempty"`
	LastAction Action                              `json:"last_action,omitzero"`
	NextWindow time.Time                           `json:"next_window,omitzero"` // when the installation window that is open has opened, or the next one opens

	// RestartLoop says that restarts do not clear what asks for them; nobody
	// is asked for another one while it stands.
	RestartLoop *waptwua.Failure `json:"restart_loop,omitempty"`

	// Restart is the restart that updates wait for and that the agent looks
	// after; nil: there is none, or restart_policy leaves it to others.
	Restart *Restart `json:"restart,omitempty"`
}

// Restart is how far a host has come with a restart. As of the report:
// nothing is reported only because a user was asked or has answered.
type Restart struct {
	Due     time.Time `json:"due"`               // since when it is known to be needed
	Asked   time.Time `json:"asked,omitzero"`    // when the user was last asked
	Snoozed int       `json:"snoozed,omitempty"` // how often the user has put it off
	Until   time.Time `json:"until,omitzero"`    // put off until then, or nobody has answered and is asked again then
	At      time.Time `json:"at,omitzero"`       // end of the countdown that is announced
	Forced  time.Time `json:"forced,omitzero"`   // when the host restarts in any case; zero: never
	Ordered time.Time `json:"ordered,omitzero"`  // when Windows was told to
}

// RuleState says what a host made of one rule package.
type RuleState struct {
	Name    string `json:"name"`
	Version int    `json:"version,omitempty"`
	Signer  string `json:"signer,omitempty"`
	Error   string `json:"error,omitempty"` // why it was refused; the last good one stays in force
}

// Action is the last thing a host did.
type Action struct {
	Kind  string    `json:"kind"` // scan, download, install, uninstall
	At    time.Time `json:"at"`
	Error string    `json:"error,omitempty"`
}

// Report is the difference between two States.
type Report struct {
	Version int       `json:"version"`
	Seq     uint64    `json:"seq"`
	Sent    time.Time `json:"sent"`
	Base    string    `json:"base,omitempty"` // digest of the acknowledged State; empty: this report is whole
	Digest  string    `json:"digest"`         // digest of the State after this report

	Head    *State             `json:"head,omitempty"` // the new State without Updates, when it differs
	Changed []waptwua.OnHost   `json:"changed,omitempty"`
	Removed []waptwua.UpdateID `json:"removed,omitempty"`
	About   []waptwua.Update   `json:"about,omitempty"` // descriptions the server asked for
}

// ReportAck answers a Report.
type ReportAck struct {
	Version     int                `json:"version"`
	Digest      string             `json:"digest,omitempty"` // of the State the server now holds; only durable state is acknowledged
	Seq         uint64             `json:"seq,omitempty"`    // of the last report taken; an agent restored from a backup goes on above it
	NeedFull    bool               `json:"need_full,omitempty"`
	Describe    []waptwua.UpdateID `json:"describe,omitempty"`     // updates that no catalogue knows; send About
	RulesDigest string             `json:"rules_digest,omitempty"` // ETag of PathRules for this host
	Archive     waptwua.SHA256     `json:"archive,omitzero"`       // of the published scan archive
	RetryAfter  int                `json:"retry_after,omitempty"`  // seconds; the server is busy
}

// RuleSet is the answer of PathRules.
type RuleSet struct {
	Version  int      `json:"version"`
	Packages []string `json:"packages"` // DSSE envelopes, JSON, in order of name
}

// Route is how an update's files reach the host's installer.
type Route string

// The routes.
const (
	RouteWUA  Route = "wua"  // CopyToCache, then WUA installs
	RouteDISM Route = "dism" // OSInstaller: all .msu in one folder, DISM installs
	RouteNone Route = "none" // nothing to fetch
)

// FilesStatement says which files one update needs. The server signs it
// (payload type signing.TypeFiles) and publishes it under
// PathFiles + UpdateID + ".json", so that any repository can answer.
type FilesStatement struct {
	Update  waptwua.UpdateID `json:"update"`
	Archive waptwua.SHA256   `json:"archive"` // the scan archive that names the files
	Created time.Time        `json:"created"`
	Title   string           `json:"title,omitempty"` // in English, whatever language the host's titles have
	Leaves  []LeafFiles      `json:"leaves"`
}

// LeafFiles are the files of one update without children.
type LeafFiles struct {
	ID      waptwua.UpdateID `json:"id"`
	Handler string           `json:"handler,omitempty"`
	Route   Route            `json:"route"`
	Files   []waptwua.File   `json:"files"`
}
