package native

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// takeOver puts the policies and the service's idle state in force.
func (s *settling) takeOver(ctx context.Context, idle Idle) error {
	if idle == "" {
		idle = IdleDisabled
	}
	if err := s.remember(ctx, idle); err != nil {
		return err
	}
	err := s.dropOld(ctx)
	for i := range s.record.Taken.Values {
		err = errors.Join(err, s.enforce(ctx, &s.record.Taken.Values[i]))
	}
	if s.holds == 0 {
		err = errors.Join(err, s.enforceService(ctx))
	}
	return err
}

// remember records how the host is, before anything of it is changed. After
// the first time there is something to record only when the plan or the list
// of policies has changed.
func (s *settling) remember(ctx context.Context, idle Idle) error {
	changed := s.record.Taken == nil
	t := s.record.Taken
	if t == nil {
		service, err := s.service(ctx, UpdateService)
		if err != nil {
			return err
		}
		t = &taken{At: s.now, Service: service}
	}
	if t.Idle != idle {
		t.Idle, t.Left, changed = idle, "", true
	}
	for _, p := range Policies() {
		c, err := s.rememberValue(ctx, t, p)
		if err != nil {
			return err
		}
		changed = changed || c
	}
	s.record.Taken = t
	if !changed {
		return nil
	}
	return s.opt.Records.Save(s.record)
}

// rememberValue tells whether there was something new to remember.
func (s *settling) rememberValue(ctx context.Context, t *taken, p Policy) (bool, error) {
	if b := t.find(p.Key, p.Name); b != nil {
		same := b.Ours.Equal(p.Value)
		b.Ours, b.Set = p.Value, b.Set && same
		return !same, nil
	}
	was, err := s.value(ctx, p.Key, p.Name)
	if err != nil {
		return false, err
	}
	t.Values = append(t.Values, before{Key: p.Key, Name: p.Name, Was: was, Ours: p.Value})
	return true, s.rememberKeys(ctx, t, p.Key)
}

// rememberKeys notes which of the keys that lead to key do not exist.
func (s *settling) rememberKeys(ctx context.Context, t *taken, key string) error {
	for i := range len(key) + 1 {
		if i < len(key) && key[i] != '\\' || i < len(policyPrefix) || slices.Contains(t.Keys, key[:i]) {
			continue
		}
		there, err := s.opt.System.HasKey(ctx, key[:i])
		if err != nil {
			return fmt.Errorf("looking for the key %s: %w", key[:i], err)
		}
		if !there {
			t.Keys = append(t.Keys, key[:i])
		}
	}
	return nil
}

// enforce sets one value, and notes when somebody had changed it.
func (s *settling) enforce(ctx context.Context, b *before) error {
	found, err := s.value(ctx, b.Key, b.Name)
	if err != nil {
		return err
	}
	if found != nil && found.Equal(b.Ours) {
		b.Set = true
		return nil
	}
	if b.Set {
		s.found(checkName(b.Key, b.Name), b.Ours.String(), shown(found))
	}
	if err := s.opt.System.SetValue(ctx, b.Key, b.Name, b.Ours); err != nil {
		return fmt.Errorf("setting the policy %s: %w", b.Name, err)
	}
	b.Set = true
	return nil
}

// enforceService leaves the service in its idle state. A host without the
// service has nothing to leave.
func (s *settling) enforceService(ctx context.Context) error {
	t := s.record.Taken
	now, err := s.service(ctx, UpdateService)
	if err != nil || now == nil {
		return err
	}
	if t.Left != "" && now.Start != t.Left {
		s.found(UpdateService, string(t.Left), string(now.Start))
	}
	if err := s.leaveAs(ctx, t, *now); err != nil || !now.Running || t.Idle != IdleDisabled {
		return err
	}
	return s.run(ctx, false)
}

// found notes what somebody else did.
func (s *settling) found(what, wanted, found string) {
	s.record.undone(Undone{What: what, Wanted: wanted, Found: found, After: s.record.Settled, Seen: s.now})
}

// dropOld gives back values that an earlier version of the program set.
func (s *settling) dropOld(ctx context.Context) error {
	wanted := map[string]bool{}
	for _, p := range Policies() {
		wanted[p.Key+`\`+p.Name] = true
	}
	var err error
	s.record.Taken.Values = slices.DeleteFunc(s.record.Taken.Values, func(b before) bool {
		if wanted[b.Key+`\`+b.Name] {
			return false
		}
		e := s.restoreValue(ctx, b)
		err = errors.Join(err, e)
		return e == nil
	})
	return err
}

var errInUse = errors.New("the service is being used by this process")

// giveBack puts everything back as it was. What somebody has changed since is
// left alone. The record of what could not be put back is kept.
func (s *settling) giveBack(ctx context.Context) error {
	t := s.record.Taken
	if t == nil {
		return nil
	}
	if s.holds > 0 {
		return fmt.Errorf("giving Windows Update back: %w", errInUse)
	}
	var err error
	for _, b := range slices.Backward(t.Values) {
		err = errors.Join(err, s.restoreValue(ctx, b))
	}
	for _, key := range slices.Backward(t.Keys) {
		err = errors.Join(err, s.opt.System.DeleteEmptyKey(ctx, key))
	}
	err = errors.Join(err, s.restoreService(ctx))
	if err != nil {
		return fmt.Errorf("giving Windows Update back: %w", err)
	}
	s.record.Taken, s.record.Marks, s.record.History = nil, nil, nil
	return nil
}

func (s *settling) restoreValue(ctx context.Context, b before) error {
	found, err := s.value(ctx, b.Key, b.Name)
	switch {
	case err != nil:
		return err
	case same(found, b.Was):
		return nil
	case found == nil || !found.Equal(b.Ours):
		s.say("native updating: %s is %s, set by somebody else, and stays so", checkName(b.Key, b.Name), shown(found))
		return nil
	case b.Was == nil:
		return s.opt.System.DeleteValue(ctx, b.Key, b.Name)
	}
	return s.opt.System.SetValue(ctx, b.Key, b.Name, *b.Was)
}

func (s *settling) restoreService(ctx context.Context) error {
	t := s.record.Taken
	now, err := s.service(ctx, UpdateService)
	if err != nil || now == nil || t.Service == nil {
		return err
	}
	if t.Left != "" && now.Start != t.Left && now.Start != t.Service.Start {
		s.say("native updating: %s starts %s, set by somebody else, and stays so", UpdateService, now.Start)
		return nil
	}
	if now.Start != t.Service.Start {
		if err := s.setStart(ctx, t.Service.Start); err != nil {
			return err
		}
	}
	if now.Running != t.Service.Running && t.Service.Start != Disabled {
		return s.run(ctx, t.Service.Running)
	}
	return nil
}

func same(a, b *Value) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

func shown(v *Value) string {
	if v == nil {
		return "absent"
	}
	return v.String()
}

// checkName is the short name of a policy value, e.g. AU\NoAutoUpdate.
func checkName(key, name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(key, policyPrefix), `WindowsUpdate\`) + `\` + name
}
