// Package wua is the vocabulary of the Windows Update Agent (WUA) and the
// interface behind which it stands: wua/com speaks COM on Windows, wua/sim
// simulates a host that evaluates the same scan archive, and wua/wuatest is
// the contract that both keep.
//
// # Promises of every implementation
//
//   - One call at a time: a second call while one runs returns an *Error
//     with code OperationInProgress; it never waits.
//   - Every call ends soon after its context does, with the context's error.
//   - Install, Stage, SetHidden and Uninstall take identities that the last
//     successful Search returned. An identity that has gone since gives a
//     per-update result with code ItemNotFound; it does not stop the others.
//   - What WUA says is not yet the truth: "succeeded" becomes "installed"
//     only when a later Search no longer offers the update.
//   - Errors of WUA are *Error values; Lookup explains their codes.
package wua

import (
	"context"
	"time"

	"waptwua"
)

// Searcher asks WUA which updates the host lacks or has.
type Searcher interface {
	// Search evaluates the host. The result holds installed and missing
	// updates alike, hidden ones included when the criteria ask for them.
	// Updates whose properties could not all be read are returned with what
	// could be read, and a warning.
	Search(ctx context.Context, q Query) (*Found, error)
}

// Hider hides updates from the user and from automatic installation.
type Hider interface {
	SetHidden(ctx context.Context, id waptwua.UpdateID, hidden bool) error
}

// Installer puts updates on the host and takes them off.
type Installer interface {
	// Stage hands files (absolute paths, verified by the caller) to WUA as
	// the content of leaf, an update without children (CopyToCache).
	Stage(ctx context.Context, leaf waptwua.UpdateID, files []string) error
	// Install installs the updates in the given order and reports one result
	// for each. It accepts licences. It returns an error without a result
	// when nothing was tried; failures of single updates stand in the result.
	// When ctx ends midway it returns both: the result so far, in which what
	// was not begun is NotStarted, and ctx's error. Progress is reported once
	// at the begin of the call and of each update; so is that of Search at
	// its begin.
	Install(ctx context.Context, ids []waptwua.UpdateID, progress func(Progress)) (*Result, error)
	// Uninstall removes the updates; same results as Install.
	Uninstall(ctx context.Context, ids []waptwua.UpdateID, progress func(Progress)) (*Result, error)
}

// Historian reads the host's update history, newest first.
type Historian interface {
	// History returns at most max entries. What cannot be read of an entry is
	// zero, and an entry without an identity is left out.
	History(ctx context.Context, max int) ([]HistoryEntry, error)
}

// System tells what the host is and whether it waits for a restart.
type System interface {
	Info(ctx context.Context) (Info, error)
	RebootPending(ctx context.Context) (Reboot, error)
}

// Host is a whole Windows host as far as updates are concerned.
type Host interface {
	Searcher
	Hider
	Installer
	Historian
	System
}

// Query says how to search.
type Query struct {
	Archive                      string // local path of the scan archive; empty: an online search
	Criteria                     string // WUA's search criteria; empty: DefaultCriteria
	IncludePotentiallySuperseded bool
	Locale                       uint32         // LCID for titles; 0: the host's
	Progress                     func(Progress) // may be nil
}

// DefaultCriteria is WAPT's default filter.
const DefaultCriteria = "Type='Software' or Type='Driver'"

// Found is the result of a search.
type Found struct {
	Updates  []Update
	Warnings []*Error
	// Lost counts updates that the host offers or has and that could not be
	// read at all: what Updates does not hold may be one of them.
	Lost int
}

// Update is one update as WUA offers it on this host.
type Update struct {
	waptwua.Update
	Installed      bool
	Hidden         bool
	Downloaded     bool
	EulaAccepted   bool
	Uninstallable  bool
	RebootRequired bool   // installed, but a restart is outstanding
	Leaves         []Leaf // the children that apply, or the update itself when it has none
	Incomplete     *Error // why a child could not be read, so that Leaves lacks it: do not install; nil: none is lacking
}

// Leaf is an update without children: what Stage takes files for.
type Leaf struct {
	ID      waptwua.UpdateID
	Handler string
	URLs    []string // DownloadContents; empty after offline scans on recent Windows
}

// Progress is how far a call has come.
type Progress struct {
	Update  waptwua.UpdateID // zero: the call as a whole
	Index   int              // 0-based position in the list
	Count   int
	Percent int // of the whole call
}

// ResultCode is OperationResultCode of WUA.
type ResultCode int

// The result codes.
const (
	NotStarted          ResultCode = 0
	InProgress          ResultCode = 1
	Succeeded           ResultCode = 2
	SucceededWithErrors ResultCode = 3
	Failed              ResultCode = 4
	Aborted             ResultCode = 5
)

// Result is what an installation or removal did.
type Result struct {
	Code           ResultCode
	RebootRequired bool
	Updates        []UpdateResult // in the order of the call
}

// UpdateResult is the outcome for one update.
type UpdateResult struct {
	ID             waptwua.UpdateID
	Code           ResultCode
	HResult        Code
	RebootRequired bool
}

// HistoryEntry is one line of the host's update history.
type HistoryEntry struct {
	ID        waptwua.UpdateID
	Title     string
	Operation string // install or uninstall
	Code      ResultCode
	HResult   Code
	At        time.Time
	ClientID  string // ClientApplicationID
}

// Info describes the host.
type Info struct {
	OS           string // e.g. "Windows 11 Pro 23H2"
	Version      string // e.g. 10.0.22631.4317
	Architecture string // x86, amd64, arm64
	WUAVersion   string
}

// Reboot tells whether and why a restart is outstanding.
type Reboot struct {
	Required bool
	Reasons  []string // e.g. WUA, CBS
}
