package com

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"testing"

	"waptwua"
	"waptwua/internal/fixture"
	"waptwua/wua"
)

// recorded is an installation of a transcript of a real host.
type recorded struct {
	wua.Host // what was not recorded is not asked
	updates  []wua.Update
	steps    []wua.Progress // each change of the current update
	current  []string       // the GUID that the host named at each of them
	results  []wua.UpdateResult
	told     chan struct{} // an update's begin has reached the caller
	ended    chan struct{} // closed when no more is waited for
}

// line is one line of a transcript.
type line struct {
	Task   string `json:"task"`
	Result struct {
		Updates []struct {
			ID       string `json:"id"`
			Revision int    `json:"revision_number"`
			Title    string `json:"title"`
		} `json:"updates"`
		Progress struct {
			Index   int    `json:"CurrentUpdateIndex"`
			Percent int    `json:"PercentComplete"`
			Current string `json:"CurrentUpdateId"`
		} `json:"progress"`
		Info []struct {
			ID      string `json:"id"`
			Code    int    `json:"result_code"`
			HResult int32  `json:"hresult"`
			Reboot  bool   `json:"reboot_required"`
		} `json:"info"`
	} `json:"result"`
}

// parse reads every installation of a transcript.
func parse(t *testing.T, b []byte) (list []*recorded) {
	t.Helper()
	r := &recorded{}
	for _, text := range bytes.Split(b, []byte("\n")) {
		var l line
		if json.Unmarshal(text, &l) != nil {
			continue // between the lines stands what the recording program said
		}
		switch l.Task {
		case "search_result":
			r = &recorded{told: make(chan struct{}), ended: make(chan struct{})}
			for _, u := range l.Result.Updates {
				id, err := waptwua.NewUpdateID(u.ID, u.Revision)
				if err != nil {
					t.Fatal(err)
				}
				r.updates = append(r.updates, wua.Update{Update: waptwua.Update{ID: id, Title: u.Title}, EulaAccepted: true, Leaves: []wua.Leaf{{ID: id}}})
			}
		case "install":
			r.step(l.Result.Progress.Index, l.Result.Progress.Percent, l.Result.Progress.Current)
		case "install_result":
			for _, u := range l.Result.Info {
				i := slices.IndexFunc(r.updates, func(o wua.Update) bool { return o.ID.GUID == u.ID })
				if i < 0 {
					t.Fatalf("a result about %s, which was not found", u.ID)
				}
				r.results = append(r.results, wua.UpdateResult{ID: r.updates[i].ID, Code: wua.ResultCode(u.Code), HResult: wua.Code(uint32(u.HResult)), RebootRequired: u.Reboot})
			}
			list = append(list, r)
		}
	}
	return list
}

func (r *recorded) step(index, percent int, current string) {
	if n := len(r.steps); n == 0 || r.steps[n-1].Index != index {
		r.steps, r.current = append(r.steps, wua.Progress{Index: index, Percent: percent}), append(r.current, current)
	}
}

// order is in which order the updates began: as the host named them, and then
// those that were too quick to be named, as they stand in the list.
func (r *recorded) order() (list []string) {
	for _, guid := range r.current {
		if !slices.Contains(list, guid) {
			list = append(list, guid)
		}
	}
	for _, id := range r.ids() {
		if !slices.Contains(list, id.GUID) {
			list = append(list, id.GUID)
		}
	}
	return list
}

func (r *recorded) Search(_ context.Context, q wua.Query) (*wua.Found, error) {
	q.Progress(wua.Progress{})
	return &wua.Found{Updates: r.updates}, nil
}

// Install waits at each new update until the caller knows of it, so that none
// is passed over.
func (r *recorded) Install(_ context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (*wua.Result, error) {
	begun := map[int]bool{}
	for _, p := range r.steps {
		p.Count = len(ids)
		progress(p)
		if !begun[p.Index] {
			begun[p.Index] = true
			<-r.told
		}
	}
	close(r.ended)
	res := &wua.Result{Updates: r.results}
	summarize(res, false)
	return res, nil
}

func (r *recorded) ids() (list []waptwua.UpdateID) {
	for _, u := range r.results {
		list = append(list, u.ID)
	}
	return list
}

// TestTranscripts lets the double do what real hosts did, in every
// installation that was recorded: results and reboot flags come through as they
// were, and every update begins once, in the order in which the host took them.
// install_reboot_req_failure holds no installation: the program that recorded
// it refused to install before a restart.
func TestTranscripts(t *testing.T) {
	const good, mixed = wua.Succeeded, wua.SucceededWithErrors
	for name, want := range map[string][]wua.ResultCode{
		"custom_kb": {good}, "failed_install": {mixed}, "full_run": {good, good}, "install_no_reboot": {good}, "install_reboot_req": {good},
		"install_reboot_req_failure": nil, "poll_error1": {good}, "repeated_update": {mixed, good, good, good, good},
	} {
		b := fixture.Read(t, "wua-transcripts/"+name+".txt")
		t.Run(name, func(t *testing.T) {
			everyWay(t, func(t *testing.T, by enter) {
				list := parse(t, b)
				if len(list) != len(want) {
					t.Fatalf("the transcript holds %d installations, want %d", len(list), len(want))
				}
				for i, r := range list {
					checkReplay(t, r, replay(t, by, r), want[i])
				}
			})
		})
	}
}

func checkReplay(t *testing.T, r *recorded, h *Host, wantCode wua.ResultCode) {
	t.Helper()
	var begun []string
	last := 0
	got, err := h.Install(t.Context(), r.ids(), func(p wua.Progress) {
		if !p.Update.IsZero() {
			begun = append(begun, p.Update.GUID)
			select {
			case r.told <- struct{}{}:
			case <-r.ended:
			}
		}
		if p.Percent < last {
			t.Errorf("progress fell from %d to %d", last, p.Percent)
		}
		last = p.Percent
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Code != wantCode || !slices.Equal(got.Updates, r.results) {
		t.Errorf("got %+v\nwant %d, %+v", got, wantCode, r.results)
	}
	if reboot := slices.ContainsFunc(r.results, func(u wua.UpdateResult) bool { return u.RebootRequired }); got.RebootRequired != reboot {
		t.Errorf("restart required %v, recorded %v", got.RebootRequired, reboot)
	}
	if want := r.order(); !slices.Equal(begun, want) {
		t.Errorf("the updates began in the order %v, want %v", begun, want)
	}
}

// replay is a host that has searched.
func replay(t *testing.T, by enter, r *recorded) *Host {
	t.Helper()
	h, _ := openOver(t, by, r)
	if _, err := h.Search(t.Context(), wua.Query{}); err != nil {
		t.Fatal(err)
	}
	return h
}
