package com

import (
	"context"
	"slices"
	"strings"
	"testing"

	"waptwua"
	"waptwua/wua"
	"waptwua/wua/com/comtest"
	"waptwua/wua/wuatest"
)

// unreadable is how a part of an answer cannot be read while WUA is there.
var unreadable = comtest.Exception{Code: uint32(wua.NotFound)}

// listed is a host that offers what stands in a list.
type listed struct {
	wua.Host // is not asked
	updates  []wua.Update
	history  []wua.HistoryEntry
}

func (l *listed) Search(_ context.Context, q wua.Query) (*wua.Found, error) {
	q.Progress(wua.Progress{})
	return &wua.Found{Updates: l.updates}, nil
}

func (l *listed) History(context.Context, int) ([]wua.HistoryEntry, error) { return l.history, nil }

func (l *listed) Install(_ context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (*wua.Result, error) {
	progress(wua.Progress{})
	res := &wua.Result{}
	for _, id := range ids {
		res.Updates = append(res.Updates, wua.UpdateResult{ID: id, Code: wua.Succeeded})
	}
	return res, nil
}

// numbered is the identity of the n-th update of a list.
func numbered(t *testing.T, n string) waptwua.UpdateID {
	t.Helper()
	id, err := waptwua.NewUpdateID("00000000-0000-4000-8000-00000000000"+n, 1)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// openOver makes a host over a double that answers from source. Its
// references are counted in the end.
func openOver(t *testing.T, by enter, source wua.Host) (*Host, *comtest.Double) {
	t.Helper()
	d := comtest.New(source)
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
	return h, d
}

// TestAnUpdateThatCannotBeRead is lost alone, and counted, unless WUA is gone.
func TestAnUpdateThatCannotBeRead(t *testing.T) {
	w := wuatest.NewWorld(t)
	everyWay(t, func(t *testing.T, by enter) {
		all := len(search(t, open(t, by, w), wua.Query{Archive: w.Archive}).Updates)
		for _, at := range []struct{ class, member string }{{"UpdateCollection", "Item"}, {"Update", "Identity"}, {"Identity", "UpdateID"}} {
			h := open(t, by, w)
			h.double.Fail(at.class, at.member, unreadable, 1)
			found := search(t, h, wua.Query{Archive: w.Archive})
			if len(found.Updates) != all-1 || found.Lost != 1 || len(found.Warnings) != 1 {
				t.Errorf("%v fails: %d updates of %d, %d lost, warnings %v", at, len(found.Updates), all, found.Lost, found.Warnings)
			}
			h = open(t, by, w)
			h.double.Fail(at.class, at.member, comtest.Exception{Code: uint32(wua.ServerUnavailable)}, -1)
			if _, err := h.Search(t.Context(), wua.Query{Archive: w.Archive}); codeOf(err) != wua.ServerUnavailable {
				t.Errorf("%v, and WUA is gone: %v", at, err)
			}
		}
	})
}

// TestABundleWithAnUnreadableChild keeps the others, and is incomplete.
func TestABundleWithAnUnreadableChild(t *testing.T) {
	parts := []wua.Leaf{{ID: numbered(t, "2")}, {ID: numbered(t, "3")}, {ID: numbered(t, "4")}}
	everyWay(t, func(t *testing.T, by enter) {
		for _, at := range []struct {
			class, member string
			after, left   int
		}{{"UpdateCollection", "Item", 2, 2}, {"Update", "Identity", 2, 2}, {"Update", "BundledUpdates", 0, 0}, {"Update", "BundledUpdates", 2, 2}} {
			bundle := wua.Update{Update: waptwua.Update{ID: numbered(t, "1")}, Leaves: parts}
			h, d := openOver(t, by, &listed{updates: []wua.Update{bundle}})
			d.FailAfter(at.after, at.class, at.member, unreadable, 1)
			found, err := h.Search(t.Context(), wua.Query{})
			if err != nil || len(found.Updates) != 1 {
				t.Fatalf("%v: %+v, %v", at, found, err)
			}
			u := found.Updates[0]
			if u.Incomplete == nil || u.Incomplete.Code != wua.NotFound || len(u.Leaves) != at.left || len(found.Warnings) != 1 {
				t.Errorf("%v fails: incomplete %v, leaves %v, warnings %v", at, u.Incomplete, u.Leaves, found.Warnings)
			}
		}
	})
}

// TestAnItemThatFails costs its list nothing else.
func TestAnItemThatFails(t *testing.T) {
	about := waptwua.Update{ID: numbered(t, "1"), KBs: []waptwua.KB{1234567, 2345678}, CategoryIDs: []string{"a", "b"},
		Classifications: []string{"Security Updates"}, Products: []string{"Windows 11"}}
	everyWay(t, func(t *testing.T, by enter) {
		for _, at := range []struct {
			class, member   string
			kbs, categories int
			name            string
		}{
			{"StringCollection", "Item", 1, 2, "Security Updates"}, {"CategoryCollection", "Item", 2, 1, ""},
			{"Category", "CategoryID", 2, 1, "Security Updates"}, {"Category", "Name", 2, 2, ""}, {"Category", "Type", 2, 2, ""},
		} {
			h, d := openOver(t, by, &listed{updates: []wua.Update{{Update: about, Leaves: []wua.Leaf{{ID: about.ID}}}}})
			d.Fail(at.class, at.member, unreadable, 1)
			found, err := h.Search(t.Context(), wua.Query{})
			if err != nil || len(found.Updates) != 1 || len(found.Warnings) != 1 {
				t.Fatalf("%v: %+v, %v", at, found, err)
			}
			u := found.Updates[0]
			if len(u.KBs) != at.kbs || len(u.CategoryIDs) != at.categories || strings.Join(u.Classifications, "") != at.name || !slices.Equal(u.Products, about.Products) {
				t.Errorf("%v fails: %+v", at, u)
			}
		}
	})
}

// TestAHistoryThatCannotBeReadWhole is read as far as it can be.
func TestAHistoryThatCannotBeReadWhole(t *testing.T) {
	history := []wua.HistoryEntry{{ID: numbered(t, "1"), Title: "one"}, {ID: numbered(t, "2"), Title: "two"}}
	everyWay(t, func(t *testing.T, by enter) {
		for _, at := range []struct {
			class, member, want string
			times               int
			err                 wua.Code
		}{
			{"HistoryEntry", "Title", ",two", 1, 0}, {"HistoryEntry", "UpdateIdentity", "two", 1, 0}, {"HistoryCollection", "Item", "two", 1, 0},
			{"HistoryEntry", "UpdateIdentity", "", -1, wua.NotFound},
		} {
			h, d := openOver(t, by, &listed{history: history})
			d.Fail(at.class, at.member, unreadable, at.times)
			entries, err := h.History(t.Context(), 10)
			var titles []string
			for _, e := range entries {
				titles = append(titles, e.Title)
			}
			if got := strings.Join(titles, ","); got != at.want || (err != nil) != (at.err != 0) || err != nil && codeOf(err) != at.err {
				t.Errorf("%v fails: %q, %v", at, got, err)
			}
		}
	})
}

// TestAnUpdateThatWUADoesNotTake fails alone.
func TestAnUpdateThatWUADoesNotTake(t *testing.T) {
	var updates []wua.Update
	for _, n := range []string{"1", "2", "3"} {
		updates = append(updates, wua.Update{Update: waptwua.Update{ID: numbered(t, n)}, EulaAccepted: true, Leaves: []wua.Leaf{{ID: numbered(t, n)}}})
	}
	everyWay(t, func(t *testing.T, by enter) {
		for _, at := range []struct{ class, member string }{{"UpdateColl", "Add"}, {"InstallationResult", "GetUpdateResult"}, {"UpdateResult", "HResult"}} {
			h, d := openOver(t, by, &listed{updates: updates})
			if _, err := h.Search(t.Context(), wua.Query{}); err != nil {
				t.Fatal(err)
			}
			d.FailAfter(1, at.class, at.member, unreadable, 1)
			r, err := h.Install(t.Context(), []waptwua.UpdateID{numbered(t, "1"), numbered(t, "2"), numbered(t, "3")}, nil)
			if err != nil || r.Code != wua.SucceededWithErrors {
				t.Fatalf("%v fails: %+v, %v", at, r, err)
			}
			for i, want := range []wua.UpdateResult{{Code: wua.Succeeded}, {Code: wua.Failed, HResult: wua.NotFound}, {Code: wua.Succeeded}} {
				if got := r.Updates[i]; got.Code != want.Code || got.HResult != want.HResult {
					t.Errorf("%v fails: update %d has %+v, want %+v", at, i+1, got, want)
				}
			}
		}
	})
}
