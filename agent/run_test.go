package agent_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
)

// serve runs the service for so long on the rig's clock, and returns how
// often it slept.
func (r *rig) serve(d time.Duration) (naps int) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	defer cancel()
	end := r.clock.Now().Add(d)
	r.clock.sleep = func(nap time.Duration) error {
		naps++
		if r.clock.Now().Add(nap).After(end) {
			cancel()
			return context.Canceled
		}
		return nil
	}
	defer func() { r.clock.sleep = nil }()
	if err := r.agent().Run(ctx); err != nil {
		r.t.Fatal(err)
	}
	return naps
}

func TestServiceDoesWhatIsScheduled(t *testing.T) {
	r := newRig(t)
	r.ini += "download_scheduling = 2h\ninstall_scheduling = 12h\n"
	r.register()
	id := r.offerOnly(1, waptwua.Update{})
	r.serve(time.Hour) // the first run comes within half an hour
	r.wantStatus(id, waptwua.StatusMissing)
	r.publish(id)
	r.serve(40 * time.Minute) // missing files are looked for before the next period
	r.wantStatus(id, waptwua.StatusPending)
	r.serve(13 * time.Hour)
	r.wantStatus(id, waptwua.StatusOK)
}

func TestServiceInstallsNothingUnlessScheduledAndEnabled(t *testing.T) {
	for _, ini := range []string{
		"enabled = true\ndefault_allow = true\ndownload_scheduling = 2h\n",
		"enabled = false\ndefault_allow = true\ndownload_scheduling = 2h\ninstall_scheduling = 2h\n",
		"enabled = true\ndefault_allow = true\ndownload_scheduling = 2h\ninstall_scheduling = often\n",
	} {
		r := newRig(t)
		r.ini = ini
		r.register()
		id := r.offer(1, waptwua.Update{})
		r.serve(2 * 24 * time.Hour)
		r.wantStatus(id, waptwua.StatusPending)
		if len(r.host.Calls()) != 0 {
			t.Errorf("%s: installed", ini)
		}
	}
}

func TestServiceWaitsAfterBoot(t *testing.T) {
	r := newRig(t)
	r.ini += "download_scheduling = 1m\npostboot_delay = 3h\n"
	r.register()
	r.offer(1, waptwua.Update{})
	booted := r.clock.Now()
	r.change = func(o *agent.Options) { o.Booted = booted }
	r.serve(3*time.Hour - time.Minute)
	if r.host.Searches() != 0 {
		t.Fatal("searched before postboot_delay was over")
	}
	r.serve(10 * time.Minute)
	if r.host.Searches() == 0 {
		t.Fatal("did not search afterwards")
	}
}

func TestIdleServiceSleeps(t *testing.T) {
	r := newRig(t)
	r.register()
	if naps := r.serve(24 * time.Hour); naps > 24*60+200 {
		t.Errorf("%d naps in a day, want about one a minute", naps)
	}
	if r.host.Searches() != 0 {
		t.Error("searched although no schedule is set")
	}
}

func TestServiceReloadsItsSettings(t *testing.T) {
	r := newRig(t)
	r.register()
	r.offer(1, waptwua.Update{})
	r.serve(time.Hour)
	if r.host.Searches() != 0 {
		t.Fatal("searched although no schedule is set")
	}
	changed := false
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	naps := 0
	r.clock.sleep = func(time.Duration) error {
		if !changed {
			changed, r.ini = true, r.ini+"download_scheduling = 5m\n"
		}
		if naps++; naps > 30 {
			cancel()
		}
		return nil
	}
	if err := r.agent().Run(ctx); err != nil {
		t.Fatal(err)
	}
	if r.host.Searches() == 0 {
		t.Error("the new schedule was not noticed")
	}
}

func TestServiceOutlastsAnOutage(t *testing.T) {
	r := newRig(t)
	r.ini += "download_scheduling = 1h\ninstall_scheduling = 1h\n"
	r.register()
	id := r.offer(1, waptwua.Update{})
	refused := 0
	r.server.Refuse(func(http.ResponseWriter, *http.Request) int { refused++; return http.StatusBadGateway })
	r.serve(5 * time.Hour)
	if refused == 0 || refused > 600 {
		t.Errorf("%d requests in five hours of outage", refused)
	}
	r.server.Refuse(nil)
	r.serve(3 * time.Hour)
	r.wantStatus(id, waptwua.StatusOK)
}

func TestBusyServerIsLeftAlone(t *testing.T) {
	r := newRig(t)
	r.ini += "download_scheduling = 10m\n"
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.server.Refuse(func(w http.ResponseWriter, _ *http.Request) int {
		w.Header().Set("Retry-After", "7200")
		return http.StatusServiceUnavailable
	})
	r.serve(30 * time.Minute)
	r.server.Requests()
	r.serve(time.Hour + 20*time.Minute)
	if got := r.server.Requests(); len(got) > 1 { // the new service knows nothing of the wait and asks once
		t.Errorf("%d requests while the server asked for silence: %v", len(got), got)
	}
	r.server.Refuse(nil)
	r.serve(4 * time.Hour)
	r.wantStatus(id, waptwua.StatusPending)
}

func TestServiceFinishesWhatAKillLeft(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.dieWhileInstalling()
	r.serve(time.Minute)
	r.wantStatus(id, waptwua.StatusPending)
	if s, err := r.agent().Status(); err != nil || s.Unfinished != nil || !s.Reported {
		t.Errorf("after the restart: %+v, %v", s, err)
	}
}

func TestStoppedInstallationIsFinishedLater(t *testing.T) {
	r := newRig(t)
	r.register()
	first, second := r.offer(1, waptwua.Update{}), r.offer(2, waptwua.Update{})
	ctx, cancel := context.WithCancel(t.Context())
	r.host.Reached = func(what string) {
		if what == "wua installed" {
			cancel()
		}
	}
	if err := r.agent().Install(ctx, agent.InstallOptions{}); !errors.Is(err, agent.ErrNotReported) && !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	r.host.Reached = nil
	r.install()
	for _, id := range []waptwua.UpdateID{first, second} {
		if u := r.wantStatus(id, waptwua.StatusOK); u.Failure != nil {
			t.Errorf("%s: an installation that was stopped counts as failed: %+v", id, u.Failure)
		}
	}
	count, err := r.host.Log()
	if err != nil || count[first.String()] != 1 || count[second.String()] != 1 {
		t.Errorf("installed %v, %v", count, err)
	}
}
