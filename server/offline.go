package server

import (
	"crypto/rand"
	"time"
)

// NewOffline returns the services that need nothing but the store, for
// commands run beside a server's data. Of p it uses Store, Notify, Settings,
// Log, and where set Administrators, Now and Rand.
func NewOffline(p Parts) (*Accounts, *Rules, error) {
	if err := p.Settings.check(); err != nil {
		return nil, nil, err
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Rand == nil {
		p.Rand = rand.Reader
	}
	b := &base{store: p.Store, notify: p.Notify, set: p.Settings, log: p.Log, now: p.Now, rand: p.Rand}
	return newAccounts(b), &Rules{base: b, trust: p.Administrators}, nil
}

// NewReleases returns the service of releases alone, for commands run beside
// a server's data. Of p it uses Releases and what NewOffline uses.
func NewReleases(p Parts) (*Releases, error) {
	accounts, _, err := NewOffline(p)
	if err != nil {
		return nil, err
	}
	return &Releases{base: accounts.base, files: p.Releases}, nil
}
