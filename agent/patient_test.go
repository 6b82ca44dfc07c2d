package agent_test

import (
	"testing"
	"time"

	"waptwua"
	"waptwua/wua"
)

// Windows searches on its own from time to time; the agent waits for it.
func TestWaitsWhileWUAIsBusy(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.host.Broken = map[string]error{"search": &wua.Error{Op: "search", Code: wua.OperationInProgress}}
	naps := 0
	r.clock.sleep = func(time.Duration) error {
		if naps++; naps == 3 {
			delete(r.host.Broken, "search")
		}
		return nil
	}
	r.scan()
	r.wantStatus(id, waptwua.StatusPending)
	if r.host.Searches() != 4 {
		t.Errorf("%d searches, want 4", r.host.Searches())
	}
}
