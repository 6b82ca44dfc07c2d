package native

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"waptwua/wua"
)

// automatic are the names by which Windows' own updating calls itself in the
// update history (ClientApplicationID): of Windows 7 and 8, and of Windows 10
// and later.
func automatic() []string {
	return []string{"AutomaticUpdates", "AutomaticUpdatesWuApp", "UpdateOrchestrator", "MoUpdateOrchestrator"}
}

// history is what the update history says about Windows' own installations
// since the host was taken over.
type history struct {
	Read   time.Time `json:"read"`          // when something new was read in it
	Count  int       `json:"count"`         // installations by Windows itself
	Last   time.Time `json:"last,omitzero"` // the newest of them
	Client string    `json:"client,omitempty"`
}

// Witness looks through the host's update history, in any order, for
// installations that Windows made by itself since the host was taken over:
// the proof that no setting can give. A host that is not taken over is left
// out.
func (c *Control) Witness(entries []wua.HistoryEntry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.load()
	if err != nil || r.Taken == nil {
		return err
	}
	h := r.History
	if h == nil {
		h = &history{Read: c.opt.Now()}
	}
	for _, e := range entries {
		if e.At.After(r.Taken.At) && e.At.After(h.Last) && byWindows(e) {
			h = &history{Read: c.opt.Now(), Last: e.At, Client: e.ClientID}
		}
	}
	for _, e := range entries {
		if e.At.After(r.Taken.At) && byWindows(e) && h != r.History {
			h.Count++
		}
	}
	if h == r.History {
		return nil
	}
	r.History = h
	return c.opt.Records.Save(r)
}

func byWindows(e wua.HistoryEntry) bool {
	done := e.Code == wua.Succeeded || e.Code == wua.SucceededWithErrors
	return done && slices.ContainsFunc(automatic(), func(name string) bool { return strings.EqualFold(name, e.ClientID) })
}

// checkHistory fails for a week after an installation by Windows itself.
func (c *Control) checkHistory(r *record) Check {
	k := Check{Name: "update history", OK: true, Found: "not read yet", theirs: true}
	if r.Taken == nil {
		return k
	}
	k.Wanted = "no installation by Windows itself"
	h := r.History
	switch {
	case h == nil:
	case h.Count == 0:
		k.Found = "none"
	default:
		k.Found = fmt.Sprintf("%d by %s, the last on %s", h.Count, h.Client, h.Last.UTC().Format(time.DateOnly))
		k.Note = "The policies are not honoured, or something took them away for a while."
		k.OK = c.opt.Now().Sub(h.Last) > recently
	}
	return k
}

// History implements wua.Historian, and has the control look through it.
func (h *Host) History(ctx context.Context, max int) ([]wua.HistoryEntry, error) {
	entries, err := during(ctx, h, func() ([]wua.HistoryEntry, error) { return h.host.History(ctx, max) })
	if err != nil {
		return nil, err
	}
	return entries, h.control.Witness(entries)
}
