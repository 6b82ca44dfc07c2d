package transport

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"waptwua"
)

// Digest names the state: the SHA-256 of its JSON form, in hexadecimal.
// Times must be in UTC (see Normalize), so that both sides compute the same.
func (s *State) Digest() (string, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("digest of a host's state: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// Normalize brings s into the form in which it survives a round trip through
// JSON unchanged.
func (s *State) Normalize() error {
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("normalizing a host's state: %w", err)
	}
	var out State
	if err := json.Unmarshal(b, &out); err != nil {
		return fmt.Errorf("normalizing a host's state: %w", err)
	}
	*s = out
	return nil
}

// Diff returns the report that leads from base to next, both normalized. A
// nil base gives a whole report.
func Diff(base, next *State) (*Report, error) {
	digest, err := next.Digest()
	if err != nil {
		return nil, err
	}
	r := &Report{Version: Version, Digest: digest}
	if base == nil {
		base = &State{}
		r.Head = head(next)
	} else if r.Base, err = base.Digest(); err != nil {
		return nil, err
	}
	if r.Head == nil && !sameJSON(head(base), head(next)) {
		r.Head = head(next)
	}
	r.Changed, r.Removed = diffUpdates(base.Updates, next.Updates)
	return r, nil
}

// Empty tells whether the report changes nothing.
func (r *Report) Empty() bool {
	return r.Base != "" && r.Base == r.Digest && len(r.About) == 0
}

// Apply returns the state after r. It returns waptwua.ErrConflict when r
// does not start from base, or does not lead to the digest it names: the
// receiver then asks for a whole report.
func Apply(base *State, r *Report) (*State, error) {
	next := &State{}
	if r.Base != "" {
		if err := checkBase(base, r.Base); err != nil {
			return nil, err
		}
		*next = *base
	}
	updates := maps.Clone(next.Updates)
	if r.Head != nil {
		*next = *r.Head
	}
	next.Updates = patch(updates, r)
	got, err := next.Digest()
	if err != nil {
		return nil, err
	}
	if got != r.Digest {
		return nil, fmt.Errorf("report leads to state %.12s, not to %.12s as it says: %w", got, r.Digest, waptwua.ErrConflict)
	}
	return next, nil
}

func checkBase(base *State, want string) error {
	if base == nil {
		return fmt.Errorf("report starts from state %.12s, but none is held: %w", want, waptwua.ErrConflict)
	}
	got, err := base.Digest()
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("report starts from state %.12s, but %.12s is held: %w", want, got, waptwua.ErrConflict)
	}
	return nil
}

func patch(updates map[waptwua.UpdateID]waptwua.OnHost, r *Report) map[waptwua.UpdateID]waptwua.OnHost {
	if updates == nil {
		updates = make(map[waptwua.UpdateID]waptwua.OnHost, len(r.Changed))
	}
	for _, id := range r.Removed {
		delete(updates, id)
	}
	for _, u := range r.Changed {
		updates[u.ID] = u
	}
	if len(updates) == 0 {
		return nil
	}
	return updates
}

func head(s *State) *State {
	h := *s
	h.Updates = nil
	return &h
}

func diffUpdates(base, next map[waptwua.UpdateID]waptwua.OnHost) (changed []waptwua.OnHost, removed []waptwua.UpdateID) {
	for id, u := range next {
		if old, ok := base[id]; !ok || !sameJSON(old, u) {
			changed = append(changed, u)
		}
	}
	for id := range base {
		if _, ok := next[id]; !ok {
			removed = append(removed, id)
		}
	}
	slices.SortFunc(changed, func(a, b waptwua.OnHost) int { return compareID(a.ID, b.ID) })
	slices.SortFunc(removed, compareID)
	return changed, removed
}

func compareID(a, b waptwua.UpdateID) int {
	if a.GUID != b.GUID {
		if a.GUID < b.GUID {
			return -1
		}
		return 1
	}
	return a.Revision - b.Revision
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
