package agent_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"waptwua"
	"waptwua/agent"
	"waptwua/wua"
)

// A call that is refused as a whole is repeated for each update: one that
// cannot be taken holds neither the others nor what is installed as packages.
func TestRefusedCallHoldsNoOther(t *testing.T) {
	r := newRig(t)
	r.register()
	first, bad, last := r.offer(1, waptwua.Update{}), r.offer(2, waptwua.Update{}), r.offer(3, waptwua.Update{})
	packaged := r.offerPackages(4, waptwua.Update{KBs: []waptwua.KB{5101650}}, cumulative)
	r.host.Refuse = func(ids []waptwua.UpdateID) error {
		if slices.Contains(ids, bad) {
			return &wua.Error{Op: "install", Code: wua.InvalidOperation}
		}
		return nil
	}
	r.install()
	for _, id := range []waptwua.UpdateID{first, last, packaged} {
		r.wantStatus(id, waptwua.StatusOK)
		r.wantPhases(id, upToInstalling+", verified")
	}
	if u := r.wantStatus(bad, waptwua.StatusError); u.Failure.HResult != uint32(wua.InvalidOperation) || u.Failure.Attempts != 1 {
		t.Errorf("failure %+v", u.Failure)
	}
	r.wantPhases(bad, upToInstalling+", failed 0x80240036")
	r.wantJournal("wua, because: takes-files")
}

// A Windows Update Agent that works for somebody else is no update's fault,
// and does not hold what is installed without it.
func TestBusyCallIsNobodysFault(t *testing.T) {
	for _, code := range []wua.Code{wua.OperationInProgress, wua.InstallNotAllowed} {
		r := newRig(t)
		r.register()
		first, alone := r.offer(1, waptwua.Update{}), r.offer(2, waptwua.Update{Exclusive: true})
		packaged := r.offerPackages(3, waptwua.Update{KBs: []waptwua.KB{5101650}}, cumulative)
		busy := &wua.Error{Op: "install", Code: code}
		r.host.Broken = map[string]error{"install": busy}
		if err := r.agent().Install(t.Context(), agent.InstallOptions{}); !errors.Is(err, &wua.Error{Code: code}) {
			t.Errorf("%s: %v", code, err)
		}
		for _, id := range []waptwua.UpdateID{first, alone} {
			if u := r.wantStatus(id, waptwua.StatusPending); u.Failure != nil {
				t.Errorf("failure %+v", u.Failure)
			}
			r.wantPhases(id, strings.TrimSuffix(upToInstalling, ", installing"))
		}
		r.wantStatus(packaged, waptwua.StatusOK)
	}
}
