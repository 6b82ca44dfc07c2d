package waptwua

import (
	"fmt"
	"strings"
	"time"
)

// Status is the state of one update on one host.
type Status string

// The update statuses, in WAPT's words.
const (
	StatusOK         Status = "OK"         // installed, and a later scan no longer offers it
	StatusPending    Status = "PENDING"    // allowed, needed, files on the server or the host
	StatusMissing    Status = "MISSING"    // allowed, needed, some file not on the server
	StatusDiscarded  Status = "DISCARDED"  // needed, but not allowed now; see the verdict
	StatusReboot     Status = "REBOOT"     // installed, waiting for a restart
	StatusError      Status = "ERROR"      // the last attempt failed; see Failure
	StatusSuperseded Status = "SUPERSEDED" // replaced by an update that is installed or pending
)

// HostStatus sums up one host.
type HostStatus string

// The host statuses.
const (
	HostOK          HostStatus = "OK"
	HostPending     HostStatus = "PENDING_UPDATES"
	HostScanning    HostStatus = "SCANNING"
	HostDownloading HostStatus = "DOWNLOADING"
	HostInstalling  HostStatus = "INSTALLING"
	HostReboot      HostStatus = "REBOOT"
	HostError       HostStatus = "ERROR"
	HostUnknown     HostStatus = "" // never scanned, or the scan failed: see Scan.Error
)

// Decision is what the rules say about one update.
type Decision string

// The decisions.
const (
	Allowed Decision = "allowed"
	Denied  Decision = "denied"
	Held    Decision = "held" // allowed, but not before Verdict.Until
)

// Verdict is a decision with the reason and the rule it came from.
type Verdict struct {
	Decision Decision  `json:"decision"`
	Reason   string    `json:"reason"`           // e.g. forbidden_kbs, allowed_severities, default_allow, install_delay
	Detail   string    `json:"detail,omitempty"` // the value that matched, e.g. KB5031234
	Origin   string    `json:"origin"`           // rule package name, or wapt-get.ini, or built-in
	Until    time.Time `json:"until,omitzero"`   // for Held: the moment from which it is allowed
}

// OnHost is what one host says about one update that is installed or needed.
type OnHost struct {
	ID         UpdateID  `json:"id"`
	Status     Status    `json:"status"`
	Verdict    Verdict   `json:"verdict"`
	Downloaded bool      `json:"downloaded,omitempty"` // all files verified in the host's cache
	Installed  time.Time `json:"installed,omitzero"`   // when the installer said so
	Verified   time.Time `json:"verified,omitzero"`    // when a later scan confirmed it
	Failure    *Failure  `json:"failure,omitempty"`
	Steps      []Step    `json:"steps,omitempty"` // the phases it went through, oldest first, at most MaxSteps
	Way        Way       `json:"way,omitzero"`    // how it was installed last
}

// Failure is a failed attempt, in words that help.
type Failure struct {
	HResult  uint32    `json:"hresult,omitempty"`
	Name     string    `json:"name,omitempty"` // WU_E_…
	Sentence string    `json:"sentence"`       // what happened
	Remedy   string    `json:"remedy,omitempty"`
	At       time.Time `json:"at"`
	Attempts int       `json:"attempts"`
}

// String is the failure as people read it: its code and name, as far as it
// has them, what happened, and what to do about it.
func (f Failure) String() string {
	head := f.Name
	if f.HResult != 0 {
		head = strings.TrimSpace(fmt.Sprintf("0x%08X %s", f.HResult, f.Name))
	}
	if head != "" {
		head += ": "
	}
	return strings.TrimSpace(head + f.Sentence + " " + f.Remedy)
}

// Scan says how a host came to know what it reports.
type Scan struct {
	At          time.Time     `json:"at,omitzero"` // end of the last complete scan; zero: never scanned
	Duration    time.Duration `json:"duration,omitempty"`
	Archive     SHA256        `json:"archive,omitzero"`      // digest of the scan archive used
	ArchiveDate time.Time     `json:"archive_date,omitzero"` // CreationDate of the archive, or its Last-Modified
	RulesDigest string        `json:"rules_digest,omitempty"`
	Error       *Failure      `json:"error,omitempty"` // the last attempt, when it failed; At then is older
}

// Host is one managed computer.
type Host struct {
	UUID         string `json:"uuid"`                   // lower-case GUID
	Name         string `json:"name"`                   // FQDN
	OS           string `json:"os,omitempty"`           // e.g. "Windows 11 Pro 23H2"
	OSVersion    string `json:"os_version,omitempty"`   // e.g. 10.0.22631.4317
	Architecture string `json:"architecture,omitempty"` // x86, amd64, arm64
	AgentVersion string `json:"agent_version,omitempty"`
	WUAVersion   string `json:"wua_version,omitempty"`
}
