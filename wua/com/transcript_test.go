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
	"waptwua/wua/com/comtest"
)

// recorded is the first installation of a transcript of a real host.
type recorded struct {
	wua.Host // what was not recorded is not asked
	updates  []wua.Update
	steps    []wua.Progress // each change of the current update
	results  []wua.UpdateResult
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
			Index   int `json:"CurrentUpdateIndex"`
			Percent int `json:"PercentComplete"`
		} `json:"progress"`
		Info []struct {
			ID      string `json:"id"`
			Code    int    `json:"result_code"`
			HResult int32  `json:"hresult"`
			Reboot  bool   `json:"reboot_required"`
		} `json:"info"`
	} `json:"result"`
}

// parse reads a transcript up to its first installation's end; nil: there is none.
func parse(t *testing.T, b []byte) *recorded {
	t.Helper()
	r := &recorded{}
	for _, text := range bytes.Split(b, []byte("\n")) {
		var l line
		if json.Unmarshal(text, &l) != nil {
			continue // between the lines stands what the recording program said
		}
		switch l.Task {
		case "search_result":
			r.updates = nil
			for _, u := range l.Result.Updates {
				id, err := waptwua.NewUpdateID(u.ID, u.Revision)
				if err != nil {
					t.Fatal(err)
				}
				r.updates = append(r.updates, wua.Update{Update: waptwua.Update{ID: id, Title: u.Title}, EulaAccepted: true, Leaves: []wua.Leaf{{ID: id}}})
			}
		case "install":
			r.step(l.Result.Progress.Index, l.Result.Progress.Percent)
		case "install_result":
			for _, u := range l.Result.Info {
				i := slices.IndexFunc(r.updates, func(o wua.Update) bool { return o.ID.GUID == u.ID })
				if i < 0 {
					t.Fatalf("a result about %s, which was not found", u.ID)
				}
				r.results = append(r.results, wua.UpdateResult{ID: r.updates[i].ID, Code: wua.ResultCode(u.Code), HResult: wua.Code(uint32(u.HResult)), RebootRequired: u.Reboot})
			}
			return r
		}
	}
	return nil
}

func (r *recorded) step(index, percent int) {
	if n := len(r.steps); n == 0 || r.steps[n-1].Index != index {
		r.steps = append(r.steps, wua.Progress{Index: index, Percent: percent})
	}
}

func (r *recorded) Search(_ context.Context, q wua.Query) (*wua.Found, error) {
	q.Progress(wua.Progress{})
	return &wua.Found{Updates: r.updates}, nil
}

func (r *recorded) Install(_ context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (*wua.Result, error) {
	for _, p := range r.steps {
		p.Count = len(ids)
		progress(p)
	}
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

// TestTranscripts lets the double do what real hosts did: results and reboot
// flags come through as they were, and every update begins once, in whatever
// order the host took them.
func TestTranscripts(t *testing.T) {
	for name, wantCode := range map[string]wua.ResultCode{
		"failed_install": wua.SucceededWithErrors, "full_run": wua.Succeeded, "install_no_reboot": wua.Succeeded,
		"install_reboot_req": wua.Succeeded, "poll_error1": wua.Succeeded, "repeated_update": wua.SucceededWithErrors,
	} {
		b := fixture.Read(t, "wua-transcripts/"+name+".txt")
		t.Run(name, func(t *testing.T) {
			everyWay(t, func(t *testing.T, by enter) {
				r := parse(t, b)
				if r == nil {
					t.Fatal("the transcript holds no installation")
				}
				checkReplay(t, r, replay(t, by, r), wantCode)
			})
		})
	}
}

func checkReplay(t *testing.T, r *recorded, h *Host, wantCode wua.ResultCode) {
	t.Helper()
	begun, last := map[waptwua.UpdateID]int{}, 0
	got, err := h.Install(t.Context(), r.ids(), func(p wua.Progress) {
		if !p.Update.IsZero() {
			begun[p.Update]++
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
	for _, id := range r.ids() {
		if begun[id] != 1 {
			t.Errorf("the begin of %s was told %d times", id, begun[id])
		}
	}
}

// replay is a host that has searched.
func replay(t *testing.T, by enter, r *recorded) *Host {
	t.Helper()
	d := comtest.New(r)
	h, err := newHost(Options{}, platform{enter: by(t, d)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if live := d.Live(); len(live) > 0 {
			t.Errorf("references that were not released: %v", live)
		}
	})
	if _, err := h.Search(t.Context(), wua.Query{}); err != nil {
		t.Fatal(err)
	}
	return h
}
