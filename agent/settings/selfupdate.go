package settings

import (
	"errors"
	"time"

	"waptwua/schedule"
)

// SelfUpdate says how the agent replaces its own program.
type SelfUpdate struct {
	On           bool
	Certificates string        // folder of the certificates that may sign releases
	Spread       time.Duration // over which the hosts of a fleet take a new release, from its making on
}

// defaultRollout is the time over which a fleet takes a new release, when
// nothing else is said: a bad one shows before all have it.
const defaultRollout = schedule.Day

func (r *reader) selfUpdate() {
	s := &r.s.SelfUpdate
	s.On, s.Certificates, s.Spread = true, r.below("releases"), defaultRollout
	r.option(Global, "self_update", switchedOn(&s.On), showBool(&s.On))
	r.option(Global, "self_update_spread", r.rollout, func() string { return schedule.Format(s.Spread) })
	r.option(Global, "release_certs_dir", r.pathOf(&s.Certificates), func() string { return s.Certificates })
}

// switchedOn is a switch that is on by default, and off when it cannot be read.
func switchedOn(into *bool) func(string) error {
	return func(v string) error {
		err := boolean(into)(v)
		*into = *into && err == nil
		return err
	}
}

// maxRollout bounds self_update_spread.
const maxRollout = 30 * schedule.Day

func (r *reader) rollout(v string) error {
	d, err := schedule.ParseDuration(v, schedule.Day)
	if err == nil && d > maxRollout {
		err = errors.New("at most 30d")
	}
	if err != nil {
		return err
	}
	r.s.SelfUpdate.Spread = d
	return nil
}
