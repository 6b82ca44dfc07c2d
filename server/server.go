// Package server is the fleet's work as services, without HTTP and without a
// database of its own: hosts enrol and report, updates and their files are
// followed, rules are kept and handed out, people and programs sign in, and
// every change is written down.
//
// # Services
//
//	Enrolment  gives certificates to hosts that show a token, and knows hosts by them
//	Reports    takes what hosts say, in one transaction, and acknowledges it afterwards
//	Rules      keeps signed rule packages exactly as uploaded
//	Accounts   users, sessions, tokens
//	Fleet      lists and counts for people
//	Shelf      the files that hosts fetch
//	Releases   new versions of the agent, signed elsewhere
//	Upkeep     the work of the background jobs: the archive, missing files, clean-up, expiry
//
// # What it promises
//
//   - A report is acknowledged only when it is durable; the same report twice
//     leaves the same state; an older one changes nothing.
//   - A host's identity comes from its certificate and its record here, from
//     nowhere else. A UUID belongs to the key that enrolled first.
//   - Files are fetched only if the catalogue, made from the signed archive,
//     names them; addresses that hosts report are never followed.
//   - Rule packages are never signed here: the server has no such key. Where
//     it was given administrators' certificates it refuses what they did not
//     sign; otherwise hosts alone decide.
//   - Every change by a person, program or host's enrolment is an audit entry,
//     chained by digests, written in the same transaction as the change.
//
// # Who may do what
//
// Callers put an [Actor] into the context; the edges (api, console) decide by
// their tables of routes whether its role suffices. Services use it for the
// audit.
package server

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"time"

	"waptwua/blob"
	"waptwua/internal/pki"
	"waptwua/notify"
	"waptwua/signing"
	"waptwua/store"
)

// Parts are what a Server is made of. All are needed but those marked.
type Parts struct {
	Store     store.Store
	Shelf     blob.Store
	Notify    notify.Notifier
	Queue     Queue
	Archiver  Archiver
	Fetcher   Fetcher
	Scrubber  Scrubber
	Loader    Loader
	Authority *pki.Authority  // issues host certificates
	Signer    *signing.Signer // signs what the server publishes
	// Administrators verifies rule packages on upload. Nil: their shape only.
	Administrators *signing.Trust
	Releases       blob.Store // of the agent. Nil: none are handed out
	Settings       Settings
	Log            *slog.Logger
	Now            func() time.Time // nil: the clock
	Rand           io.Reader        // nil: crypto/rand
}

// Server is the services together.
type Server struct {
	Enrolment *Enrolment
	Reports   *Reports
	Rules     *Rules
	Accounts  *Accounts
	Fleet     *Fleet
	Shelf     *Shelf
	Upkeep    *Upkeep
	Releases  *Releases
}

// base is what all services share.
type base struct {
	store  store.Store
	notify notify.Notifier
	set    Settings
	log    *slog.Logger
	now    func() time.Time
	rand   io.Reader
}

// New joins the parts.
func New(p Parts) (*Server, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Rand == nil {
		p.Rand = rand.Reader
	}
	b := &base{store: p.Store, notify: p.Notify, set: p.Settings, log: p.Log, now: p.Now, rand: p.Rand}
	cat := &catalogues{base: b, shelf: p.Shelf, archiver: p.Archiver, loader: p.Loader, signer: p.Signer}
	rules := &Rules{base: b, trust: p.Administrators}
	return &Server{
		Enrolment: &Enrolment{base: b, authority: p.Authority, signer: p.Signer},
		Reports:   &Reports{base: b, rules: rules, catalogues: cat, queue: p.Queue},
		Rules:     rules,
		Accounts:  newAccounts(b),
		Fleet:     &Fleet{base: b, catalogues: cat},
		Shelf:     &Shelf{base: b, files: p.Shelf, archiver: p.Archiver},
		Upkeep:    &Upkeep{base: b, catalogues: cat, fetcher: p.Fetcher, scrubber: p.Scrubber, queue: p.Queue},
		Releases:  &Releases{base: b, files: p.Releases},
	}, nil
}

func (p *Parts) check() error {
	switch {
	case p.Store == nil || p.Shelf == nil || p.Notify == nil || p.Queue == nil:
		return errors.New("server: store, shelf, notifier or queue is missing")
	case p.Archiver == nil || p.Fetcher == nil || p.Scrubber == nil || p.Loader == nil:
		return errors.New("server: archiver, fetcher, scrubber or loader is missing")
	case p.Authority == nil || p.Signer == nil || p.Log == nil:
		return errors.New("server: authority, signer or logger is missing")
	}
	return p.Settings.check()
}

// changed tells subscribers; a failure to do so undoes nothing and is logged.
func (b *base) changed(ctx context.Context, topics ...notify.Topic) {
	for _, t := range topics {
		if err := b.notify.Publish(ctx, t); err != nil {
			b.log.WarnContext(ctx, "signal not sent", "topic", t, "err", err)
		}
	}
}
