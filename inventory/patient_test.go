package inventory

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waptwua/applicability"
)

// slowWMI takes a while for each query; "hang" waits until the test ends.
type slowWMI struct {
	each time.Duration
	end  chan struct{}
	n    atomic.Int32 // queries: one that hangs is still there when the test looks
}

func (s *slowWMI) Count(_ context.Context, _, wql string) (int, error) {
	s.n.Add(1)
	if wql == "hang" {
		<-s.end
		return 0, errors.New("too late")
	}
	time.Sleep(s.each) // of the test's bubble
	return 1, nil
}

func TestPatientHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowWMI{end: make(chan struct{})}
		defer close(w.end)
		h := Patient(Host{WMI: w}, Patience{Each: time.Second})
		asked := applicability.Asked{Queries: []string{"root: one", "root: hang", "root: two"}}
		facts, report, err := Take(t.Context(), h, asked, Options{At: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if len(facts.Queries) != 1 || facts.Queries[0].WQL != "one" || w.n.Load() != 2 {
			t.Errorf("answers %v after %d queries; want the first, and none asked after the one that hangs", facts.Queries, w.n.Load())
		}
		if got := report.tally(applicability.SectionWMI); got.Unknown != 2 {
			t.Errorf("%+v, want two unknown", got)
		}
	})
}

func TestPatientTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowWMI{each: 2 * time.Second}
		h := Patient(Host{WMI: w}, Patience{Total: 5 * time.Second})
		for i := range 5 {
			if _, err := h.WMI.Count(t.Context(), "root", "slow"); (err == nil) != (i < 3) {
				t.Errorf("query %d: %v", i+1, err)
			}
		}
		if w.n.Load() != 3 {
			t.Errorf("%d queries, want 3: after six seconds no more", w.n.Load())
		}
	})
}

func TestPatientStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowWMI{end: make(chan struct{})}
		defer close(w.end)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, _, err := Take(ctx, Patient(Host{WMI: w}, Patience{}), applicability.Asked{Queries: []string{"root: hang"}}, Options{At: time.Now()})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("stopped while a query hangs: %v", err)
		}
	})
}
