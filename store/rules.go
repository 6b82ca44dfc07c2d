package store

import (
	"context"
	"time"
)

// RulePackage is one version of a signed rule package as it was uploaded.
type RulePackage struct {
	Name       string    `bun:",pk"`
	Version    int       `bun:",pk"`
	Signer     string    `bun:"signer"`              // common name in the signer's certificate
	Envelope   string    `bun:"envelope"`            // byte for byte as uploaded
	Digest     string    `bun:"digest"`              // SHA-256 of Envelope, hexadecimal
	Verified   bool      `bun:"verified"`            // by the server, against certificates it was given
	CreatedAt  time.Time `bun:"created_at,nullzero"` // as the statement says
	UploadedAt time.Time `bun:"uploaded_at,nullzero"`
	UploadedBy string    `bun:"uploaded_by"`
	RemovedAt  time.Time `bun:"removed_at,nullzero"` // zero: in force, unless a higher version exists
}

// RulePackages remembers signed rule packages.
type RulePackages interface {
	// CurrentRules lists the highest version of each package that was not
	// removed, in the order of names.
	CurrentRules(ctx context.Context) ([]RulePackage, error)
	// LatestRules returns the highest version of a package, removed or not.
	LatestRules(ctx context.Context, name string) (RulePackage, error)
	// PutRules makes or replaces one version.
	PutRules(ctx context.Context, p RulePackage) error
}

// AuditEntry is one change that somebody made.
type AuditEntry struct {
	Seq     int64     `bun:",pk"` // 1, 2, 3 …
	At      time.Time `bun:"at"`
	Actor   string    `bun:"actor"`   // user, token or host
	Action  string    `bun:"action"`  // e.g. rules.upload
	Subject string    `bun:"subject"` // what was changed
	Detail  string    `bun:"detail"`
	Prev    string    `bun:"prev"` // Hash of the entry before; empty for the first
	Hash    string    `bun:"hash"`
}

// Audit remembers changes, in a chain of digests.
type Audit interface {
	// LastAudit returns the latest entry, or waptwua.ErrNotFound.
	LastAudit(ctx context.Context) (AuditEntry, error)
	// AppendAudit adds an entry; waptwua.ErrConflict when its Seq is taken.
	AppendAudit(ctx context.Context, e AuditEntry) error
	// ListAudit returns entries with a Seq above after, in order, at most limit.
	ListAudit(ctx context.Context, after int64, limit int) ([]AuditEntry, error)
}

// Settings remembers single values by name.
type Settings interface {
	// Setting returns a value, or waptwua.ErrNotFound.
	Setting(ctx context.Context, name string) (string, error)
	// PutSetting makes or replaces a value.
	PutSetting(ctx context.Context, name, value string) error
}
