package agent

import (
	"errors"
	"time"

	"waptwua"
	"waptwua/agent/journal"
	"waptwua/transport"
)

// Status is what an agent knows, without asking anybody.
type Status struct {
	Registered bool                                `json:"registered"`
	Expires    time.Time                           `json:"certificate_expires,omitzero"`
	State      transport.State                     `json:"state"`
	Updates    map[waptwua.UpdateID]waptwua.Update `json:"updates,omitempty"` // descriptions of the last search
	Reported   bool                                `json:"reported"`          // the server has acknowledged this state
	Unfinished *journal.Entry                      `json:"unfinished,omitempty"`
	Window     *Window                             `json:"window,omitempty"` // nil: no windows are set
}

// Status reads what is known. It can be asked while an operation runs.
func (a *Agent) Status() (*Status, error) {
	var s Status
	var m memory
	if err := journal.Load(a.path("state.json"), &m); err != nil && !absent(err) {
		return nil, err
	}
	s.State = m.State
	if err := journal.Load(a.path("updates.json"), &s.Updates); err != nil && !absent(err) {
		return nil, err
	}
	s.Window = a.window(&m)
	if id, err := a.identity(); err == nil {
		s.Registered, s.Expires = true, id.Leaf().NotAfter
	} else if !errors.Is(err, ErrNotRegistered) {
		return nil, err
	}
	var known acked
	if err := journal.Load(a.path("acked.json"), &known); err == nil {
		digest, err := m.State.Digest()
		s.Reported = err == nil && digest == known.Digest
	}
	return &s, a.unfinished(&s)
}

func (a *Agent) unfinished(s *Status) error {
	l, err := journal.OpenLog(a.path("journal.log"))
	if err != nil {
		return err
	}
	if e, ok := l.Unfinished(); ok {
		s.Unfinished = &e
	}
	return nil
}

func absent(err error) bool {
	return errors.Is(err, waptwua.ErrNotFound) || errors.Is(err, waptwua.ErrDigest)
}
