package wuatest

import (
	"path/filepath"
	"testing"

	"waptwua"
	"waptwua/wua"
)

func stageChecks(t *testing.T, s *suite) {
	h := s.host()
	found := h.search(wua.Query{})
	plain, other := updateID(numPlain), updateID(numPatch)
	h.wantCode(h.Host.Stage(h.ctx(), plain, []string{h.File(other)}), wua.IncorrectFileHash)
	h.wantCode(h.Host.Stage(h.ctx(), plain, []string{h.File(plain), h.File(other)}), wua.IncorrectFileHash)
	h.wantCode(h.Host.Stage(h.ctx(), plain, []string{filepath.Join(TempDir(t), "nowhere.cab")}), wua.DownloadFileMissing)
	h.wantCode(h.Host.Stage(h.ctx(), plain, nil), wua.DownloadFileMissing)
	h.wantCode(h.Host.Stage(h.ctx(), updateID(numForeign), []string{h.File(updateID(numForeign))}), wua.ItemNotFound)
	if h.search(wua.Query{})[plain].Downloaded {
		t.Error("after refused files the update counts as downloaded")
	}
	h.stage(found, numPlain, numBundle)
	h.stage(found, numPlain) // again
	again := h.search(wua.Query{})
	for _, n := range []int{numPlain, numBundle} {
		if !again[updateID(n)].Downloaded {
			t.Errorf("update %d does not count as downloaded", n)
		}
	}
}

// wantResult checks the result of one update.
func (h *subject) wantResult(r *wua.Result, i int, code wua.ResultCode, hr wua.Code) {
	h.t.Helper()
	if u := r.Updates[i]; u.Code != code || u.HResult != hr {
		h.t.Errorf("update %s: result %d, %v; want %d, %v", u.ID, u.Code, u.HResult, code, hr)
	}
}

func (h *subject) wantInstalled(want bool, numbers ...int) {
	h.t.Helper()
	found := h.search(wua.Query{})
	for _, n := range numbers {
		if u := found[updateID(n)]; u.Installed != want {
			h.t.Errorf("update %d: installed %v, want %v", n, u.Installed, want)
		}
	}
	missing := h.search(wua.Query{Criteria: "IsInstalled=0"})
	for _, n := range numbers {
		if _, ok := missing[updateID(n)]; ok == want {
			h.t.Errorf("update %d: offered %v, want %v", n, ok, !want)
		}
	}
}

func installUnstaged(_ *testing.T, s *suite) {
	h := s.host()
	h.search(wua.Query{})
	r := h.installStaged(numPlain)
	h.wantResult(r, 0, wua.Failed, wua.NotDownloaded)
	h.wantInstalled(false, numPlain)
}

func installPlain(t *testing.T, s *suite) {
	h := s.host()
	r := h.install(numPlain)
	h.wantResult(r, 0, wua.Succeeded, wua.OK)
	if r.Code != wua.Succeeded || r.RebootRequired {
		t.Errorf("the result is %+v", r)
	}
	h.wantInstalled(true, numPlain)
	h.wantInstalled(false, numPatch, numBundle)
	if p, err := h.Host.RebootPending(h.ctx()); err != nil || p.Required {
		t.Errorf("a restart is pending: %+v, %v", p, err)
	}
}

func installTwice(t *testing.T, s *suite) {
	h := s.host()
	h.install(numPlain)
	h.search(wua.Query{})
	r := h.installStaged(numPlain)
	if u := r.Updates[0]; u.Code != wua.Succeeded || u.HResult.Failed() {
		t.Errorf("installing an installed update: %+v", u)
	}
	h.wantInstalled(true, numPlain)
}

func installRestart(t *testing.T, s *suite) {
	h := s.host()
	r := h.install(numBundle, numPlain)
	if !r.RebootRequired || !r.Updates[0].RebootRequired || r.Updates[1].RebootRequired {
		t.Errorf("a restart is required: %v, by update: %+v", r.RebootRequired, r.Updates)
	}
	if p, err := h.Host.RebootPending(h.ctx()); err != nil || !p.Required || len(p.Reasons) == 0 {
		t.Errorf("after the installation the pending restart is %+v, %v", p, err)
	}
	if u, ok := h.search(wua.Query{})[updateID(numBundle)]; ok && !u.RebootRequired {
		t.Errorf("before the restart the update is offered as %+v", u)
	}
	if _, ok := h.search(wua.Query{Criteria: "IsInstalled=0 and RebootRequired=0"})[updateID(numBundle)]; ok {
		t.Error("before the restart the update is offered again")
	}
	h.restart()
	if p, err := h.Host.RebootPending(h.ctx()); err != nil || p.Required {
		t.Errorf("after the restart the pending restart is %+v, %v", p, err)
	}
	h.wantInstalled(true, numBundle, numPlain)
	if u := h.search(wua.Query{})[updateID(numBundle)]; u.RebootRequired {
		t.Error("after the restart the update still asks for one")
	}
}

func installRollback(t *testing.T, s *suite) {
	h := s.host(Fault{Call: "install", Update: updateID(numBundle), Effect: RollsBack, Code: wua.ServicingReverted, Times: 1})
	r := h.install(numBundle, numPlain)
	h.wantResult(r, 0, wua.Succeeded, wua.OK)
	h.restart()
	h.wantInstalled(false, numBundle)
	h.wantInstalled(true, numPlain)
	entries, err := h.Host.History(h.ctx(), 1)
	if err != nil || len(entries) != 1 || entries[0].Code != wua.Failed || entries[0].HResult != wua.ServicingReverted {
		t.Errorf("the newest history is %+v, %v; want the failure", entries, err)
	}
	h.install(numBundle)
	h.restart()
	h.wantInstalled(true, numBundle)
}

func installPartly(t *testing.T, s *suite) {
	h := s.host(Fault{Call: "install", Update: updateID(numPatch), Effect: Fails, Code: 0x80070643, Times: 1})
	r := h.install(numPlain, numPatch, numNew)
	h.wantResult(r, 0, wua.Succeeded, wua.OK)
	h.wantResult(r, 1, wua.Failed, 0x80070643)
	h.wantResult(r, 2, wua.Succeeded, wua.OK)
	if r.Code != wua.SucceededWithErrors {
		t.Errorf("the whole result is %d, want %d", r.Code, wua.SucceededWithErrors)
	}
	h.wantInstalled(true, numPlain, numNew)
	h.wantInstalled(false, numPatch)
	h.wantResult(h.install(numPatch), 0, wua.Succeeded, wua.OK) // the second attempt
	h.wantInstalled(true, numPatch)
}

func installFails(t *testing.T, s *suite) {
	h := s.host(Fault{Call: "install", Update: updateID(numPlain), Effect: Fails, Code: 0x800F0831})
	r := h.install(numPlain)
	h.wantResult(r, 0, wua.Failed, 0x800F0831)
	if r.Code != wua.Failed {
		t.Errorf("the whole result is %d, want %d", r.Code, wua.Failed)
	}
}

func installExclusive(_ *testing.T, s *suite) {
	h := s.host()
	r := h.install(numExclusive, numPlain)
	h.wantResult(r, 0, wua.Failed, wua.ExclusiveConflict)
	h.wantResult(r, 1, wua.Succeeded, wua.OK)
	h.wantResult(h.install(numExclusive), 0, wua.Succeeded, wua.OK)
	h.wantInstalled(true, numExclusive)
}

func installVanished(t *testing.T, s *suite) {
	h := s.host(Fault{Call: "install", Update: updateID(numPatch), Effect: Vanishes})
	r := h.install(numPatch, numPlain)
	h.wantResult(r, 0, wua.Failed, wua.ItemNotFound)
	h.wantResult(r, 1, wua.Succeeded, wua.OK)
	if _, ok := h.search(wua.Query{})[updateID(numPatch)]; ok {
		t.Error("the update that vanished is offered again")
	}
}

func installLie(_ *testing.T, s *suite) {
	h := s.host(Fault{Call: "install", Update: updateID(numPlain), Effect: Lies})
	r := h.install(numPlain)
	h.wantResult(r, 0, wua.Succeeded, wua.OK)
	h.wantInstalled(false, numPlain)
}

func installOthers(t *testing.T, s *suite) {
	h := s.host()
	r := h.install(numPatch, numComponents, numDriver)
	if r.Code != wua.Succeeded || !r.RebootRequired {
		t.Errorf("the result is %+v", r)
	}
	h.restart()
	h.wantInstalled(true, numPatch, numComponents, numDriver)
}

func unknownIdentities(t *testing.T, s *suite) {
	h := s.host()
	stranger := waptwua.UpdateID{GUID: guid(777), Revision: 1}
	h.wantCode(h.Host.SetHidden(h.ctx(), updateID(numPlain), true), wua.ItemNotFound) // no search yet
	h.stage(h.search(wua.Query{}), numPlain)
	h.wantCode(h.Host.SetHidden(h.ctx(), stranger, true), wua.ItemNotFound)
	h.wantCode(h.Host.Stage(h.ctx(), stranger, []string{h.File(updateID(numPlain))}), wua.ItemNotFound)
	r, err := h.Host.Install(h.ctx(), []waptwua.UpdateID{stranger, updateID(numPlain)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.wantResult(r, 0, wua.Failed, wua.ItemNotFound)
	h.wantResult(r, 1, wua.Succeeded, wua.OK)
}

func installNothing(_ *testing.T, s *suite) {
	h := s.host()
	h.search(wua.Query{})
	_, err := h.Host.Install(h.ctx(), nil, nil)
	h.wantCode(err, wua.NoUpdate)
	_, err = h.Host.Uninstall(h.ctx(), nil, nil)
	h.wantCode(err, wua.NoUpdate)
}

func uninstall(t *testing.T, s *suite) {
	h := s.host()
	h.install(numPlain)
	found := h.search(wua.Query{})
	if !found[updateID(numPlain)].Uninstallable || found[updateID(numPresent)].Uninstallable {
		t.Errorf("uninstallable: %v, %v; want the installed one alone", found[updateID(numPlain)].Uninstallable, found[updateID(numPresent)].Uninstallable)
	}
	r, err := h.Host.Uninstall(h.ctx(), ids(numPlain, numPresent, numForeign), nil)
	if err != nil {
		t.Fatal(err)
	}
	h.checkOrder(r, []int{numPlain, numPresent, numForeign})
	h.wantResult(r, 0, wua.Succeeded, wua.OK)
	h.wantResult(r, 1, wua.Failed, wua.UninstallNotAllowed)
	h.wantResult(r, 2, wua.Failed, wua.ItemNotFound)
	if r.Code != wua.SucceededWithErrors {
		t.Errorf("the whole result is %d, want %d", r.Code, wua.SucceededWithErrors)
	}
	h.wantInstalled(false, numPlain)
	h.wantInstalled(true, numPresent)
}

func history(t *testing.T, s *suite) {
	h := s.host(Fault{Call: "install", Update: updateID(numPatch), Effect: Fails, Code: 0x80070643})
	if entries, err := h.Host.History(h.ctx(), 10); err != nil || len(entries) != 0 {
		t.Fatalf("the history of a new host is %+v, %v", entries, err)
	}
	h.install(numPlain, numPatch)
	h.search(wua.Query{})
	if _, err := h.Host.Uninstall(h.ctx(), ids(numPlain), nil); err != nil {
		t.Fatal(err)
	}
	entries, err := h.Host.History(h.ctx(), 10)
	if err != nil || len(entries) != 3 {
		t.Fatalf("the history is %+v, %v; want three entries", entries, err)
	}
	for i, want := range []wua.HistoryEntry{
		{ID: updateID(numPlain), Operation: "uninstall", Code: wua.Succeeded},
		{ID: updateID(numPatch), Operation: "install", Code: wua.Failed, HResult: 0x80070643},
		{ID: updateID(numPlain), Operation: "install", Code: wua.Succeeded},
	} {
		e := entries[i]
		if e.ID != want.ID || e.Operation != want.Operation || e.Code != want.Code || e.HResult != want.HResult || e.At.IsZero() || e.Title == "" || e.ClientID == "" {
			t.Errorf("entry %d is %+v, want %+v", i, e, want)
		}
	}
	if newest, err := h.Host.History(h.ctx(), 1); err != nil || len(newest) != 1 || newest[0].ID != entries[0].ID || newest[0].Operation != entries[0].Operation {
		t.Errorf("the newest entry is %+v, %v", newest, err)
	}
}
