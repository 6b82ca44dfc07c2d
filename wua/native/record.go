package native

import (
	"errors"
	"slices"
	"time"

	"waptwua"
)

// Records keep one record durably. Load fills v or returns an error that wraps
// waptwua.ErrNotFound when there is none, waptwua.ErrDigest when it is
// damaged. When Save has returned, the record survives a power cut.
type Records interface {
	Load(v any) error
	Save(v any) error
}

// record is what is remembered between two operations.
type record struct {
	Taken   *taken          `json:"taken,omitempty"`   // the host is taken over
	Held    *held           `json:"held,omitempty"`    // the service is being used, or the user of it was killed
	Settled time.Time       `json:"settled,omitzero"`  // end of the last Settle
	Marks   map[string]mark `json:"marks,omitempty"`   // of the checks, by name
	History *history        `json:"history,omitempty"` // since the host was taken over; nil: not read
	Undone  []Undone        `json:"undone,omitempty"`  // newest first
}

// taken is how the host was before.
type taken struct {
	At      time.Time `json:"at"`
	Idle    Idle      `json:"idle"`
	Left    Start     `json:"left,omitempty"`    // the start mode that the service was left in last
	Service *Service  `json:"service,omitempty"` // nil: there was none
	Values  []before  `json:"values"`
	Keys    []string  `json:"keys,omitempty"` // that did not exist, the outer ones first
}

// before is a registry value as it was before we set it to Ours.
type before struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	Was  *Value `json:"was,omitempty"` // nil: it was not there
	Ours Value  `json:"ours"`
	Set  bool   `json:"set,omitempty"` // it was in force once
}

// held is the service as it was when it began to be held.
type held struct {
	At time.Time `json:"at"`
	Service
}

// mark is since when a check has its result.
type mark struct {
	OK    bool      `json:"ok"`
	Since time.Time `json:"since"`
}

// Undone is a change that somebody else made to what was taken over, and that
// was changed back.
type Undone struct {
	What   string    `json:"what"` // a check's name
	Wanted string    `json:"wanted"`
	Found  string    `json:"found"`
	After  time.Time `json:"after,omitzero"` // when it was well for the last time
	Seen   time.Time `json:"seen"`
}

// maxUndone is how many changes are remembered.
const maxUndone = 50

func (r *record) undone(u Undone) {
	r.Undone = slices.Insert(r.Undone, 0, u)
	r.Undone = r.Undone[:min(len(r.Undone), maxUndone)]
}

// load reads the record; none is an empty one.
func (c *Control) load() (*record, error) {
	r := new(record)
	err := c.opt.Records.Load(r)
	if errors.Is(err, waptwua.ErrNotFound) {
		return new(record), nil
	}
	return r, err
}

func (t *taken) find(key, name string) *before {
	for i, b := range t.Values {
		if b.Key == key && b.Name == name {
			return &t.Values[i]
		}
	}
	return nil
}

// idle is the start mode in which the service is left.
func (t *taken) idle() Start {
	switch {
	case t.Idle == IdleManual:
		return Manual
	case t.Idle == IdleRestore && t.Service != nil:
		return t.Service.Start
	}
	return Disabled
}
