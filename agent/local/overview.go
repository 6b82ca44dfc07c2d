package local

import (
	"cmp"
	"errors"
	"slices"

	"waptwua"
	"waptwua/agent"
)

// errUnreadable hides from users why the state cannot be read.
var errUnreadable = errors.New("the agent's state cannot be read; an administrator finds the reason in its log")

// overview takes out of the status what every user may know.
func (s *Service) overview() (Overview, error) {
	st, err := s.Status()
	if err != nil {
		if s.Log != nil {
			s.Log.Error("state cannot be read", "error", err)
		}
		return Overview{}, errUnreadable
	}
	o := overviewOf(st)
	o.Version = s.Version
	if t := s.Desk.Running(); t != nil {
		o.Running = &Activity{Kind: t.Kind, Started: t.Started, Progress: t.Progress}
	}
	return o, nil
}

func overviewOf(st *agent.Status) Overview {
	o := Overview{Status: cmp.Or(st.State.Status, waptwua.HostUnknown), Scanned: st.State.Scan.At, Restart: len(st.State.Reboot) > 0, Pending: []Pending{}}
	for _, u := range st.State.Updates {
		switch u.Status {
		case waptwua.StatusPending, waptwua.StatusMissing, waptwua.StatusReboot:
		default:
			continue
		}
		o.Restart = o.Restart || u.Status == waptwua.StatusReboot
		p := Pending{Title: cmp.Or(st.Updates[u.ID].Title, u.ID.String()), Status: u.Status}
		for _, kb := range st.Updates[u.ID].KBs {
			p.KBs = append(p.KBs, kb.String())
		}
		o.Pending = append(o.Pending, p)
	}
	slices.SortFunc(o.Pending, func(a, b Pending) int { return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Title, b.Title)) })
	return o
}
