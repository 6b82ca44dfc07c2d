package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"waptwua"
)

func TestDiffApplyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var held *State
		for range rapid.IntRange(1, 5).Draw(t, "reports") {
			next := drawState(t)
			r, err := Diff(held, next)
			if err != nil {
				t.Fatal(err)
			}
			held = deliver(t, held, r)
			if d := cmp.Diff(next, held); d != "" {
				t.Fatalf("after the report (-agent +server):\n%s", d)
			}
		}
	})
}

func TestApplyTwiceAsksForWhole(t *testing.T) {
	a := &State{Host: waptwua.Host{UUID: "a"}}
	b := &State{Host: waptwua.Host{UUID: "b"}}
	r, err := Diff(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Apply(b, r); !errors.Is(err, waptwua.ErrConflict) {
		t.Fatalf("applying from the wrong base: got %v, want ErrConflict", err)
	}
	if _, err := Apply(nil, r); !errors.Is(err, waptwua.ErrConflict) {
		t.Fatalf("applying without a base: got %v, want ErrConflict", err)
	}
}

func TestApplyRefusesFalseDigest(t *testing.T) {
	r, err := Diff(nil, &State{Host: waptwua.Host{UUID: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	r.Head.Host.Name = "changed on the way"
	if _, err := Apply(nil, r); !errors.Is(err, waptwua.ErrConflict) {
		t.Fatalf("got %v, want ErrConflict", err)
	}
}

func TestEmptyReport(t *testing.T) {
	s := &State{Host: waptwua.Host{UUID: "a"}}
	r, err := Diff(s, s)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Empty() {
		t.Fatalf("report from a state to itself is not empty: %+v", r)
	}
}

func deliver(t *rapid.T, held *State, r *Report) *State {
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	next, err := Apply(held, &got)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func drawState(t *rapid.T) *State {
	s := &State{
		Host:   waptwua.Host{UUID: "00000000-0000-0000-0000-000000000001", Name: rapid.SampledFrom([]string{"pc1", "pc2"}).Draw(t, "name")},
		Status: rapid.SampledFrom([]waptwua.HostStatus{waptwua.HostOK, waptwua.HostPending}).Draw(t, "status"),
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "updates") {
		id := waptwua.UpdateID{GUID: fmt.Sprintf("00000000-0000-0000-0000-%012d", i), Revision: 100}
		if s.Updates == nil {
			s.Updates = map[waptwua.UpdateID]waptwua.OnHost{}
		}
		s.Updates[id] = waptwua.OnHost{
			ID:       id,
			Status:   rapid.SampledFrom([]waptwua.Status{waptwua.StatusOK, waptwua.StatusMissing}).Draw(t, "update"),
			Verified: time.Unix(rapid.Int64Range(0, 1e9).Draw(t, "at"), 0).UTC(),
		}
	}
	return s
}
