//go:build !windows

package native_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"waptwua/wua"
	"waptwua/wua/native"
)

// TestWitness: an installation by Windows itself is a proof that no setting
// can outweigh, for a week.
func TestWitness(t *testing.T) {
	r := newRig(t)
	entry := func(client string, code wua.ResultCode, after time.Duration) wua.HistoryEntry {
		return wua.HistoryEntry{ClientID: client, Code: code, At: r.now.Add(after), Operation: "install"}
	}
	witness := func(entries ...wua.HistoryEntry) native.Check {
		t.Helper()
		r.must(r.control().Witness(entries))
		p := r.prove()
		k := p.Checks[len(p.Checks)-1]
		if k.Name != "update history" || p.Owner == native.OwnerAgent && p.Control != k.OK {
			t.Errorf("under control: %v, although %+v", p.Control, k)
		}
		return k
	}
	if k := witness(entry("UpdateOrchestrator", wua.Succeeded, 0)); !k.OK || r.records.text != nil {
		t.Errorf("not taken over: %+v, record %s", k, r.records.text)
	}
	r.settle(takeOver)
	if p := r.prove(); p.Checks[len(p.Checks)-1].Found != "not read yet" || !p.Control {
		t.Errorf("before: %+v", p)
	}
	fine := []wua.HistoryEntry{
		entry("waptwua", wua.Succeeded, time.Hour), entry("wusa", wua.Succeeded, time.Hour),
		entry("UpdateOrchestrator", wua.Failed, time.Hour), entry("UpdateOrchestrator", wua.Succeeded, -time.Hour),
	}
	if k := witness(fine...); !k.OK || k.Found != "none" {
		t.Errorf("ours, others', failed and earlier ones: %+v", k)
	}
	saved := string(r.records.text)
	witness(fine...)
	if string(r.records.text) != saved {
		t.Error("the same history is saved again")
	}
	bad := append(fine, entry("updateorchestrator", wua.Succeeded, 2*time.Hour), entry("MoUpdateOrchestrator", wua.SucceededWithErrors, 3*time.Hour))
	r.now = r.now.Add(4 * time.Hour)
	if k := witness(bad...); k.OK || !strings.HasPrefix(k.Found, "2 by MoUpdateOrchestrator, the last on 2026-11-20") || k.Note == "" {
		t.Errorf("by Windows itself: %+v", k)
	}
	if k := witness(bad...); k.OK || !strings.HasPrefix(k.Found, "2 by ") {
		t.Errorf("seen twice: %+v", k)
	}
	r.now = r.now.Add(8 * 24 * time.Hour)
	if k := witness(bad...); !k.OK {
		t.Errorf("a week later: %+v", k)
	}
	r.settle(giveBack)
	r.settle(takeOver)
	if p := r.prove(); p.Checks[len(p.Checks)-1].Found != "not read yet" {
		t.Errorf("taken over anew: %+v", p)
	}
}

// TestHostWitnesses: reading the history through the host is enough.
func TestHostWitnesses(t *testing.T) {
	r := newRig(t)
	r.settle(takeOver)
	h := native.Keep(remembering{&watcher{r: r}, r.now.Add(time.Hour)}, r.control())
	_, err := h.History(t.Context(), 10)
	r.must(err)
	r.must(h.Rest(t.Context()))
	if p := r.prove(); p.Control {
		t.Errorf("Prove = %+v", p)
	}
}

// remembering has one installation by Windows itself in its history.
type remembering struct {
	*watcher
	at time.Time
}

func (h remembering) History(context.Context, int) ([]wua.HistoryEntry, error) {
	return []wua.HistoryEntry{{ClientID: "AutomaticUpdates", Code: wua.Succeeded, At: h.at}}, h.look()
}
