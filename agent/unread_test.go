package agent_test

import (
	"context"
	"slices"
	"testing"

	"waptwua"
	"waptwua/agent"
	"waptwua/wua"
)

// TestAnIncompleteUpdateIsNotInstalled: what is known of its parts is not all.
func TestAnIncompleteUpdateIsNotInstalled(t *testing.T) {
	r := newRig(t)
	r.register()
	part, whole := r.offer(1, waptwua.Update{}), r.offer(2, waptwua.Update{})
	packages := r.offerPackages(3, waptwua.Update{}, "kb1.msu")
	for _, i := range []int{0, 2} {
		r.host.Updates[i].Incomplete = &wua.Error{Op: "read the parts of the update", Code: wua.OutOfMemory}
	}
	r.install()
	for _, id := range []waptwua.UpdateID{part, packages} {
		if u := r.wantStatus(id, waptwua.StatusError); u.Failure.HResult != uint32(wua.OutOfMemory) {
			t.Errorf("%s: %+v", id, u.Failure)
		}
	}
	r.wantStatus(whole, waptwua.StatusOK)
	if calls := r.host.Calls(); len(calls) != 1 || !slices.Equal(calls[0], []waptwua.UpdateID{whole}) || len(r.host.Sets()) > 0 {
		t.Errorf("installed %v and %v", calls, r.host.Sets())
	}
}

// losing leaves an update out of what it finds, and says that one is lost.
type losing struct {
	wua.Host
	id waptwua.UpdateID
}

func (l losing) Search(ctx context.Context, q wua.Query) (*wua.Found, error) {
	f, err := l.Host.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	f.Updates = slices.DeleteFunc(f.Updates, func(u wua.Update) bool { return u.ID == l.id })
	f.Lost++
	return f, nil
}

// TestALostUpdate: what the search could not read is neither verified nor
// forgotten, not installed meanwhile, and looked for again.
func TestALostUpdate(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.download()
	r.wantStatus(id, waptwua.StatusPending)
	r.change = func(o *agent.Options) { o.WUA = losing{r.host, id} }
	r.install()
	r.wantStatus(id, waptwua.StatusPending)
	if calls := r.host.Calls(); len(calls) > 0 {
		t.Errorf("installed %v", calls)
	}
	r.change = nil
	before := r.host.Searches()
	r.download() // does not force a search
	if r.host.Searches() == before {
		t.Error("it was not searched again")
	}
	r.install()
	r.wantStatus(id, waptwua.StatusOK)
}

// TestALostUpdateIsNotVerified: it was installed, and cannot be seen.
func TestALostUpdateIsNotVerified(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.host.Restart = map[waptwua.UpdateID]bool{id: true}
	r.install()
	r.reboot()
	r.change = func(o *agent.Options) { o.WUA = losing{r.host, id} }
	r.scan()
	if u := r.held().Updates[id]; !u.Verified.IsZero() || u.Status == waptwua.StatusOK {
		t.Errorf("a lost update is %+v", u)
	}
	r.change = nil
	r.scan()
	if u := r.wantStatus(id, waptwua.StatusOK); u.Verified.IsZero() {
		t.Errorf("%+v", u)
	}
}
