package server

import (
	"encoding/json"
	"fmt"
	"time"

	"waptwua"
	"waptwua/signing"
	"waptwua/store"
	"waptwua/transport"
)

// Summary is the fleet in figures.
type Summary struct {
	At        time.Time                  `json:"at"`
	Hosts     HostCounts                 `json:"hosts"`
	HostsBy   map[waptwua.HostStatus]int `json:"hosts_by_status" doc:"Enrolled hosts by the status they reported"`
	Updates   map[waptwua.Status]int     `json:"updates" doc:"Distinct updates by status on some host"`
	OnHosts   map[waptwua.Status]int     `json:"updates_on_hosts" doc:"Pairs of update and host by status"`
	Seen      int                        `json:"updates_seen"`
	Files     FileCounts                 `json:"files"`
	Archive   *ArchiveView               `json:"archive,omitempty" doc:"The published scan archive; absent before the first"`
	Catalogue bool                       `json:"catalogue" doc:"Whether the catalogue of the archive is loaded"`
}

// HostCounts counts hosts. Compliant, wanting and the three causes of not
// knowing add up to enrolled.
type HostCounts struct {
	Enrolled     int `json:"enrolled"`
	Compliant    int `json:"compliant" doc:"Nothing allowed is lacking, failed or waiting for a restart"`
	Wanting      int `json:"wanting"`
	Silent       int `json:"silent" doc:"Not seen for too long"`
	NeverScanned int `json:"never_scanned"`
	ScanFailed   int `json:"scan_failed"`
	Awaiting     int `json:"awaiting" doc:"Waiting for approval"`
	Refused      int `json:"refused"`
}

// FileCounts counts payload files.
type FileCounts struct {
	Needed       int   `json:"needed"`
	NeededBytes  int64 `json:"needed_bytes"`
	Missing      int   `json:"missing"`
	MissingBytes int64 `json:"missing_bytes"`
	Present      int   `json:"present"`
	PresentBytes int64 `json:"present_bytes"`
}

// ArchiveView is the published scan archive and how the last attempts went.
type ArchiveView struct {
	waptwua.Archive
	Checked   time.Time `json:"checked,omitzero" doc:"When the origin was last asked with success"`
	LastError string    `json:"last_error,omitempty" doc:"Why the last attempt failed; empty when it did not"`
	Loaded    bool      `json:"catalogue_loaded"`
}

// HostView is one host.
type HostView struct {
	waptwua.Host
	Standing  store.Standing         `json:"standing" enum:"enrolled,awaiting,refused"`
	Status    waptwua.HostStatus     `json:"status"`
	Knowledge store.Knowledge        `json:"knowledge" doc:"known, or why not: silent, never_scanned, scan_failed"`
	Compliant bool                   `json:"compliant"`
	Enrolled  time.Time              `json:"enrolled_at,omitzero"`
	LastSeen  time.Time              `json:"last_seen,omitzero"`
	Reported  time.Time              `json:"reported_at,omitzero"`
	Scanned   time.Time              `json:"scanned_at,omitzero"`
	ScanError string                 `json:"scan_error,omitempty"`
	Expires   time.Time              `json:"certificate_expires,omitzero"`
	Updates   map[waptwua.Status]int `json:"updates" doc:"Counts by status"`
}

// HostDetail is one host with all that it reported.
type HostDetail struct {
	HostView
	State transport.State `json:"state" doc:"The last report, without its updates"`
	List  []HostUpdate    `json:"list"`
}

// HostUpdate is one update on one host, as it stands now.
type HostUpdate struct {
	HostUUID string `json:"host"`
	HostName string `json:"host_name,omitempty"`
	Title    string `json:"title"`
	waptwua.OnHost
}

// UpdateView is one update that some host has or needs.
type UpdateView struct {
	waptwua.Update
	Seen         time.Time              `json:"seen_at,omitzero"`
	DownloadedOn time.Time              `json:"downloaded_on,omitzero" doc:"When the last of its files arrived"`
	Described    bool                   `json:"described"`
	FilesKnown   bool                   `json:"files_known"`
	NeededBy     int                    `json:"needed_by" doc:"Hosts that lack it and may install it"`
	Hosts        map[waptwua.Status]int `json:"hosts" doc:"Hosts by status"`
}

// FileView is one payload file.
type FileView struct {
	StoredName  string       `json:"stored_name"`
	File        waptwua.File `json:"file"`
	PresentAt   time.Time    `json:"present_at,omitzero"`
	Attempts    int          `json:"attempts,omitempty"`
	NextAttempt time.Time    `json:"next_attempt,omitzero"`
	Error       string       `json:"error,omitempty"`
}

// DownloadView is one attempt to fetch a file.
type DownloadView struct {
	ID         int64       `json:"id"`
	StoredName string      `json:"stored_name"`
	URL        string      `json:"url"`
	Updates    string      `json:"updates,omitempty"`
	State      store.State `json:"state" enum:"pending,running,finished,skipped,failed,interrupted"`
	Attempt    int         `json:"attempt"`
	Done       int64       `json:"done"`
	Total      int64       `json:"total"`
	Speed      int64       `json:"speed" doc:"Bytes per second"`
	Created    time.Time   `json:"created_at,omitzero"`
	Started    time.Time   `json:"started_at,omitzero"`
	Finished   time.Time   `json:"finished_at,omitzero"`
	Error      string      `json:"error,omitempty"`
}

// RunView is one run of a job.
type RunView struct {
	ID       int64           `json:"id"`
	Kind     string          `json:"kind"`
	Reason   string          `json:"reason"`
	State    store.State     `json:"state" enum:"pending,running,finished,skipped,failed,interrupted"`
	Done     int64           `json:"done"`
	Total    int64           `json:"total"`
	Speed    int64           `json:"speed" doc:"Bytes per second"`
	Started  time.Time       `json:"started_at,omitzero"`
	Finished time.Time       `json:"finished_at,omitzero"`
	Message  string          `json:"message,omitempty"`
	Error    string          `json:"error,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
}

// TokenView is a token without its secret.
type TokenView struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind" enum:"enrol,api"`
	Role     string    `json:"role,omitempty"`
	Note     string    `json:"note,omitempty"`
	By       string    `json:"created_by"`
	Created  time.Time `json:"created_at,omitzero"`
	Expires  time.Time `json:"expires_at,omitzero"`
	UsesLeft int       `json:"uses_left" doc:"-1: without limit"`
	LastUsed time.Time `json:"last_used,omitzero"`
	Revoked  time.Time `json:"revoked_at,omitzero"`
	Usable   bool      `json:"usable"`
}

// UserView is a user.
type UserView struct {
	Name       string    `json:"name"`
	Role       string    `json:"role" enum:"viewer,operator,administrator"`
	MustChange bool      `json:"must_change" doc:"Must set another password first"`
	Disabled   bool      `json:"disabled"`
	Created    time.Time `json:"created_at,omitzero"`
	LastLogin  time.Time `json:"last_login,omitzero"`
}

// RuleView is a rule package in force.
type RuleView struct {
	Name     string          `json:"name"`
	Version  int             `json:"version"`
	Signer   string          `json:"signer" doc:"Name in the signer's certificate"`
	Verified bool            `json:"verified" doc:"Whether this server could check the signature; hosts always do"`
	Created  time.Time       `json:"created_at,omitzero"`
	Uploaded time.Time       `json:"uploaded_at,omitzero"`
	By       string          `json:"uploaded_by"`
	Digest   string          `json:"digest"`
	Rules    json.RawMessage `json:"rules"`
}

// AuditView is one change.
type AuditView struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Action  string    `json:"action"`
	Subject string    `json:"subject"`
	Detail  string    `json:"detail,omitempty"`
	Hash    string    `json:"hash"`
}

// List is a part of a list.
type List[T any] struct {
	Items []T `json:"items"`
	Total int `json:"total" doc:"How many there are in all"`
}

// listOf turns rows into a list of views.
func listOf[R, V any](rows []R, total int, view func(R) V) List[V] {
	l := List[V]{Items: make([]V, len(rows)), Total: total}
	for i, r := range rows {
		l.Items[i] = view(r)
	}
	return l
}

func viewHost(h store.Host, silent time.Time) HostView {
	k := store.KnowledgeOf(h, silent)
	open := h.Tally[waptwua.StatusPending] + h.Tally[waptwua.StatusMissing] + h.Tally[waptwua.StatusError] + h.Tally[waptwua.StatusReboot]
	return HostView{
		Host: waptwua.Host{UUID: h.UUID, Name: h.Name, OS: h.OS, OSVersion: h.OSVersion, Architecture: h.Architecture,
			AgentVersion: h.AgentVersion, WUAVersion: h.WUAVersion},
		Standing: h.Standing, Status: h.Status, Knowledge: k, Compliant: k == store.Known && open == 0,
		Enrolled: h.EnrolledAt, LastSeen: h.LastSeen, Reported: h.ReportedAt, Scanned: h.ScannedAt,
		ScanError: h.ScanError, Expires: h.CertExpires, Updates: tally(h.Tally),
	}
}

// tally is never nil, so that JSON shows an object.
func tally(t map[waptwua.Status]int) map[waptwua.Status]int {
	if t == nil {
		return map[waptwua.Status]int{}
	}
	return t
}

func viewHostUpdate(u store.HostUpdate) HostUpdate {
	on := u.Record
	on.Status = u.Effective
	return HostUpdate{HostUUID: u.HostUUID, HostName: u.HostName, Title: u.Title, OnHost: on}
}

func viewUpdate(u store.Update) UpdateView {
	needed := u.Tally[waptwua.StatusPending] + u.Tally[waptwua.StatusMissing] + u.Tally[waptwua.StatusError]
	return UpdateView{Update: u.About, Seen: u.SeenAt, DownloadedOn: u.DownloadedOn, Described: u.Described,
		FilesKnown: u.HasFiles, NeededBy: needed, Hosts: tally(u.Tally)}
}

func viewFile(f store.File) FileView {
	return FileView{StoredName: f.StoredName, File: f.File, PresentAt: f.PresentAt, Attempts: f.Attempts, NextAttempt: f.NextAttempt, Error: f.Error}
}

func viewDownload(d store.Download) DownloadView {
	return DownloadView{ID: d.ID, StoredName: d.StoredName, URL: d.URL, Updates: d.Updates, State: d.State, Attempt: d.Attempt,
		Done: d.Done, Total: d.Total, Speed: d.Speed, Created: d.CreatedAt, Started: d.StartedAt, Finished: d.FinishedAt, Error: d.Error}
}

func viewRun(r store.Run) RunView {
	return RunView{ID: r.ID, Kind: r.Kind, Reason: r.Reason, State: r.State, Done: r.Done, Total: r.Total, Speed: r.Speed,
		Started: r.StartedAt, Finished: r.FinishedAt, Message: r.Message, Error: r.Error, Result: r.Result}
}

func viewToken(t store.Token, now time.Time) TokenView {
	usable := t.RevokedAt.IsZero() && t.UsesLeft != 0 && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt))
	return TokenView{ID: t.ID, Kind: t.Kind, Role: t.Role, Note: t.Note, By: t.CreatedBy, Created: t.CreatedAt, Expires: t.ExpiresAt,
		UsesLeft: t.UsesLeft, LastUsed: t.LastUsed, Revoked: t.RevokedAt, Usable: usable}
}

func viewUser(u store.User) UserView {
	return UserView{Name: u.Name, Role: u.Role, MustChange: u.MustChange, Disabled: u.Disabled, Created: u.CreatedAt, LastLogin: u.LastLogin}
}

func viewRules(p store.RulePackage) (RuleView, error) {
	env, err := signing.Decode([]byte(p.Envelope))
	if err != nil {
		return RuleView{}, fmt.Errorf("rule package %s: %w", p.Name, err)
	}
	st, err := signing.ParseRulesStatement(env.Payload)
	if err != nil {
		return RuleView{}, fmt.Errorf("rule package %s: %w", p.Name, err)
	}
	return RuleView{Name: p.Name, Version: p.Version, Signer: p.Signer, Verified: p.Verified, Created: p.CreatedAt,
		Uploaded: p.UploadedAt, By: p.UploadedBy, Digest: p.Digest, Rules: st.Rules}, nil
}

func viewAudit(e store.AuditEntry) AuditView {
	return AuditView{Seq: e.Seq, At: e.At, Actor: e.Actor, Action: e.Action, Subject: e.Subject, Detail: e.Detail, Hash: e.Hash}
}

// FileInfo describes a file that hosts may fetch.
type FileInfo struct {
	Size     int64
	Modified time.Time
	ETag     string // strong, with its quotes; empty: none
}
