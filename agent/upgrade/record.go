package upgrade

import (
	"errors"
	"path/filepath"
	"slices"
	"time"

	"waptwua"
	"waptwua/agent/journal"
	"waptwua/signing"
)

// record is what must be known after a restart (upgrade.json).
type record struct {
	Highest string    `json:"highest,omitempty"` // highest version that was well here
	Seen    seen      `json:"seen,omitzero"`     // highest release that was ever offered
	Failed  []Failure `json:"failed,omitempty"`  // versions above Highest
	Pending *pending  `json:"pending,omitempty"` // an exchange that was begun
}

// seen is a release that was verified once. Version means one document.
type seen struct {
	Version string         `json:"version"`
	Digest  waptwua.SHA256 `json:"digest"` // of the signed document
}

// pending is an exchange on its way.
type pending struct {
	From   string         `json:"from"`
	To     string         `json:"to"`
	New    waptwua.SHA256 `json:"new"` // of the new program
	Old    waptwua.SHA256 `json:"old"` // of the old program
	At     time.Time      `json:"at"`
	Starts int            `json:"starts,omitempty"` // of the new program without a guard
}

// Failure is a version that this host could not take.
type Failure struct {
	Version string    `json:"version"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"` // the last attempt
	Tries   int       `json:"tries"`
	Final   bool      `json:"final"` // it is not tried again
}

// The limits of trying again.
const (
	maxTries   = 3
	retryAfter = 24 * time.Hour
	maxStarts  = 2 // of a new program without a guard, before the old one comes back
)

const recordName = "upgrade.json"

// load reads the record of the agent's folder dir. A missing one, and a
// damaged one, is empty: the version that runs is then the highest known.
func load(dir string) (record, error) {
	var r record
	err := journal.Load(filepath.Join(dir, recordName), &r)
	if errors.Is(err, waptwua.ErrNotFound) || errors.Is(err, waptwua.ErrDigest) {
		return record{}, nil
	}
	return r, err
}

func (r *record) save(dir string) error { return journal.Save(filepath.Join(dir, recordName), r) }

// floor is the version that a release must be above.
func (r *record) floor(running string) string {
	if signing.CompareVersions(r.Highest, running) > 0 {
		return r.Highest
	}
	return running
}

// well notes that version does its work here.
func (r *record) well(version string) {
	if signing.CompareVersions(version, r.Highest) > 0 {
		r.Highest = version
	}
	r.Pending = nil
	r.Failed = slices.DeleteFunc(r.Failed, func(f Failure) bool { return signing.CompareVersions(f.Version, r.Highest) <= 0 })
}

// fail notes an attempt that failed and ends the pending exchange.
func (r *record) fail(version, reason string, final bool, at time.Time) {
	r.Pending = nil
	i := slices.IndexFunc(r.Failed, func(f Failure) bool { return f.Version == version })
	if i < 0 {
		r.Failed = append(r.Failed, Failure{Version: version})
		i = len(r.Failed) - 1
	}
	f := &r.Failed[i]
	f.Reason, f.At = reason, at
	f.Tries++
	f.Final = f.Final || final || f.Tries >= maxTries
}

// mayTry returns nil when nothing speaks against trying version now.
func (r *record) mayTry(version string, now time.Time) error {
	for _, f := range r.Failed {
		if f.Version != version {
			continue
		}
		if f.Final {
			return &FailedError{Failure: f}
		}
		if next := f.At.Add(retryAfter); now.Before(next) && now.After(f.At.Add(-retryAfter)) {
			return &FailedError{Failure: f, Next: next}
		}
	}
	return nil
}
